"""Change of level: sums of what exceeds a slack, upwards and downwards (Page 1954), in running deviations."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import (
    Baseline,
    begin,
    empty_baseline,
    expected_band,
    learn_baseline,
    scale_before,
)
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, larger, smaller, where
from aiops_nb.detect.arithmetic.tail_probability import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.kernel import Kernel, StreamParams

MOST = 4.0  # deviations that one value may add: a spike is no change of level
LEVEL_POINTS = 120.0


class CusumParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="cusum"):
    """Parameters of the sums.

    Attributes
    ----------
    slack
        Deviations by which a value must be off before it adds to a sum; half the change that is looked for.
    """

    slack: Annotated[float, Meta(gt=0)] = 1.0


class Cusum(NamedTuple):
    """State of n series; `up_values` and `down_values` count the values since a sum was 0."""

    slack: float
    base: Baseline
    level: FloatArray
    up: FloatArray
    down: FloatArray
    up_values: Indices
    down_values: Indices
    picked: Bytes
    past: Calibration


def empty_cusum(count: int, bins: int, params: CusumParams) -> Cusum:
    """Nothing learned yet."""
    up, down, level = np.zeros(count), np.zeros(count), np.zeros(count)
    up_values, down_values = np.zeros(count, np.int64), np.zeros(count, np.int64)
    past = np.zeros(count, np.uint8), empty_calibration(count, 1, ANY_BINS)
    return Cusum(params.slack, empty_baseline(count, bins), level, up, down, up_values, down_values, *past)


def begin_cusum(series: Indices, x: FloatArray, s: Cusum) -> None:
    """Start series at their first value."""
    begin(series, x, s.base)
    s.level[series] = x


def _sums(series: Indices, x: FloatArray, s: Cusum) -> tuple[FloatArray, FloatArray]:
    z = (x - s.level[series]) / scale_before(series, x, s.base)
    z = smaller(larger(z, -MOST), MOST)
    return larger(s.up[series] + z - s.slack, 0.0), larger(s.down[series] - z - s.slack, 0.0)


def judge_cusum(
    series: Indices, x: FloatArray, time_bin: Indices, s: Cusum
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score of the larger sum, this value included; expected value and band are the baseline's."""
    up, down = _sums(series, x, s)
    raw_score = rarity(series, larger(up, down), s.base.learned[series], s.picked, series, s.past)
    return raw_score, *expected_band(series, x, time_bin, s.base)


def learn_cusum(series: Indices, x: FloatArray, time_bin: Indices, s: Cusum) -> None:
    """The sums go on; the level follows slowly, so that a lasting change is accepted in time."""
    learn_scores(series, s.picked, series, s.past)
    follow_cusum(series, x, s)
    rate = 1.0 / (1.0 + smaller(s.base.learned[series], LEVEL_POINTS))
    s.level[series] = s.level[series] + rate * (x - s.level[series])
    learn_baseline(series, x, time_bin, s.base)


def follow_cusum(series: Indices, x: FloatArray, s: Cusum) -> None:
    """The sums go on, without learning from the value."""
    up, down = _sums(series, x, s)
    s.up_values[series] = where(up > 0.0, s.up_values[series] + 1, 0)
    s.down_values[series] = where(down > 0.0, s.down_values[series] + 1, 0)
    s.up[series] = up
    s.down[series] = down
    s.base.last[series] = x


def onset_of(series: Indices, s: Cusum) -> Indices:
    """Values since the larger sum was last 0: where a change is most likely to have begun (Page 1954)."""
    return where(s.up[series] >= s.down[series], s.up_values[series], s.down_values[series])


KERNEL = Kernel(empty_cusum, begin_cusum, judge_cusum, learn_cusum, follow_cusum, onset=onset_of)
