"""Distance from what is expected at this hour of this weekday, or time of the day, in the series' named zone."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import (
    BAND_DEVIATIONS,
    Baseline,
    begin,
    empty_baseline,
    learn_baseline,
    scale_before,
)
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, larger, size_of, smaller, where, wide
from aiops_nb.detect.arithmetic.phase import Phases, empty_phases, expected_at, learn_phases, typical_distance
from aiops_nb.detect.arithmetic.tail_probability import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.kernel import Kernel, StreamParams

HOURS = 168
CLIP_DEVIATIONS = 6.0


class SeasonalParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="seasonal"):
    """Parameters of the profiles of the day and of the week.

    Attributes
    ----------
    trusted_days
        Days on which a time of the day must have been seen before it is believed rather than the slow centre.
    trusted_weeks
        Weeks in which an hour of the week must have been seen before it is believed rather than the day alone.
    """

    trusted_days: Annotated[int, Meta(ge=1, le=60)] = 3
    trusted_weeks: Annotated[int, Meta(ge=1, le=60)] = 2


class Seasonal(NamedTuple):
    """State of n series: the profile of the day, and how each hour of the week lies off it.

    `base` has but one time of the day: its centre and scale are used until there is a profile.
    """

    trusted_days: int
    trusted_weeks: int
    base: Baseline
    day: Phases
    week: Phases
    picked: Bytes
    past: Calibration


def empty_seasonal(count: int, bins: int, params: SeasonalParams) -> Seasonal:
    """Nothing learned yet."""
    return Seasonal(
        params.trusted_days,
        params.trusted_weeks,
        empty_baseline(count, 1),
        empty_phases(count, bins),
        empty_phases(count, HOURS),
        np.zeros(count, np.uint8),
        empty_calibration(count, 1, ANY_BINS),
    )


def begin_seasonal(series: Indices, x: FloatArray, s: Seasonal) -> None:
    """Start series at their first value."""
    begin(series, x, s.base)


def _hour(time_bin: Indices, s: Seasonal) -> Indices:
    hour: Indices = time_bin * 24 // s.day.bins
    return hour


def _days(series: Indices, time_bin: Indices, s: Seasonal) -> FloatArray:
    return wide(s.day.seen[series * s.day.bins + time_bin % s.day.bins])


def _weeks(series: Indices, time_bin: Indices, s: Seasonal) -> FloatArray:
    return wide(s.week.seen[series * HOURS + _hour(time_bin, s)])


def _expected(series: Indices, time_bin: Indices, s: Seasonal) -> FloatArray:
    """By the hour of the week, or else the time of the day, or else the slow centre: what there is history for."""
    by_day = expected_at(series, time_bin % s.day.bins, s.day)
    off_day = where(
        _weeks(series, time_bin, s) >= s.trusted_weeks, expected_at(series, _hour(time_bin, s), s.week), 0.0
    )
    return where(_days(series, time_bin, s) >= s.trusted_days, by_day + off_day, s.base.centre[series])


def deviation_at(series: Indices, x: FloatArray, time_bin: Indices, s: Seasonal) -> FloatArray:
    """Mean distance of values from what is expected at this phase; never 0."""
    scale = scale_before(series, x, s.base)
    here = time_bin % s.day.bins
    before, after = (here + s.day.bins - 1) % s.day.bins, (here + 1) % s.day.bins
    sides = typical_distance(series, before, s.day) + typical_distance(series, after, s.day)
    local = 0.5 * typical_distance(series, here, s.day) + 0.25 * sides
    return where(_days(series, time_bin, s) >= s.trusted_days, local + 0.1 * scale, scale)


def off_season(series: Indices, x: FloatArray, time_bin: Indices, s: Seasonal) -> FloatArray:
    """Distance from what is expected at this phase; 0 until it is trusted."""
    trusted = _days(series, time_bin, s) >= s.trusted_days
    return where(trusted, x - _expected(series, time_bin, s), 0.0)


def judge_seasonal(
    series: Indices, x: FloatArray, time_bin: Indices, s: Seasonal
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score, what is expected now, and four mean deviations."""
    expected, deviation = _expected(series, time_bin, s), deviation_at(series, x, time_bin, s)
    raw = size_of(x - expected) / deviation
    raw_score = rarity(series, raw, s.base.learned[series], s.picked, series, s.past)
    return raw_score, expected, BAND_DEVIATIONS * deviation


def learn_seasonal(series: Indices, x: FloatArray, time_bin: Indices, s: Seasonal) -> None:
    """Both profiles take in the value when its time of the day, or its hour, is over."""
    learn_scores(series, s.picked, series, s.past)
    here, days = time_bin % s.day.bins, _days(series, time_bin, s)
    limit = CLIP_DEVIATIONS * deviation_at(series, x, time_bin, s)
    off = x - expected_at(series, here, s.day)
    clipped = where(days >= s.trusted_days, smaller(larger(off, -limit), limit), off)
    learn_phases(series, _hour(time_bin, s), where(days >= s.trusted_days, clipped, 0.0), s.week)
    learn_phases(series, here, where(days > 0.0, x - off + clipped, x), s.day)
    learn_baseline(series, x, time_bin, s.base)


def follow_seasonal(series: Indices, x: FloatArray, s: Seasonal) -> None:
    """Remember the value as the last one, without learning from it."""
    s.base.last[series] = x


def season_history(series: Indices, time_bin: Indices, s: Seasonal) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Days and weeks that this phase was seen on, and what is judged by: 0 the centre, 1 the day, 2 the week."""
    days, weeks = _days(series, time_bin, s), _weeks(series, time_bin, s)
    by_week = where(weeks >= s.trusted_weeks, 2.0, 1.0)
    return days, weeks, where(days >= s.trusted_days, by_week, 0.0)


KERNEL = Kernel(empty_seasonal, begin_seasonal, judge_seasonal, learn_seasonal, follow_seasonal, history=season_history)
