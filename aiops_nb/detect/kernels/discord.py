"""How far the last points are from the most alike of the series' own past stretches: the discord distance.

By hand: stumpy's streaming matrix profile keeps one growing series an object.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import (
    Baseline,
    begin,
    empty_baseline,
    expected_band,
    learn_baseline,
    scale_before,
)
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, larger, root, smaller, where
from aiops_nb.detect.arithmetic.tail_probability import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.kernel import Kernel, StreamParams

LENGTH = 8  # points of a stretch
KEPT = 48  # stretches, one in STRIDE of the last KEPT * STRIDE
STRIDE = 15
FAR = 1e6


class DiscordParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="discord"):
    """Parameters of the nearest neighbour: those of every streaming detector."""


class Discord(NamedTuple):
    """State of n series: `recent` flat (n, LENGTH), newest first; `kept` flat (n, KEPT, LENGTH)."""

    base: Baseline
    recent: FloatArray
    kept: FloatArray
    picked: Bytes
    past: Calibration


def empty_discord(count: int, bins: int, params: DiscordParams) -> Discord:
    """Nothing learned yet."""
    return Discord(
        empty_baseline(count, bins),
        np.zeros(count * LENGTH),
        np.zeros(count * KEPT * LENGTH),
        np.zeros(count, np.uint8),
        empty_calibration(count, 1, ANY_BINS),
    )


def begin_discord(series: Indices, x: FloatArray, s: Discord) -> None:
    """Start series at their first value, as if it had always been so."""
    begin(series, x, s.base)
    for at in range(LENGTH):
        s.recent[series * LENGTH + at] = x
    for at in range(KEPT * LENGTH):
        s.kept[series * KEPT * LENGTH + at] = x


def judge_discord(
    series: Indices, x: FloatArray, time_bin: Indices, s: Discord
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score of being far from the second nearest stretch; expected value and band are the baseline's."""
    scale = scale_before(series, x, s.base)
    recent = [(x - s.base.centre[series]) / scale] + [
        (s.recent[series * LENGTH + at] - s.base.centre[series]) / scale for at in range(LENGTH - 1)
    ]
    nearest, second = 0.0 * scale + FAR, 0.0 * scale + FAR
    for stretch in range(KEPT):
        first = (series * KEPT + stretch) * LENGTH
        distance = 0.0 * scale
        for at in range(LENGTH):
            apart = recent[at] - (s.kept[first + at] - s.base.centre[series]) / scale
            distance = distance + apart * apart
        second = smaller(second, larger(nearest, distance))
        nearest = smaller(nearest, distance)
    raw = root(second / LENGTH)
    raw_score = rarity(series, raw, s.base.learned[series], s.picked, series, s.past)
    return raw_score, *expected_band(series, x, time_bin, s.base)


def learn_discord(series: Indices, x: FloatArray, time_bin: Indices, s: Discord) -> None:
    """One stretch in STRIDE takes the place of the oldest."""
    learn_scores(series, s.picked, series, s.past)
    follow_discord(series, x, s)
    learned = s.base.learned[series]
    first = (series * KEPT + learned // STRIDE % KEPT) * LENGTH
    for at in range(LENGTH):
        newer = where(learned % STRIDE == 0, s.recent[series * LENGTH + at], s.kept[first + at])
        s.kept[first + at] = newer
    learn_baseline(series, x, time_bin, s.base)


def follow_discord(series: Indices, x: FloatArray, s: Discord) -> None:
    """Remember the value as the newest, without learning from it."""
    for step in range(LENGTH - 1):
        at = series * LENGTH + LENGTH - 1 - step
        s.recent[at] = s.recent[at - 1]
    s.recent[series * LENGTH] = x
    s.base.last[series] = x


KERNEL = Kernel(empty_discord, begin_discord, judge_discord, learn_discord, follow_discord)
