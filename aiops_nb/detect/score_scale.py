"""Raw scores (-log10 of a tail probability) as scores from 0 to 100, and the threshold for a rate of false alarms."""

from __future__ import annotations

from math import log10

import numpy as np
from msgspec import Struct

from aiops_nb.core.types import FloatArray, Scores
from aiops_nb.detect.kernel import StreamParams, Verdict

HALF_WAY = 3.0
LARGEST_SERIES = 3
DAY_SECONDS = 86400.0


def score_of(raw_score: FloatArray) -> FloatArray:
    """0 is normal; 50 as rare as one in a thousand of the series' own past; 100 is never reached.

    Examples
    --------
    >>> import numpy as np
    >>> score_of(np.array([0.0, 1.0, 3.0, 6.0, np.nan])).round(1).tolist()
    [0.0, 25.0, 50.0, 66.7, nan]
    """
    return 100.0 * raw_score / (raw_score + HALF_WAY)


def as_scores(params: StreamParams, value: FloatArray, verdict: Verdict) -> Scores:
    """A kernel's verdicts as scores from 0 to 100, on the side and beyond the deviation that matter."""
    raw_score, expected, half_band = verdict
    distance = value - expected
    is_normal = np.abs(distance) <= params.min_deviation if params.min_deviation else np.zeros(len(value), np.bool_)
    if params.direction != "both":
        is_normal = is_normal | (distance < 0 if params.direction == "above" else distance > 0)
    warm = ~np.isnan(raw_score)
    score = score_of(np.where(is_normal & warm, 0.0, raw_score))
    expected = np.where(warm, expected, np.nan)
    half_band = np.maximum(half_band, params.min_deviation)
    with np.errstate(over="ignore"):  # the band of the largest floats is infinite
        lower, upper = expected - half_band, expected + half_band
    unbounded = np.full(len(value), np.nan)
    return Scores(
        score=score,
        expected=expected,
        lower=unbounded if params.direction == "above" else lower,
        upper=unbounded if params.direction == "below" else upper,
    )


def fused(raw_score: FloatArray) -> FloatArray:
    """(n,) of the (k, n) raw scores of k series: the mean of the three largest; NaN where none is known.

    The best of six fusions on labelled services: most metrics say nothing of an incident, and few say it together.

    Examples
    --------
    >>> import numpy as np
    >>> fused(np.array([[1.0, np.nan], [3.0, np.nan], [2.0, np.nan], [0.0, np.nan]])).tolist()
    [2.0, nan]
    """
    known = ~np.isnan(raw_score)
    largest = -np.sort(np.where(known, -raw_score, np.inf), axis=0)[:LARGEST_SERIES]
    count = np.minimum(known.sum(axis=0), LARGEST_SERIES)
    total = np.where(np.isinf(largest), 0.0, largest).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def fused_score(score: FloatArray) -> float:
    """One score of the (k,) scores of k series at one moment, see `fused`; 0.0 if none is known.

    Examples
    --------
    >>> import numpy as np
    >>> fused_score(np.array([50.0, np.nan])), fused_score(np.array([np.nan]))
    (50.0, 0.0)
    """
    whole = fused((HALF_WAY * score / (100.0 - score)).reshape(-1, 1))
    return float(np.nan_to_num(score_of(whole)[0]))


class AlarmLine(Struct, frozen=True, kw_only=True):
    """Raw score that healthy series exceed at a given rate: `offset + slope * log10(points to a false alarm)`."""

    slope: float
    offset: float

    def threshold(self, false_alarms_per_day: float, interval_seconds: float) -> float:
        """The score from which on an alarm is expected to be false so many times a day.

        Examples
        --------
        >>> AlarmLine(slope=0.83, offset=-0.8).threshold(0.5, interval_seconds=300) > 30
        True
        """
        points = DAY_SECONDS / interval_seconds / false_alarms_per_day
        raw_score = max(self.offset + self.slope * log10(points), 0.1)
        return 100.0 * raw_score / (raw_score + HALF_WAY)
