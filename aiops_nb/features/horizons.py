"""Moving statistics of features over several horizons: EMA, slope, mean and standard deviation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import FloatArray

STATISTICS = ("ema", "slope", "mean", "std")
MOST_PANES = 20
COUNT, MEAN, TIME_MEAN, SQUARES, TIME_SQUARES, PRODUCTS = range(6)
FEWEST_FOR_SLOPE = 3


def horizon_names(horizons_seconds: Sequence[float], stem: str = "", unit: str = "") -> tuple[str, ...]:
    """Names of the statistics of one feature, horizon by horizon.

    Examples
    --------
    >>> horizon_names([60.0])
    ('ema_60s', 'slope_60s', 'mean_60s', 'std_60s')
    >>> horizon_names([300.0], stem="rate_", unit="_hz")[:2]
    ('rate_ema_300s_hz', 'rate_slope_300s_hz_per_second')
    """
    units = {"slope": f"{unit}_per_second" if unit else ""}
    return tuple(
        f"{stem}{statistic}_{seconds:g}s{units.get(statistic, unit)}"
        for seconds in horizons_seconds
        for statistic in STATISTICS
    )


class Horizons:
    """Moving statistics of f features of n series, tick by tick; what is not finite is not known, and changes nothing.

    - `ema` moves towards each value by dt / (dt + horizon / 2), dt being the time since the value before: its values
      are as old on average as those of a mean over the horizon.
    - `mean` and `std` (of the population; from two values on) are of the known values within the horizon, which moves
      on in steps of a twentieth: it covers the last 95 to 100 % of it.
    - `slope` is that of the least-squares line, in the feature's unit a second. It is NaN until there are 3 values
      and they are spread over half of the horizon.

    Moments are merged, never subtracted (Chan, Golub, LeVeque 1983), so that a huge value leaves no trace once it is
    out of the horizon, and those of a constant are exact. Cost O(f n) a tick, memory 1.1 KB a feature, series and
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
    ...     told = horizons.close(window, np.array([[2.0 * window]]))
    >>> dict(zip(horizon_names([4.0]), told[:, 0].round(3).tolist()))
    {'ema_4s': 3.185, 'slope_4s': 2.0, 'mean_4s': 3.0, 'std_4s': 2.236}
    """

    def __init__(self, horizons_seconds: Sequence[float], tick_seconds: float, features: int = 1) -> None:
        self._panes = [_Panes(seconds, tick_seconds, features) for seconds in horizons_seconds]
        self._origin: int | None = None

    def close(self, window: int, values: FloatArray) -> FloatArray:
        """Take the (f, n) values of the next window; the statistics are (f * horizons * 4, n), as `horizon_names`.

        `window` rises from call to call; windows may be left out.
        """
        if self._origin is None:
            self._origin = window  # times stay small, and exact
        with np.errstate(all="ignore"):
            told = [panes.close(window, window - self._origin, values) for panes in self._panes]
        if not told:
            return np.empty((0, values.shape[1]))
        return np.stack(told, axis=1).reshape(len(values) * len(told) * len(STATISTICS), values.shape[1])


class _Panes:
    """One horizon, in panes of some ticks: moments (6, f, capacity) of each, of the closed ones, and of the open."""

    def __init__(self, horizon_seconds: float, tick_seconds: float, features: int) -> None:
        ticks = max(1, round(horizon_seconds / tick_seconds))
        self._pane_ticks = -(-ticks // MOST_PANES)
        self._tick_seconds, self._centre_ticks = tick_seconds, ticks / 2
        self._least_time_variance = (ticks / 2) ** 2 / 12  # of times spread evenly over half of the horizon
        self._ring = np.zeros((max(1, ticks // self._pane_ticks), 6, features, 64))
        self._closed, self._open = np.zeros((2, 6, features, 64))
        self._ema, self._ema_at = np.full((2, features, 64), np.nan)
        self._pane: int | None = None

    def close(self, window: int, at: int, values: FloatArray) -> FloatArray:
        count = values.shape[1]
        self._make_room(count)
        self._turn_to(window // self._pane_ticks, count)
        now = self._open[..., :count]
        now[:] = _merged(now, _single(values, at))
        ema = self._moved_ema(values, at)
        return np.stack([ema, *self._read(_merged(self._closed[..., :count], now))], axis=1)

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._ema.shape[-1])
        if capacity == self._ema.shape[-1]:
            return
        self._ring, self._closed, self._open = (widened(a, capacity) for a in (self._ring, self._closed, self._open))
        self._ema, self._ema_at = widened(self._ema, capacity, np.nan), widened(self._ema_at, capacity, np.nan)

    def _turn_to(self, pane: int, count: int) -> None:
        """Put the open pane into the ring, empty those that were passed over, and sum up what is left."""
        if pane == self._pane:
            return
        if self._pane is not None:
            self._ring[self._pane % len(self._ring)] = self._open
            passed = range(self._pane + 1, pane + 1)[-len(self._ring) :]
            self._ring[[one % len(self._ring) for one in passed]] = 0.0
        self._pane = pane
        self._open[:] = 0.0
        closed = np.zeros_like(self._closed[..., :count])
        for older in range(pane + 1, pane + len(self._ring)):
            closed = _merged(closed, self._ring[older % len(self._ring), ..., :count])
        self._closed[..., :count] = closed

    def _moved_ema(self, values: FloatArray, at: int) -> FloatArray:
        count = values.shape[1]
        ema, ema_at = self._ema[:, :count], self._ema_at[:, :count]
        known = np.isfinite(values)
        passed = at - ema_at
        moved = ema + passed / (passed + self._centre_ticks) * (values - ema)
        ema[:] = np.where(known, np.where(np.isnan(ema), values, moved), ema)
        ema_at[known] = at
        return ema.copy()

    def _read(self, moments: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        count, mean, _, squares, time_squares, products = moments
        enough = (count >= FEWEST_FOR_SLOPE) & (time_squares >= count * self._least_time_variance)
        slope = np.where(enough, products / time_squares / self._tick_seconds, np.nan)
        deviation = np.where(count >= 2, np.sqrt(squares / count), np.nan)
        return slope, np.where(count > 0, mean, np.nan), deviation


def _single(values: FloatArray, at: int) -> FloatArray:
    moments = np.zeros((6, *values.shape))
    known = np.isfinite(values)
    moments[COUNT] = known
    moments[MEAN] = np.where(known, values, 0.0)
    moments[TIME_MEAN] = np.where(known, float(at), 0.0)
    return moments


def _merged(a: FloatArray, b: FloatArray) -> FloatArray:
    """Moments of both together; of none of either, zeros."""
    count = a[COUNT] + b[COUNT]
    share = b[COUNT] / np.maximum(count, 1.0)
    weight = a[COUNT] * share
    apart, time_apart = b[MEAN] - a[MEAN], b[TIME_MEAN] - a[TIME_MEAN]
    both = a + b
    both[MEAN] = a[MEAN] + apart * share
    both[TIME_MEAN] = a[TIME_MEAN] + time_apart * share
    both[SQUARES] += apart * apart * weight
    both[TIME_SQUARES] += time_apart * time_apart * weight
    both[PRODUCTS] += apart * time_apart * weight
    return both
