"""What is expected for a series: its centre, scale, range and profile of the day, each O(1) a point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, larger, size_of, smaller, where, whole, wide

CENTRE_RATE = 0.002
SCALE_POINTS = 2000.0
STEP_FLOOR = 0.05  # of the scale: a series that moves in rare steps must not count each as infinite
PROFILE_RATE = 0.15
PROFILE_TRUSTED_DAYS = 3
CLIP_DEVIATIONS = 6.0
TINY = 1e-12  # of the largest value seen: about the rounding of sums, so that constants never divide by 0
BAND_DEVIATIONS = 4.0
RANGE_SILENT_POINTS = 20


class Baseline(NamedTuple):
    """State of n series, learned at `bins` times of the day; `profile_*` are flat (n, bins), the rest (n,).

    `learned` counts points; `spread` is the running mean distance from `mean`, `step_*` the same of the differences.
    """

    bins: int
    learned: Indices
    last: FloatArray
    centre: FloatArray
    peak: FloatArray
    low: FloatArray
    high: FloatArray
    mean: FloatArray
    spread: FloatArray
    step_mean: FloatArray
    step_spread: FloatArray
    profile: FloatArray
    profile_spread: FloatArray
    profile_days: Bytes


def empty_baseline(count: int, bins: int) -> Baseline:
    """Nothing learned yet, for `count` series and `bins` times of the day."""
    return Baseline(
        bins=bins,
        learned=np.zeros(count, np.int64),
        last=np.zeros(count),
        centre=np.zeros(count),
        peak=np.zeros(count),
        low=np.zeros(count),
        high=np.zeros(count),
        mean=np.zeros(count),
        spread=np.zeros(count),
        step_mean=np.zeros(count),
        step_spread=np.zeros(count),
        profile=np.zeros(count * bins),
        profile_spread=np.zeros(count * bins),
        profile_days=np.zeros(count * bins, np.uint8),
    )


def begin(series: Indices, x: FloatArray, s: Baseline) -> None:
    """Start series at their first value."""
    s.last[series] = x
    s.centre[series] = x
    s.low[series] = x
    s.high[series] = x
    s.mean[series] = x


def centre_with(series: Indices, x: FloatArray, s: Baseline) -> FloatArray:
    """The slow centre, this value included."""
    return s.centre[series] + CENTRE_RATE * (x - s.centre[series])


def scale_before(series: Indices, x: FloatArray, s: Baseline) -> FloatArray:
    """Mean distance from the mean, before this value; never 0."""
    never_zero = TINY * larger(s.peak[series], size_of(x)) + 1e-300
    return s.spread[series] + never_zero


def step_scale_before(series: Indices, scale: FloatArray, s: Baseline) -> FloatArray:
    """The same of the differences."""
    return s.step_spread[series] + STEP_FLOOR * scale


def off_profile(series: Indices, x: FloatArray, time_bin: Indices, s: Baseline) -> FloatArray:
    """Distance from what is expected at this time of the day; 0 where nothing is known of it."""
    at = series * s.bins + time_bin % s.bins
    return where(s.profile_days[at] > 0, x - s.profile[at], 0.0)


def profile_deviation(series: Indices, time_bin: Indices, s: Baseline) -> FloatArray:
    """Mean distance from the profile, over this time of the day and its neighbours."""
    first, here = series * s.bins, time_bin % s.bins
    before, after = (here + s.bins - 1) % s.bins, (here + 1) % s.bins
    sides = 0.5 * s.profile_spread[first + after] + 0.5 * s.profile_spread[first + before]
    deviation: FloatArray = (s.profile_spread[first + here] + sides) / 2.0
    return deviation


def scale_of_day(series: Indices, time_bin: Indices, scale: FloatArray, s: Baseline) -> FloatArray:
    """Mean distance from the profile at this time of the day, or the scale until three values of it are known."""
    at = series * s.bins + time_bin % s.bins
    local: FloatArray = where(
        s.profile_days[at] >= PROFILE_TRUSTED_DAYS, profile_deviation(series, time_bin, s) + 0.1 * scale, scale
    )
    return local


def outside_range(series: Indices, x: FloatArray, scale: FloatArray, s: Baseline) -> FloatArray:
    """Distance beyond every value seen so far, in scales."""
    beyond = larger(larger(x - s.high[series], s.low[series] - x), 0.0)
    return where(s.learned[series] > RANGE_SILENT_POINTS, beyond / scale, 0.0)


def expected_band(series: Indices, x: FloatArray, time_bin: Indices, s: Baseline) -> tuple[FloatArray, FloatArray]:
    """What is expected, and half the width of the band: by the profile where it is trusted, else by the centre."""
    at = series * s.bins + time_bin % s.bins
    trusted = s.profile_days[at] > PROFILE_TRUSTED_DAYS
    scale = scale_before(series, x, s)
    deviation = where(trusted, profile_deviation(series, time_bin, s) + 0.1 * scale, scale)
    return where(trusted, s.profile[at], s.centre[series]), BAND_DEVIATIONS * deviation


def learn_baseline(series: Indices, x: FloatArray, time_bin: Indices, s: Baseline) -> None:
    """Take in one value of each series."""
    _learn_profile(series, x, time_bin, s)
    rate = 1.0 / (1.0 + smaller(s.learned[series], SCALE_POINTS))
    s.mean[series] = s.mean[series] + rate * (x - s.mean[series])
    s.spread[series] = s.spread[series] + rate * (size_of(x - s.mean[series]) - s.spread[series])
    step = x - s.last[series]
    s.step_mean[series] = s.step_mean[series] + rate * (step - s.step_mean[series])
    s.step_spread[series] = s.step_spread[series] + rate * (size_of(step - s.step_mean[series]) - s.step_spread[series])
    s.centre[series] = centre_with(series, x, s)
    s.peak[series] = larger(s.peak[series], size_of(x))
    s.low[series] = smaller(s.low[series], x)
    s.high[series] = larger(s.high[series], x)
    s.last[series] = x
    s.learned[series] = s.learned[series] + 1


def _learn_profile(series: Indices, x: FloatArray, time_bin: Indices, s: Baseline) -> None:
    at = series * s.bins + time_bin % s.bins
    days = wide(s.profile_days[at])
    off = off_profile(series, x, time_bin, s)
    limit = CLIP_DEVIATIONS * (profile_deviation(series, time_bin, s) + 0.1 * s.spread[series])
    clipped = where(days > PROFILE_TRUSTED_DAYS, smaller(larger(off, -limit), limit), off)
    rate = larger(1.0 / (days + 1.0), PROFILE_RATE)
    s.profile[at] = where(days > 0.0, s.profile[at] + rate * clipped, x)
    known_spread = s.profile_spread[at] + rate * (size_of(clipped) - s.profile_spread[at])
    s.profile_spread[at] = where(days > 0.0, known_spread, 0.0)
    s.profile_days[at] = whole(smaller(days + 1.0, 100.0))
