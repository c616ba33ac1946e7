"""All targets of one origin together, from what the series' closed windows already hold."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.types import FloatArray, IntArray
from aiops_nb.features.requests.histogram import MIDDLES, BinnedRows, Counts
from aiops_nb.features.requests.stretch import ClosedWindows, WindowTotals
from aiops_nb.features.requests.totals import ANSWER_FEATURES, QUANTILES, RATIOS, Totals, answers
from aiops_nb.features.silent import Silence

OVERALL_FEATURES = (*ANSWER_FEATURES, "silent_seconds")
MOST_ORIGINS = 8


@dataclass(frozen=True, slots=True)
class Movement:
    """What entered and left the span when a window closed; the kernel keeps totals of earlier windows as bytes."""

    entering: Totals | None
    leaving: Totals | bytes | None
    entering_rows: BinnedRows
    leaving_rows: BinnedRows


class OverallFeatures:
    """Features of all requests of each origin, over the same span as those of single targets.

    A quantile is one of all requests, not a mean of the targets' quantiles. Memory: 3 KB an origin. Cost of a tick:
    O(series + rows).
    """

    def __init__(self, span_ticks: int, tick_seconds: float) -> None:
        self._span_ticks, self._tick_seconds = span_ticks, tick_seconds
        self._closed_ticks = 0
        self._span = Totals(MOST_ORIGINS)
        self._counts = Counts(MOST_ORIGINS)
        self._silence = Silence(tick_seconds)
        self.now: Totals | None = None
        self._kernel = kernel.compiled

    def close(self, window: int, moved: Movement, origin: IntArray, origins: int) -> FloatArray:
        """Close the next window; `origin` (n,) numbers that of each series. Gives the features, (k, origins)."""
        self._closed_ticks = min(self._closed_ticks + 1, self._span_ticks)
        if self._kernel is not None:
            return self._close_compiled(self._kernel, window, moved, origin, origins)
        assert not isinstance(moved.leaving, bytes)
        self.now = by_origin(moved.entering, origin, origins)
        if self.now is not None:
            self._span.move(self.now, 1)
        leaving = by_origin(moved.leaving, origin, origins)
        if leaving is not None:
            self._span.move(leaving, -1)
        for (bins, series), sign in ((moved.entering_rows, 1), (moved.leaving_rows, -1)):
            if len(bins):
                self._counts.add(bins, origin[series].astype(np.int32), sign)
        return self._features(window, origins)

    def _close_compiled(
        self, compiled: ModuleType, window: int, moved: Movement, origin: IntArray, origins: int
    ) -> FloatArray:
        values, now = np.empty((len(OVERALL_FEATURES), origins)), Totals(MOST_ORIGINS)
        self.now = None if moved.entering is None else now
        compiled.close_overall(
            values,
            window,
            self._tick_seconds,
            self._closed_ticks * self._tick_seconds,
            now.whole(),
            self._span.whole(),
            None if moved.entering is None else moved.entering.whole(),
            moved.leaving,
            origin,
            (*self._counts.arrays, *moved.entering_rows, *moved.leaving_rows, MIDDLES, RATIOS),
            self._silence.last(origins),
        )
        return values

    def close_windows(
        self, window: int, closed: ClosedWindows, origin: IntArray, origins: int
    ) -> tuple[FloatArray, WindowTotals]:
        """Close windows in a row; the features are (windows, k, origins). Only with the compiled kernel."""
        assert self._kernel is not None
        windows = len(closed.leaving)
        ticks = np.minimum(self._closed_ticks + np.arange(1, windows + 1), self._span_ticks)
        self._closed_ticks = int(ticks[-1])
        values, now = np.empty((windows, len(OVERALL_FEATURES), origins)), WindowTotals(windows, origins)
        self._kernel.close_overall_windows(
            values,
            window,
            self._tick_seconds,
            ticks * self._tick_seconds,
            now.whole(),
            self._span.whole(),
            closed.totals.whole(),
            closed.leaving,
            origin,
            (*self._counts.arrays, MIDDLES, RATIOS),
            closed.entering_rows.whole(),
            closed.leaving_rows.whole(),
            self._silence.last(origins),
        )
        self.now = now.at(windows - 1)
        return values, now

    def _features(self, window: int, origins: int) -> FloatArray:
        seconds = self._closed_ticks * self._tick_seconds
        quantiles = self._counts.quantiles(QUANTILES, origins)
        now = answers(self.now, self._span, seconds, quantiles, origins)
        return np.stack([*now, self._silence.close(window, now[0])])


def by_origin(totals: Totals | None, origin: IntArray, origins: int) -> Totals | None:
    """The totals of all series of each origin: exact sums of whole numbers."""
    if totals is None:
        return None
    whole, mine = Totals(origins), origin[: len(totals.count)]
    members = [slice(None)] if origins == 1 else [mine == code for code in range(origins)]
    for name, array in totals.arrays():
        getattr(whole, name)[:] = [array[member].sum(dtype=np.int64) for member in members]
    return whole
