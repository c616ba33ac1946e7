"""Moving statistics of features over horizons longer than a window: exponential mean, slope, mean, deviation.

By hand: pandas and bottleneck keep every value of the horizon, and their sums depend on how rows are grouped.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.growing import capacity_near, parts_of, widened
from aiops_nb.core.types import FloatArray, IntArray

STATISTICS = ("ema", "slope", "mean", "std")
MOST_BLOCKS = 10
FEWEST_FOR_SLOPE = 3
WIDEST = 2**63  # of what numpy counts with


def horizon_names(horizons_seconds: Sequence[float], features: Sequence[str] = ("",)) -> tuple[str, ...]:
    """Names of the statistics: horizon by horizon, statistic by statistic, feature by feature.

    The one feature of a table that has only one goes without saying.

    Examples
    --------
    >>> horizon_names([60.0])
    ('ema_60s', 'slope_60s', 'mean_60s', 'std_60s')
    >>> horizon_names([300.0], ["rate_hz", "error_ratio"])[:3]
    ('rate_hz_ema_300s', 'error_ratio_ema_300s', 'rate_hz_slope_300s')
    """
    return tuple(
        f"{feature}_{statistic}_{seconds:g}s" if feature else f"{statistic}_{seconds:g}s"
        for seconds in horizons_seconds
        for statistic in STATISTICS
        for feature in features
    )


class Horizons:
    """Moving statistics of f features of n series, tick by tick; what is not finite is not known, and changes nothing.

    A horizon moves on by blocks of a tenth: it covers the last 90 to 100 % of what is said (a little less where ten
    does not divide its ticks). Where it holds no known value, all are NaN.

    - `ema` moves towards each value by dt / (dt + horizon / 2), dt being the time since the value before: its values
      are as old on average as those of a mean over the horizon.
    - `mean` and `std` (of the population; from two values on) are of the known values.
    - `slope` is that of the least-squares line through the means of the blocks, in the feature's unit a second. It is
      NaN until there are 3 values and they are spread over half of the horizon.

    Moments are merged, never subtracted (Chan, Golub, LeVeque 1983), so that a huge value leaves no trace once it is
    out of the horizon, and those of a constant are exact. Cost O(f n) a tick; memory 0.25 KB a feature, series and
    horizon.

    Parameters
    ----------
    horizons_seconds
        Each > 0; one below a tick counts as a tick.
    tick_seconds
        Width of a window.
    features
        How many features there are in `values`.

    Examples
    --------
    >>> horizons = Horizons([4.0], tick_seconds=1.0)
    >>> for window in range(4):
    ...     statistics = horizons.close(window, np.array([[2.0 * window]]))
    >>> dict(zip(horizon_names([4.0]), statistics[:, 0].round(3).tolist()))
    {'ema_4s': 3.185, 'slope_4s': 2.0, 'mean_4s': 3.0, 'std_4s': 2.236}
    """

    def __init__(self, horizons_seconds: Sequence[float], tick_seconds: float, features: int = 1) -> None:
        self._seconds, self._tick_seconds, self._features = tuple(horizons_seconds), tick_seconds, features
        self._parts: list[tuple[_Horizon, ...]] = []

    def close(self, window: int, values: FloatArray) -> FloatArray:
        """Take the (f, n) values of the next window; the statistics are (horizons * 4 * f, n), as `horizon_names`.

        `window` rises from call to call; windows may be left out.
        """
        features, series = values.shape
        table = np.empty((features * (1 + len(self._seconds) * len(STATISTICS)), series))
        table[:features] = values
        self.write(window, table, np.arange(features), features)
        return table[features:]

    def write(self, window: int, table: FloatArray, rows: IntArray, into: int) -> None:
        """Take the features in these `rows` of a table (k, n), and write their statistics from its row `into` on."""
        height = len(STATISTICS) * self._features
        with np.errstate(all="ignore"):
            for number, part in enumerate(parts_of(table.shape[1])):
                for place, horizon in enumerate(self._part(number)):
                    first = into + place * height
                    if kernel.compiled is not None:
                        horizon.close_compiled(kernel.compiled, window, table, rows, part, first)
                        continue
                    statistics = table[first : first + height, part].reshape(len(STATISTICS), self._features, -1)
                    horizon.close(window, table[rows, part], statistics)

    def write_windows(self, window: int, tables: FloatArray, rows: IntArray, into: int) -> None:
        """The same of windows in a row, (windows, k, n), by the compiled kernel."""
        height = len(STATISTICS) * self._features
        for number, part in enumerate(parts_of(tables.shape[2])):
            for place, horizon in enumerate(self._part(number)):
                horizon.close_windows(window, tables, rows, part, into + place * height)

    def carry_on(self, means: FloatArray, windows: FloatArray) -> None:
        """Set the exponential means, (horizons, f, n), and the windows they are of; NaN where there is none yet."""
        for number, part in enumerate(parts_of(means.shape[2])):
            for horizon, mean, window in zip(self._part(number), means[..., part], windows[..., part], strict=True):
                horizon.carry_on(mean, window)

    def _part(self, number: int) -> tuple[_Horizon, ...]:
        """The horizons of one part of the series: more series make more parts, and copy only the last one."""
        if number == len(self._parts):
            self._parts.append(tuple(_Horizon(one, self._tick_seconds, self._features) for one in self._seconds))
        return self._parts[number]


class _Block(NamedTuple):
    """Moments of one block, each (f, n); its values are placed at the mean of their times."""

    known: FloatArray
    mean: FloatArray
    time: FloatArray
    squares: FloatArray


class _Moments(NamedTuple):
    """Moments of several blocks, each (f, n); times are in ticks since the beginning of the newest block."""

    known: FloatArray
    mean: FloatArray
    time: FloatArray
    squares: FloatArray
    time_squares: FloatArray
    products: FloatArray

    def with_block(self, block: _Block) -> _Moments:
        """Moments of both together; of none of either, zeros."""
        known = self.known + block.known
        share = block.known / np.maximum(known, 1.0)
        weight = self.known * share
        apart, time_apart = block.mean - self.mean, block.time - self.time
        pull, time_pull = apart * weight, time_apart * weight  # first, or 0 times an overflow would be NaN
        return _Moments(
            known,
            self.mean + apart * share,
            self.time + time_apart * share,
            self.squares + block.squares + apart * pull,
            self.time_squares + time_apart * time_pull,
            self.products + time_apart * pull,
        )


class _Horizon:
    """A ring of blocks of some ticks, each (f, capacity), of which the newest is open; and the sum of the others."""

    def __init__(self, horizon_seconds: float, tick_seconds: float, features: int) -> None:
        ticks = max(1, round(horizon_seconds / tick_seconds))
        self._block_ticks = -(-ticks // MOST_BLOCKS)
        self._tick_seconds, self._half_ticks = tick_seconds, ticks / 2
        self._least_time_variance = self._half_ticks**2 / 12  # of times spread evenly over half of the horizon
        self._capacity = 64
        ring = ticks // self._block_ticks, features, self._capacity
        self._count = np.zeros(ring, np.min_scalar_type(min(self._block_ticks, WIDEST)))
        self._times = np.zeros(ring, np.min_scalar_type(min(self._block_ticks**2, WIDEST)))
        self._mean, self._squares = np.zeros(ring), np.zeros(ring)
        self._closed = np.zeros((len(_Moments._fields), *ring[1:]))
        self._ema, self._ema_at = np.full((2, *ring[1:]), np.nan)
        self._block: int | None = None

    def close(self, window: int, values: FloatArray, statistics: FloatArray) -> None:
        """Write the statistics into `statistics` (4, f, n), in the order of `STATISTICS`."""
        count = values.shape[1]
        self._make_room(count)
        self._turn_to(window // self._block_ticks, count)
        self._learn(window % self._block_ticks, values)
        self._move_ema(window, values)
        self._write_statistics(count, statistics)

    def carry_on(self, mean: FloatArray, window: FloatArray) -> None:
        """Set the exponential means, (f, n), and the windows they are of."""
        self._make_room(mean.shape[1])
        self._ema[:, : mean.shape[1]], self._ema_at[:, : mean.shape[1]] = mean, window

    def close_compiled(
        self, compiled: ModuleType, window: int, table: FloatArray, rows: IntArray, part: slice, into: int
    ) -> None:
        """The same by the kernel, of a part of the series of a table."""
        count = part.stop - part.start
        self._make_room(count)
        block = window // self._block_ticks
        if block != self._block:
            self._empty_until(block)
            compiled.turn_horizon(self._state, block, count)
        limits = self._half_ticks, self._least_time_variance, self._tick_seconds
        compiled.close_horizon(self._state, block, window, *limits, table, rows, part.start, count, into)

    def close_windows(self, window: int, tables: FloatArray, rows: IntArray, part: slice, into: int) -> None:
        """The same of windows in a row."""
        assert kernel.compiled is not None
        count, block = part.stop - part.start, window // self._block_ticks
        self._make_room(count)
        if block != self._block:
            self._empty_until(block)
            kernel.compiled.turn_horizon(self._state, block, count)
        limits = self._half_ticks, self._least_time_variance, self._tick_seconds
        kernel.compiled.close_horizon_windows(self._state, window, *limits, tables, rows, part.start, count, into)
        self._block = (window + len(tables) - 1) // self._block_ticks

    @property
    def _state(self) -> tuple[Any, ...]:
        moments = self._mean, self._squares, self._closed, self._ema, self._ema_at
        return self._count, self._times, *moments, self._block_ticks

    def _make_room(self, count: int) -> None:
        capacity = capacity_near(count, self._capacity)
        if capacity == self._capacity:
            return
        self._capacity = capacity
        self._count, self._times = widened(self._count, capacity), widened(self._times, capacity)
        self._mean, self._squares = widened(self._mean, capacity), widened(self._squares, capacity)
        self._closed = widened(self._closed, capacity)
        self._ema, self._ema_at = widened(self._ema, capacity, np.nan), widened(self._ema_at, capacity, np.nan)

    def _turn_to(self, block: int, count: int) -> None:
        """Empty the blocks that were passed over, and sum up what is left."""
        if block == self._block:
            return
        self._empty_until(block)
        most = len(self._count)
        closed = _Moments(*np.zeros_like(self._closed[..., :count]))
        for age in range(most - 1, 0, -1):
            closed = closed.with_block(self._block_of(age, count))
        self._closed[..., :count] = np.stack(closed)

    def _empty_until(self, block: int) -> None:
        most = len(self._count)
        first = block if self._block is None else self._block + 1
        for passed in range(max(first, block - most + 1), block + 1):
            for ring in (self._count, self._times, self._mean, self._squares):
                ring[passed % most] = 0
        self._block = block

    def _block_of(self, age: int, series: int) -> _Block:
        assert self._block is not None
        place = (self._block - age) % len(self._count), slice(None), slice(series)
        count = self._count[place].astype(np.float64)
        time = self._times[place] / np.maximum(count, 1.0) - age * self._block_ticks
        return _Block(count, self._mean[place], time, self._squares[place])

    def _learn(self, at: int, values: FloatArray) -> None:
        assert self._block is not None
        place = self._block % len(self._count), slice(None), slice(values.shape[1])
        known = np.isfinite(values)
        count, mean = self._count[place], self._mean[place]
        count += known
        self._times[place] += known * self._times.dtype.type(at)
        apart = np.where(known, values - mean, 0.0)
        mean += apart / np.maximum(count, 1)
        self._squares[place] += apart * np.where(known, values - mean, 0.0)

    def _move_ema(self, window: int, values: FloatArray) -> None:
        ema, ema_at = self._ema[:, : values.shape[1]], self._ema_at[:, : values.shape[1]]
        passed = window - ema_at
        moved = ema + passed / (passed + self._half_ticks) * (values - ema)
        known = np.isfinite(values)
        np.copyto(ema, np.where(np.isnan(ema), values, moved), where=known)
        np.copyto(ema_at, window, where=known)

    def _write_statistics(self, series: int, statistics: FloatArray) -> None:
        now = _Moments(*self._closed[..., :series]).with_block(self._block_of(0, series))
        any_known, several = now.known > 0, now.known >= 2
        spread = (now.known >= FEWEST_FOR_SLOPE) & (now.time_squares >= now.known * self._least_time_variance)
        statistics[0] = np.where(any_known, self._ema[:, :series], np.nan)
        statistics[1] = np.where(spread, now.products / now.time_squares / self._tick_seconds, np.nan)
        statistics[2] = np.where(any_known, now.mean, np.nan)
        statistics[3] = np.where(several, np.sqrt(now.squares / now.known), np.nan)
