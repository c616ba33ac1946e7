"""Features of sampled metrics: the mean value in each window, and its moving mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, FloatArray, IntArray
from aiops_nb.features.tally import count_into, fold_into

SAMPLE_FEATURES = ("value", "ema")
EMA_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class SampleRows:
    """The columns that the features need, each (rows,); values may be NaN."""

    window: IntArray
    series: IntArray
    value: FloatArray

    def take(self, rows: IntArray | BoolArray | slice) -> SampleRows:
        """A part of the rows."""
        return SampleRows(self.window[rows], self.series[rows], self.value[rows])


class _Sums:
    __slots__ = ("count", "total")

    def __init__(self, capacity: int) -> None:
        self.count = np.zeros(capacity, np.int64)
        self.total = np.zeros(capacity)

    def grow(self, capacity: int) -> None:
        self.count, self.total = widened(self.count, capacity), widened(self.total, capacity)


class SampleFeatures:
    """Turns sampled values into the feature matrix of each closed window: `value` and `ema` (weight 0.2 a window)."""

    def __init__(self) -> None:
        self._capacity = 64
        self._open: dict[int, _Sums] = {}
        self._ema = np.full(self._capacity, np.nan)

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

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._capacity)
        if capacity > self._capacity:
            self._capacity = capacity
            self._ema = widened(self._ema, capacity, np.nan)
            for sums in self._open.values():
                sums.grow(capacity)

    def close(self, window: int, count: int) -> FloatArray:
        """Close the next window and give the features of the first `count` series, (2, count)."""
        self._make_room(count)
        sums = self._open.pop(window, None)
        value = np.full(count, np.nan)
        if sums is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                value = sums.total[:count] / sums.count[:count]
        ema = self._ema[:count]
        moved = np.where(np.isnan(ema), value, ema + EMA_WEIGHT * (value - ema))
        ema[:] = np.where(np.isnan(value), ema, moved)
        return np.stack([value, ema])
