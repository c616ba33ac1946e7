"""The last values lie off what is expected at this time, and those before them did not: dips, losses, surges."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import BAND_DEVIATIONS
from aiops_nb.detect.arithmetic.operations import Bytes, Indices
from aiops_nb.detect.arithmetic.recent_level import Level, empty_level, follow_level, learn_level, moved
from aiops_nb.detect.arithmetic.tail_probability import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.kernel import Kernel, StreamParams
from aiops_nb.detect.kernels.seasonal import (
    Seasonal,
    SeasonalParams,
    begin_seasonal,
    empty_seasonal,
    follow_seasonal,
    judge_seasonal,
    learn_seasonal,
    season_history,
)


class ShiftParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="shift"):
    """Parameters of the comparison.

    Attributes
    ----------
    recent_points
        Values that the last ones are: weights fade by 1/e over so many.
    before_points
        The same of those before, to which they are compared; a change that lasts longer is what is expected then.
    """

    recent_points: Annotated[int, Meta(ge=1, le=1000)] = 4
    before_points: Annotated[int, Meta(ge=2, le=100_000)] = 50


class Shift(NamedTuple):
    """State of n series: what is expected by time, the level off it, and the past of the scores."""

    season: Seasonal
    level: Level
    picked: Bytes
    past: Calibration


def empty_shift(count: int, bins: int, params: ShiftParams) -> Shift:
    """Nothing learned yet."""
    season = empty_seasonal(count, bins, SeasonalParams())
    level = empty_level(count, params.recent_points, params.before_points)
    return Shift(season, level, np.zeros(count, np.uint8), empty_calibration(count, 1, ANY_BINS))


def begin_shift(series: Indices, x: FloatArray, s: Shift) -> None:
    """Start series at their first value."""
    begin_seasonal(series, x, s.season)


def judge_shift(
    series: Indices, x: FloatArray, time_bin: Indices, s: Shift
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score of the distance between the levels; what was expected and its band are those of `seasonal`."""
    _, expected, half_band = judge_seasonal(series, x, time_bin, s.season)
    raw = moved(series, (x - expected) * BAND_DEVIATIONS / half_band, s.level)
    raw_score = rarity(series, raw, s.season.base.learned[series], s.picked, series, s.past)
    return raw_score, expected, half_band


def learn_shift(series: Indices, x: FloatArray, time_bin: Indices, s: Shift) -> None:
    """Take in the value just judged."""
    learn_scores(series, s.picked, series, s.past)
    learn_level(series, s.level)
    learn_seasonal(series, x, time_bin, s.season)


def follow_shift(series: Indices, x: FloatArray, s: Shift) -> None:
    """Remember the value as one of the last, without learning from it."""
    follow_level(series, s.level)
    follow_seasonal(series, x, s.season)


def history_of_shift(series: Indices, time_bin: Indices, s: Shift) -> tuple[FloatArray, FloatArray, FloatArray]:
    """See `Kernel.history`."""
    return season_history(series, time_bin, s.season)


KERNEL = Kernel(empty_shift, begin_shift, judge_shift, learn_shift, follow_shift, history=history_of_shift)
