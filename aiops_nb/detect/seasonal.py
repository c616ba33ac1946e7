"""Distance from what is usual at this hour of this weekday, or time of the day, in the series' named zone."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.baseline import Baseline, begin, empty_baseline, learn_baseline, profile_deviation, scale_before
from aiops_nb.detect.calibrate import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.elementary import Bytes, Places, larger, size_of, smaller, where, whole, wide
from aiops_nb.detect.kernels import Kernel, StreamParams

HOURS = 168
TRUSTED_DAYS = 3
RATE = 0.02


class SeasonalParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="seasonal"):
    """Parameters of the profiles of the day and of the week.

    Attributes
    ----------
    trusted_points
        Values that an hour of the week must have seen before it is believed rather than the time of the day.
    """

    trusted_points: Annotated[int, Meta(ge=1, le=200)] = 36


class Seasonal(NamedTuple):
    """State of n series: how each hour of the week lies off the profile of the day, flat (n, HOURS)."""

    trusted_points: int
    base: Baseline
    off_day: FloatArray
    seen: Bytes
    picked: Bytes
    past: Calibration


def empty_seasonal(count: int, bins: int, params: SeasonalParams) -> Seasonal:
    """Nothing learned yet."""
    return Seasonal(
        params.trusted_points,
        empty_baseline(count, bins),
        np.zeros(count * HOURS),
        np.zeros(count * HOURS, np.uint8),
        np.zeros(count, np.uint8),
        empty_calibration(count, 1, ANY_BINS),
    )


def begin_seasonal(series: Places, x: FloatArray, s: Seasonal) -> None:
    """Start series at their first value."""
    begin(series, x, s.base)


def _hour(series: Places, time_bin: Places, s: Seasonal) -> Places:
    hour: Places = series * HOURS + time_bin * 24 // s.base.bins
    return hour


def _expected(series: Places, time_bin: Places, s: Seasonal) -> FloatArray:
    """By the hour of the week, or else the time of the day, or else the slow centre: what there is history for."""
    base = s.base
    at, hour = series * base.bins + time_bin % base.bins, _hour(series, time_bin, s)
    of_week = where(s.seen[hour] >= s.trusted_points, s.off_day[hour], 0.0)
    return where(base.profile_days[at] >= TRUSTED_DAYS, base.profile[at] + of_week, base.centre[series])


def judge_seasonal(
    series: Places, x: FloatArray, time_bin: Places, s: Seasonal
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Strangeness, what is usual now, and four mean deviations."""
    expected, scale = _expected(series, time_bin, s), scale_before(series, x, s.base)
    days = s.base.profile_days[series * s.base.bins + time_bin % s.base.bins]
    deviation = where(days >= TRUSTED_DAYS, profile_deviation(series, time_bin, s.base) + 0.1 * scale, scale)
    raw = size_of(x - expected) / deviation
    return rarity(series, raw, s.base.learned[series], s.picked, series, s.past), expected, 4.0 * deviation


def learn_seasonal(series: Places, x: FloatArray, time_bin: Places, s: Seasonal) -> None:
    """Both profiles take a step towards the value."""
    learn_scores(series, s.picked, series, s.past)
    hour, seen = _hour(series, time_bin, s), wide(s.seen[_hour(series, time_bin, s)])
    at = series * s.base.bins + time_bin % s.base.bins
    off = where(s.base.profile_days[at] >= TRUSTED_DAYS, x - s.base.profile[at], 0.0)
    limit = 6.0 * scale_before(series, x, s.base)
    clipped = smaller(larger(off, -limit), limit)
    s.off_day[hour] = s.off_day[hour] + larger(1.0 / (seen + 1.0), RATE) * (clipped - s.off_day[hour])
    s.seen[hour] = whole(smaller(seen + where(s.base.profile_days[at] >= TRUSTED_DAYS, 1.0, 0.0), 250.0))
    learn_baseline(series, x, time_bin, s.base)


def follow_seasonal(series: Places, x: FloatArray, s: Seasonal) -> None:
    """Remember the value as the last one, without learning from it."""
    s.base.last[series] = x


KERNEL = Kernel(empty_seasonal, begin_seasonal, judge_seasonal, learn_seasonal, follow_seasonal)
