"""Vectors of features, each in deviations of its own series, so that series of any scale compare."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import FloatArray, IntArray

FARTHEST = 20.0
FIRST_POINTS = 10  # of a series, which tell its scale only
MEMORY_POINTS = 500


class OwnScale:
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
