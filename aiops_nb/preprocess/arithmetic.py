"""The arithmetic of the steps that look at a window of values: what becomes of each series' value.

Nothing here may depend on how many series there are. So sums along a window are left folds (`accumulate`): the order in
which numpy's `sum` adds depends on the shape of the whole array.
"""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.preprocess.params import (
    ClipMadParams,
    ClipQuantileParams,
    HampelParams,
    MovingMedianParams,
    SavitzkyGolayParams,
    ScaleParams,
)
from aiops_nb.preprocess.window import Past

MAD_PER_DEVIATION = 0.6745  # of a normal variable
COEFFICIENT_DECIMALS = 12


def hampel(params: HampelParams, values: FloatArray, past: Past) -> FloatArray:
    """The median of the past where the value is noise (Hampel 1974), else the value."""
    median, limit = _centre_and_limit(params, past)
    noise = (np.abs(values - median) > limit) & (limit > 0)
    return np.where(noise, median, values)


def clip_mad(params: ClipMadParams, values: FloatArray, past: Past) -> FloatArray:
    """The value, at most so far from the median of the past."""
    median, limit = _centre_and_limit(params, past)
    return np.where(limit > 0, np.clip(values, median - limit, median + limit), values)


def _centre_and_limit(params: HampelParams | ClipMadParams, past: Past) -> tuple[FloatArray, FloatArray]:
    median = past.quantiles(0.5)[0]
    floor = np.maximum(params.min_deviation, params.min_deviation_ratio * np.abs(median))
    deviation = np.maximum(past.deviation_from(median) / MAD_PER_DEVIATION, floor)
    return median, params.deviations * deviation


def clip_quantile(params: ClipQuantileParams, values: FloatArray, past: Past) -> FloatArray:
    """The value, between two quantiles of the past."""
    lower, upper = past.quantiles(params.lower_quantile, params.upper_quantile)
    return np.where(upper > lower, np.clip(values, lower, upper), values)


def moving_median(params: MovingMedianParams, values: FloatArray, past: Past) -> FloatArray:
    """The median of a window that holds the value already."""
    return past.quantiles(0.5)[0]


def savitzky_golay(coefficients: FloatArray, values: FloatArray, past: Past) -> FloatArray:
    """The fitted polynomial at the newest value, of a full window that holds it already."""
    # Distances from the newest value, so that a constant series stays what it is, to the bit.
    return values + _total((past.in_order() - values[:, None]) * coefficients)


def end_coefficients(params: SavitzkyGolayParams) -> FloatArray:
    """Weights, oldest first, that give the least-squares polynomial's value at the last of evenly spaced points.

    Examples
    --------
    >>> (end_coefficients(SavitzkyGolayParams(window_values=3, degree=1)) * 6).round(9).tolist()
    [-1.0, 2.0, 5.0]
    """
    places = np.linspace(-1.0, 0.0, params.window_values)
    fit = np.linalg.pinv(np.vander(places, params.degree + 1, increasing=True))
    # Linear algebra differs in the last bits between machines; a recording must replay the same on all of them.
    coefficients: FloatArray = np.round(fit[0], COEFFICIENT_DECIMALS)
    return coefficients


def scale(params: ScaleParams, values: FloatArray, past: Past) -> FloatArray:
    """Distance from the past's centre in the past's spreads."""
    centre, spread = _centre_and_spread(params, past)
    spread = np.maximum(spread, params.min_spread)
    distance = values - centre
    return np.where(distance == 0, 0.0, np.where(spread > 0, distance / spread, np.nan))


def _centre_and_spread(params: ScaleParams, past: Past) -> tuple[FloatArray, FloatArray]:
    if params.method == "standard":
        return _moments(past)
    if params.method == "robust":
        median, low, high = past.quantiles(0.5, 0.25, 0.75)
        return median, high - low
    low, high = past.quantiles(0.0, 1.0)
    return low, high - low


def _moments(past: Past) -> tuple[FloatArray, FloatArray]:
    count = np.minimum(past.known, past.rows.shape[1])
    first = past.rows[:, 0]  # distances from it: those of a constant series are exactly 0
    empty = np.isnan(past.rows)
    distances = np.where(empty, 0.0, past.rows - first[:, None])
    mean = _total(distances) / count
    squares = np.where(empty, 0.0, (distances - mean[:, None]) ** 2)
    return first + mean, np.sqrt(_total(squares) / count)


def _total(rows: FloatArray) -> FloatArray:
    total: FloatArray = np.add.accumulate(rows, axis=1)[:, -1]
    return total
