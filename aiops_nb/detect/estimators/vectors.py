"""Vectors of features that show both far out now and slightly off for a while, each in deviations of its own series."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import BoolArray, FloatArray, IntArray

LEVEL_POINTS = 60
RECENT_RATE = 0.2  # about the last five values


class RecentVectors:
    """Two columns for each of `width` features of n series: the value, and how the last values lie off their level.

    The level is a running mean of 60 values, and the last values are a running mean of about five. 48 bytes a series
    and feature.

    Examples
    --------
    >>> vectors, every = RecentVectors(1), np.array([True])
    >>> for value in [9.0, 11.0] * 30 + [12.0] * 5:
    ...     seen = vectors.of(np.array([[value]]))
    ...     vectors.learn(np.array([[value]]), every, every)
    >>> seen.round(1).tolist()
    [[1.7, 7.5]]
    """

    def __init__(self, width: int) -> None:
        self._level, self._recent = np.zeros((width, 16)), np.zeros((width, 16))
        self._seen = np.zeros(16, np.int64)
        self._scale = SeriesNormalisation(2 * width)

    def of(self, values: FloatArray) -> FloatArray:
        """(k, n) values as (n, 2 k) numbers: first the values, then the last values off their level; NaN: not known."""
        return self._scale.vectors(self._columns(values))

    def known(self, series: IntArray) -> IntArray:
        """Those of the series whose scale is known."""
        return self._scale.known(series)

    def learn(self, values: FloatArray, known: BoolArray, normal: BoolArray) -> None:
        """Update the last values of the series in `known` (n,), and the level and scale of those in `normal`."""
        columns, series = self._columns(values), np.flatnonzero(normal)
        self._scale.learn(columns, series)
        width, followed = len(values), np.flatnonzero(known)
        self._recent[:, followed] = columns[width:, followed]
        first = series[self._seen[series] == 0]
        self._level[:, first] = values[:, first]
        rate = 1.0 / (1.0 + np.minimum(self._seen[series], LEVEL_POINTS))
        self._level[:, series] += rate * (values[:, series] - self._level[:, series])
        self._seen[series] += 1

    @np.errstate(over="ignore", invalid="ignore")  # of infinities, which are not known, and the largest floats
    def _columns(self, values: FloatArray) -> FloatArray:
        count = values.shape[1]
        self._make_room(count)
        off = np.where(self._seen[:count] > 0, values - self._level[:, :count], 0.0 * values)
        recent = self._recent[:, :count]
        return np.concatenate([values, recent + RECENT_RATE * (off - recent)])

    def _make_room(self, count: int) -> None:
        capacity = capacity_near(count, len(self._seen))
        if capacity > len(self._seen):
            self._seen = widened(self._seen, capacity)
            self._level, self._recent = widened(self._level, capacity), widened(self._recent, capacity)


FARTHEST = 20.0
FIRST_POINTS = 10  # of a series, which set its scale only
MEMORY_POINTS = 500


class SeriesNormalisation:
    """Running mean and mean deviation of `width` features of n series. 16 bytes a series and feature."""

    def __init__(self, width: int) -> None:
        self._seen = np.zeros(16, np.int64)
        self._mean, self._deviation = np.zeros((width, 16)), np.zeros((width, 16))

    def vectors(self, values: FloatArray) -> FloatArray:
        """(k, n) values as (n, k) deviations from their series' mean, at most FARTHEST; NaN where not known."""
        count = values.shape[1]
        self._make_room(count)
        floor = 1e-9 * np.abs(values) + 1e-300
        with np.errstate(over="ignore", invalid="ignore"):  # of infinities, which are not known, and the largest floats
            far = (values - self._mean[:, :count]) / (self._deviation[:, :count] + floor)
        return np.clip(np.where(np.isfinite(values), far, np.nan), -FARTHEST, FARTHEST).T

    def known(self, series: IntArray) -> IntArray:
        """Those of the series whose scale is known."""
        return series[self._seen[series] > FIRST_POINTS]

    def learn(self, values: FloatArray, series: IntArray) -> None:
        """Move on by the (k, n) values of these series."""
        rate = 1.0 / (1.0 + np.minimum(self._seen[series], MEMORY_POINTS))
        fresh = self._seen[series] == 0
        self._mean[:, series] = np.where(fresh, values[:, series], self._mean[:, series])
        off = values[:, series] - self._mean[:, series]
        self._mean[:, series] += rate * off
        self._deviation[:, series] += rate * (np.abs(off) - self._deviation[:, series])
        self._seen[series] += 1

    def _make_room(self, count: int) -> None:
        capacity = capacity_near(count, len(self._seen))
        if capacity > len(self._seen):
            self._seen = widened(self._seen, capacity)
            self._mean, self._deviation = widened(self._mean, capacity), widened(self._deviation, capacity)
