"""Bands as recording rules and scripts have them, without calibration: moving means, moving medians."""

from __future__ import annotations

import numpy as np
import pandas as pd


def rolling_z(series: pd.Series, points: int) -> np.ndarray:
    """Distance from the mean of the last values, in their standard deviation: `avg_over_time`, `stddev_over_time`."""
    past = series.rolling(points, min_periods=min(30, points)).agg(["mean", "std"]).shift(1)
    return distance(series, past["mean"], past["std"])


def robust_z(series: pd.Series, points: int = 300) -> np.ndarray:
    """Distance from the median of the last values, in median absolute deviations; no floor under the scale."""
    median = series.rolling(points, min_periods=30).median()
    deviation = (series - median).abs().rolling(points, min_periods=30).median()
    return distance(series, median.shift(1), deviation.shift(1) / 0.6745)


def distance(series: pd.Series, middle: pd.Series, scale: pd.Series) -> np.ndarray:
    """What is off where nothing ever was counts as very far; what is not off as not at all."""
    off = (series - middle).abs().to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(off > 0, np.minimum(off / scale.to_numpy(), 1e6), 0.0)
    return np.where(np.isfinite(off) & scale.notna().to_numpy(), far, np.nan)
