"""The last known values of each of a growing number of series."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, FloatArray, IntArray


class Past(NamedTuple):
    """Known values of n series.

    Attributes
    ----------
    rows
        (n, window), NaN where there is none yet.
    known
        How many there have been since each series began, (n,).
    """

    rows: FloatArray
    known: IntArray

    def in_order(self) -> FloatArray:
        """The rows from the oldest value to the newest, (n, window); of full windows only."""
        window = self.rows.shape[1]
        return np.take_along_axis(self.rows, (self.known[:, None] + np.arange(window)) % window, axis=1)

    def quantiles(self, *ratios: float) -> list[FloatArray]:
        """Exact quantiles of each series, (n,) each, interpolated between the two nearest values."""
        ordered = np.sort(self.rows, axis=1)  # NaN comes last
        count = np.minimum(self.known, self.rows.shape[1])
        return [_quantile(ordered, count, ratio) for ratio in ratios]

    def deviation_from(self, centre: FloatArray) -> FloatArray:
        """Median absolute deviation from a centre, (n,)."""
        return Past(np.abs(self.rows - centre[:, None]), self.known).quantiles(0.5)[0]


def _quantile(ordered: FloatArray, count: IntArray, ratio: float) -> FloatArray:
    place = (count - 1) * ratio
    below = np.floor(place).astype(np.int64)
    series = np.arange(len(count))
    low, high = ordered[series, below], ordered[series, np.minimum(below + 1, count - 1)]
    return np.asarray(low + (high - low) * (place - below), np.float64)


class Window:
    """Ring of the last `size` known values of each series. Memory: 8 * size + 8 bytes a series.

    Each series has its own place in its ring, so that it does not matter when it appeared, or next to which others.

    Examples
    --------
    >>> window = Window(3)
    >>> window.learn(np.array([1.0, np.nan]), np.array([True, False]))
    >>> window.past(2).known.tolist()
    [1, 0]
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._rows = np.full((1, size), np.nan)
        self._known = np.zeros(1, np.int64)

    def past(self, count: int) -> Past:
        """What is known of the first `count` series."""
        self._make_room(count)
        return Past(self._rows[:count], self._known[:count])

    def learn(self, values: FloatArray, known: BoolArray) -> None:
        """Add one value to each series that has one."""
        self._make_room(len(values))
        series = np.flatnonzero(known)
        self._rows[series, self._known[series] % self.size] = values[series]
        self._known[series] += 1

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, len(self._known))
        if capacity > len(self._known):
            self._rows = widened(self._rows.T, capacity, np.nan).T.copy()
            self._known = widened(self._known, capacity)
