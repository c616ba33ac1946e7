"""What each feature of each series normally is."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import BoolArray, FloatArray, IntArray

MEMORY_POINTS = 500


class BaselineValues:
    """Running means of the known values of k features of n series; NaN before the first. 16 bytes a series and feature.

    Examples
    --------
    >>> baseline = BaselineValues()
    >>> for value in (1.0, 3.0):
    ...     baseline.learn(np.array([[value], [np.nan]]), np.array([True]))
    >>> baseline.of(2, 1).tolist()
    [[2.0], [nan]]
    """

    def __init__(self) -> None:
        self._mean, self._seen = np.empty((0, 0)), np.empty((0, 0))

    def of(self, features: int, count: int) -> FloatArray:
        """(features, count)."""
        self._make_room(features, count)
        return self._mean[:, :count]

    def learn(self, values: FloatArray, rows: BoolArray) -> None:
        """Move on by what is known of the (k, n) values of the series in `rows`."""
        mean = self.of(*values.shape)
        seen = self._seen[:, : values.shape[1]]
        known = np.isfinite(values) & rows
        start = np.where(seen == 0, values, mean)
        with np.errstate(over="ignore", invalid="ignore"):
            np.copyto(mean, start + (values - start) / (1.0 + np.minimum(seen, MEMORY_POINTS)), where=known)
        seen += known

    def _make_room(self, features: int, count: int) -> None:
        if not len(self._mean):
            self._mean, self._seen = np.full((features, 16), np.nan), np.zeros((features, 16))
        capacity = capacity_near(count, self._mean.shape[1])
        if capacity > self._mean.shape[1]:
            self._mean, self._seen = widened(self._mean, capacity, np.nan), widened(self._seen, capacity)


def shares_of(gone: FloatArray, series: IntArray, count: int) -> FloatArray:
    """(k, count) shares that sum to 1 of the m `series`, given how much is gone (k, m) without each; NaN of the others.

    Where nothing is gone whichever is left out, all have the same share.

    Examples
    --------
    >>> shares_of(np.array([[3.0, 0.0], [1.0, 0.0]]), np.array([0, 2]), 3).tolist()
    [[0.75, nan, 0.5], [0.25, nan, 0.5]]
    """
    shares, total = np.full((len(gone), count), np.nan), gone.sum(axis=0)
    shares[:, series] = np.where(total > 0, gone / np.where(total > 0, total, 1.0), 1.0 / len(gone))
    return shares
