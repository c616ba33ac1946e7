"""Features of sampled metrics: the mean value in each window, rates of counters, and moving statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, FloatArray, IntArray
from aiops_nb.features.accumulate import count_into, fold_into
from aiops_nb.features.horizons import Horizons, horizon_names
from aiops_nb.features.params import WindowParams
from aiops_nb.features.samples.counters import CounterRates
from aiops_nb.features.silent import Silence


def sample_features(horizons_seconds: Sequence[float]) -> tuple[str, ...]:
    """Names of the features; but for `rate_hz` and `silent_seconds` they have the unit of their metric.

    Examples
    --------
    >>> sample_features([60.0])
    ('value', 'rate_hz', 'silent_seconds', 'ema_60s', 'slope_60s', 'mean_60s', 'std_60s')
    """
    return ("value", "rate_hz", "silent_seconds", *horizon_names(horizons_seconds))


@dataclass(frozen=True, slots=True)
class SampleRows:
    """The columns that the features need, each (rows,); values may be NaN, `is_counter` marks what only ever rises."""

    window: IntArray
    series: IntArray
    time_ns: IntArray
    value: FloatArray
    is_counter: BoolArray

    def take(self, rows: IntArray | BoolArray | slice) -> SampleRows:
        """A part of the rows."""
        moments = self.window[rows], self.series[rows], self.time_ns[rows]
        return SampleRows(*moments, self.value[rows], self.is_counter[rows])


class _Sums:
    __slots__ = ("count", "total")

    def __init__(self, capacity: int) -> None:
        self.count = np.zeros(capacity, np.int64)
        self.total = np.zeros(capacity)

    def grow(self, capacity: int) -> None:
        self.count, self.total = widened(self.count, capacity), widened(self.total, capacity)


class SampleFeatures:
    """Turns sampled values into the feature matrix of each closed window.

    `value` is the mean of the values in the window; `rate_hz` the rate of a counter, a second (see `CounterRates`);
    `silent_seconds` the time since the last window with a value.
    Moving statistics are of the value, and of a counter of its rate. Memory: about 0.25 KB a series and horizon.
    """

    def __init__(self, params: WindowParams) -> None:
        self._capacity = 64
        self._open: dict[int, _Sums] = {}
        self._counters = CounterRates()
        self._horizons = Horizons(params.horizons_seconds, params.tick_seconds)
        self._silence = Silence(params.tick_seconds)

    def add(self, rows: SampleRows) -> None:
        """Take rows of open windows."""
        self._make_room(int(rows.series.max()) + 1)
        known = np.isfinite(rows.value)
        rows = rows if known.all() else rows.take(known)
        for window in np.unique(rows.window).tolist():
            part = rows.take(rows.window == window)
            sums = self._open.setdefault(window, _Sums(self._capacity))
            count_into(sums.count, part.series)
            fold_into(sums.total, part.series, part.value)
            if part.is_counter.any():
                counted = part.take(part.is_counter)
                self._counters.add(window, counted.series, counted.time_ns, counted.value)

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._capacity)
        if capacity > self._capacity:
            self._capacity = capacity
            for sums in self._open.values():
                sums.grow(capacity)

    def close(self, window: int, count: int) -> FloatArray:
        """Close the next window and give the features of the first `count` series, (k, count)."""
        self._make_room(count)
        sums = self._open.pop(window, None)
        value = np.full(count, np.nan)
        if sums is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                value = sums.total[:count] / sums.count[:count]
        rate = self._counters.close(window, count)
        followed = np.where(self._counters.is_counter[:count], rate, value)
        silent = self._silence.close(window, np.isfinite(value).astype(float))
        return np.concatenate([np.stack([value, rate, silent]), self._horizons.close(window, followed[None])])
