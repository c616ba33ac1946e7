"""Trend of features over a horizon longer than the span: moving mean and deviation, slope, exponential mean."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, FloatArray

BLOCKS = 10
TREND_STATS = ("ema", "slope", "mean", "std")


def trend_names(features: tuple[str, ...], horizon_seconds: float) -> tuple[str, ...]:
    """Names of the trends of features over one horizon, by statistic.

    Examples
    --------
    >>> trend_names(("rate_hz",), 300.0)
    ('rate_hz_ema_300s', 'rate_hz_slope_300s', 'rate_hz_mean_300s', 'rate_hz_std_300s')
    """
    return tuple(f"{feature}_{stat}_{horizon_seconds:g}s" for stat in TREND_STATS for feature in features)


class Horizon:
    """Trends of k features of n series over about `seconds`, one value a window.

    The horizon is kept as ten blocks of windows and moves on by a block, so it is up to a tenth longer than said.
    The slope is the least-squares line through the means of the blocks, in the feature's unit per second; the
    exponential mean has weight 2 / (windows + 1). Unknown values are left out; what has none is NaN, and so are the
    slope within the first block and the deviation of one value. Memory: 1 KB a series for four features. Cost O(n k) a
    window.

    Parameters
    ----------
    features
        How many, k.
    seconds
        Length of the horizon, at least ten windows.
    tick_seconds
        Length of a window.
    """

    def __init__(self, features: int, seconds: float, tick_seconds: float) -> None:
        ticks = max(round(seconds / tick_seconds), BLOCKS)
        self._weight = 2.0 / (ticks + 1)
        self._block_ticks, self._tick_seconds = -(-ticks // BLOCKS), tick_seconds
        self._block = -1
        self._capacity = 64
        shape = features, self._capacity
        self._ema, self._centre = np.full(shape, np.nan), np.full(shape, np.nan)
        self._sums = np.zeros((len(_SUMS), *shape))
        self._count = np.zeros((BLOCKS, *shape), np.uint16)
        self._ticks = np.zeros((BLOCKS, *shape), np.uint32)
        self._total, self._squares = np.zeros((BLOCKS, *shape)), np.zeros((BLOCKS, *shape))

    def move(self, window: int, values: FloatArray) -> FloatArray:
        """Take in the values of a closed window, (k, n); gives the trends, (4 k, n), as `trend_names` orders them."""
        count = values.shape[1]
        self._make_room(count)
        if window // self._block_ticks != self._block:
            self._begin_block(window // self._block_ticks)
        known = ~np.isnan(values)
        centre, ema = self._centre[:, :count], self._ema[:, :count]
        begun = known & np.isnan(ema)
        if begun.any():
            np.copyto(centre, values, where=begun)
            np.copyto(ema, values, where=begun)
        self._learn(window, np.where(known, values - centre, 0.0), known)
        np.copyto(ema, ema + self._weight * (values - ema), where=known)
        return self._trends(count)

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._capacity)
        if capacity == self._capacity:
            return
        self._capacity = capacity
        self._ema, self._centre = widened(self._ema, capacity, np.nan), widened(self._centre, capacity, np.nan)
        self._count, self._ticks = widened(self._count, capacity), widened(self._ticks, capacity)
        self._total, self._squares = widened(self._total, capacity), widened(self._squares, capacity)
        self._sums = widened(self._sums, capacity)

    def _begin_block(self, block: int) -> None:
        """Forget the blocks that leave, and sum the whole ones, with times from the beginning of this one."""
        first = self._block + 1 if self._block >= 0 else block
        for gone in range(max(first, block - BLOCKS + 1), block + 1):
            for ring in (self._count, self._ticks, self._total, self._squares):
                ring[gone % BLOCKS] = 0
        self._block = block
        self._sums[:] = 0
        for age in range(1, BLOCKS):
            place = (block - age) % BLOCKS
            n = self._count[place].astype(np.float64)
            ticks = self._ticks[place] - n * (age * self._block_ticks)
            for whole, part in zip(
                self._sums, _moments(n, ticks, self._total[place], self._squares[place]), strict=True
            ):
                whole += part

    def _learn(self, window: int, centred: FloatArray, known: BoolArray) -> None:
        place, count = self._block % BLOCKS, known.shape[1]
        self._count[place, :, :count] += known
        self._ticks[place, :, :count] += np.where(known, np.uint32(window % self._block_ticks), np.uint32(0))
        self._total[place, :, :count] += centred
        self._squares[place, :, :count] += centred * centred

    def _trends(self, count: int) -> FloatArray:
        place = self._block % BLOCKS, slice(None), slice(count)
        now = self._count[place].astype(np.float64), self._ticks[place].astype(np.float64)
        block = _moments(*now, self._total[place], self._squares[place])
        n, t, v, vv, tt, tv = (whole + part for whole, part in zip(self._sums[:, :, :count], block, strict=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean, middle = v / n, t / n
            spread = tt - t * middle
            slope = (tv - v * middle) / spread / self._tick_seconds
            deviation = np.sqrt(np.maximum(vv / n - mean * mean, 0))
        slope[~(spread > 0)] = np.nan
        deviation[n < 2] = np.nan
        ema = np.where(n > 0, self._ema[:, :count], np.nan)
        return np.concatenate([ema, slope, self._centre[:, :count] + mean, deviation])


_SUMS = ("values", "times", "total", "squares", "times squared", "times by total")


def _moments(n: FloatArray, ticks: FloatArray, total: FloatArray, squares: FloatArray) -> tuple[FloatArray, ...]:
    """What a block adds to each of `_SUMS`: its values stand at their mean, at the mean of their times."""
    middle = ticks / np.maximum(n, 1)
    return n, ticks, total, squares, ticks * middle, total * middle
