"""Raw scores (-log10 of a tail probability) as scores from 0 to 100, and the threshold for a rate of false alarms."""

from __future__ import annotations

from math import log10

import numpy as np
from msgspec import Struct

from aiops_nb.core.types import BoolArray, FloatArray, Scores
from aiops_nb.detect.kernel import StreamParams, Verdict

HALF_WAY = 3.0
ROUNDING = 1e-9
LARGEST_SERIES = 3
LEAST_POINTS, MOST_POINTS = 500, 864_000  # to a false alarm, for which thresholds are calibrated
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
    expected = np.where(np.abs(expected) < ROUNDING * half_band, 0.0, expected)  # what is left of a mean that decayed
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
    """Raw score that healthy series exceed at a given rate: `offset + slope * log10(points to a false alarm)`.

    Fitted to one alarm in 648 to one in 25,920 points, and tested to one in 864,000. Below one in 500 the line is no
    longer one: for a higher rate the threshold of one in 500 is taken.
    """

    slope: float
    offset: float

    def threshold(self, false_alarms_per_day: float, interval_seconds: float) -> float:
        """The score from which on an alarm is expected to be false so many times a day.

        Examples
        --------
        >>> AlarmLine(slope=0.83, offset=-0.8).threshold(0.5, interval_seconds=300) > 30
        True
        """
        points = max(points_to_an_alarm(false_alarms_per_day, interval_seconds), LEAST_POINTS)
        raw_score = max(self.offset + self.slope * log10(points), 0.1)
        return 100.0 * raw_score / (raw_score + HALF_WAY)


def points_to_an_alarm(false_alarms_per_day: float, interval_seconds: float) -> float:
    """How many values there are to one false alarm.

    Examples
    --------
    >>> points_to_an_alarm(0.5, interval_seconds=3600)
    48.0
    """
    return DAY_SECONDS / interval_seconds / false_alarms_per_day


def rate_warning(false_alarms_per_day: float, interval_seconds: float) -> str:
    """Why a rate of false alarms cannot be kept, in a sentence; empty if it can.

    Examples
    --------
    >>> rate_warning(0.5, interval_seconds=60)
    ''
    >>> rate_warning(0.5, interval_seconds=3600).split("; ")[0]
    'false_alarms_per_day: 0.5 a day is one in 48 values 3600 s apart'
    """
    points = points_to_an_alarm(false_alarms_per_day, interval_seconds)
    asked = f"{false_alarms_per_day:g} a day is one in {points:,.0f} values {interval_seconds:g} s apart"
    known = f"thresholds are calibrated for one in {LEAST_POINTS:,} to one in {MOST_POINTS:,}"
    if points < LEAST_POINTS:
        expected = points_to_an_alarm(1.0, interval_seconds) / LEAST_POINTS
        used = f"The threshold of one in {LEAST_POINTS:,} is used: expect about {expected:.2g} a day"
        return f"false_alarms_per_day: {asked}; {known}. {used}"
    if points > MOST_POINTS:
        return f"false_alarms_per_day: {asked}; {known}. The threshold is extrapolated, its rate is not known"
    return ""


def without_contradiction(scores: Scores, value: FloatArray, anomalous: BoolArray) -> Scores:
    """The same, without a band where an anomalous value lies inside it: it is not its size that is anomalous.

    Examples
    --------
    >>> import numpy as np
    >>> band = np.zeros(2), np.full(2, -1.0), np.full(2, 1.0)
    >>> shown = without_contradiction(Scores(np.full(2, 60.0), *band), np.array([0.5, 2.0]), np.array([True, True]))
    >>> shown.upper.tolist()
    [nan, 1.0]
    """
    inside = anomalous & ~((value < scores.lower) | (value > scores.upper))
    if not inside.any():
        return scores
    lower, upper = (np.where(inside, np.nan, bound) for bound in (scores.lower, scores.upper))
    return Scores(scores.score, scores.expected, lower, upper)
