"""A value that stopped moving: how long it has been the same, against how long it ever is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import Baseline, begin, empty_baseline, expected_band, learn_baseline
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, larger, log, smaller, where
from aiops_nb.detect.arithmetic.tail_probability import (
    ANY_BINS,
    WIDTH,
    Calibration,
    bin_at_place,
    empty_calibration,
    learn_scores,
    tail,
    when_warm,
)
from aiops_nb.detect.kernel import Kernel, StreamParams

MEMORY_POINTS = 2000.0
MOST_SURPRISE = 60.0


class StuckParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="stuck"):
    """Parameters of the detector of frozen values: those of every streaming detector."""


class Stuck(NamedTuple):
    """State of n series: how often the last value was repeated, and the share of values that were not repeats."""

    base: Baseline
    repeats: FloatArray
    moves: FloatArray
    picked: Bytes
    past: Calibration


def empty_stuck(count: int, bins: int, params: StuckParams) -> Stuck:
    """Nothing learned yet."""
    blank = np.zeros(count), np.zeros(count), np.zeros(count, np.uint8)
    return Stuck(empty_baseline(count, 1), *blank, empty_calibration(count, 1, ANY_BINS))


def begin_stuck(series: Indices, x: FloatArray, s: Stuck) -> None:
    """Start series at their first value."""
    begin(series, x, s.base)


def _repeats(series: Indices, x: FloatArray, s: Stuck) -> FloatArray:
    same = (x == s.base.last[series]) & (s.base.learned[series] > 0)
    return where(same, s.repeats[series] + 1.0, 0.0)


def _place(series: Indices, x: FloatArray, s: Stuck) -> FloatArray:
    """Surprise at all repeats but the first, each being as likely as repeats have been; on the axis of the past."""
    learned = s.base.learned[series]
    likely = larger(1.0 - s.moves[series], 1.0 / (learned + 2.0))
    surprise = larger(_repeats(series, x, s) - 1.0, 0.0) * -log(likely)
    return smaller(surprise, MOST_SURPRISE) / WIDTH


def judge_stuck(
    series: Indices, x: FloatArray, time_bin: Indices, s: Stuck
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score of the repeats, the less the more often the value rests; expected value and band: the baseline's."""
    place, learned = _place(series, x, s), s.base.learned[series]
    s.picked[series] = bin_at_place(place, s.past)
    raw_score = when_warm(tail(series, 0, place, learned, s.past), learned)
    return raw_score, *expected_band(series, x, time_bin, s.base)


def learn_stuck(series: Indices, x: FloatArray, time_bin: Indices, s: Stuck) -> None:
    """The run goes on or is over."""
    learn_scores(series, s.picked, series, s.past)
    follow_stuck(series, x, s)
    rate = 1.0 / (1.0 + smaller(s.base.learned[series], MEMORY_POINTS))
    moved = where(s.repeats[series] > 0.0, 0.0, 1.0)
    s.moves[series] = s.moves[series] + rate * (moved - s.moves[series])
    learn_baseline(series, x, time_bin, s.base)


def follow_stuck(series: Indices, x: FloatArray, s: Stuck) -> None:
    """The run goes on or is over, without learning from it."""
    s.repeats[series] = _repeats(series, x, s)
    s.base.last[series] = x


KERNEL = Kernel(empty_stuck, begin_stuck, judge_stuck, learn_stuck, follow_stuck)
