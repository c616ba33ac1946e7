"""Estimators of vectors on one series: its last values as a vector, fitted to the past, again and again.

What is fitted never sees a value that it judges; vectors are in deviations of what it was fitted to, so that one
threshold can be meant for all series. Points that are not known are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

LAGS = 10
FIRST_FIT, REFIT, KEPT = 200, 1500, 3000  # vectors
Fitted = Callable[[np.ndarray], np.ndarray]
Fit = Callable[[np.ndarray], Fitted]


def windows(x: np.ndarray, lags: int) -> np.ndarray:
    """(n - lags + 1, lags): each value behind those before it."""
    return np.lib.stride_tricks.sliding_window_view(x, lags)


def blocks(count: int) -> Iterator[tuple[slice, slice]]:
    """What to fit to, and what to judge by it: more often while there is little."""
    at = FIRST_FIT
    while at < count:
        until = at + min(at, REFIT)
        yield slice(max(at - KEPT, 0), at), slice(at, until)
        at = until


def by_blocks(series: pd.Series, fit: Fit, lags: int = LAGS) -> np.ndarray:
    """Score of each value by what was fitted last; NaN until there is something."""
    known = np.flatnonzero(np.isfinite(series.to_numpy()))
    reported = np.full(len(series), np.nan)
    if len(known) < lags:
        return reported
    vectors = windows(series.to_numpy()[known], lags)
    scores = np.full(len(vectors), np.nan)
    for past, judged in blocks(len(vectors)):
        middle, scale = vectors[past].mean(), vectors[past].std()
        scale = scale or max(abs(middle), 1.0)  # a constant past
        scores[judged] = fit((vectors[past] - middle) / scale)((vectors[judged] - middle) / scale)
    reported[known[lags - 1 :]] = scores
    return reported
