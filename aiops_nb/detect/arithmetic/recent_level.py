"""Where the last values lie off what is expected now, on average, and where those before them lay."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import Indices, larger, size_of, smaller, where

CLIP_DEVIATIONS = 10.0  # one value that is far out is no level
APART = 2  # times as many values as `recent` weighs are neither: what is under way is not yet what was before


class Level(NamedTuple):
    """State of n series, in deviations: `delayed` flat (n, lag), the rest (n,).

    `recent` and `before` are running means, `before` of the values that are `lag` old; `off` is the value last judged.
    """

    lag: int
    recent_rate: float
    before_rate: float
    recent: FloatArray
    before: FloatArray
    off: FloatArray
    delayed: FloatArray
    learned: Indices


def empty_level(count: int, recent_points: int, before_points: int) -> Level:
    """Nothing learned yet, for `count` series."""
    lag = APART * recent_points
    means = np.zeros(count), np.zeros(count), np.zeros(count)
    return Level(lag, 1 / recent_points, 1 / before_points, *means, np.zeros(count * lag), np.zeros(count, np.int64))


def _recent_with(series: Indices, off: FloatArray, s: Level) -> FloatArray:
    rate = larger(1.0 / (s.learned[series] + 1.0), s.recent_rate)
    mean: FloatArray = s.recent[series] + rate * (off - s.recent[series])
    return mean


def moved(series: Indices, off: FloatArray, s: Level) -> FloatArray:
    """Deviations between the last values, this one included, and those before; it is kept for learning."""
    s.off[series] = smaller(larger(off, -CLIP_DEVIATIONS), CLIP_DEVIATIONS)
    return size_of(_recent_with(series, s.off[series], s) - s.before[series])


def follow_level(series: Indices, s: Level) -> None:
    """The value last judged is one of the last, but never one of those before."""
    s.recent[series] = _recent_with(series, s.off[series], s)


def learn_level(series: Indices, s: Level) -> None:
    """Take in the value last judged; the oldest that waits becomes one of those before."""
    follow_level(series, s)
    learned = s.learned[series]
    at = series * s.lag + learned % s.lag
    rate = where(learned >= s.lag, larger(1.0 / (larger(learned - s.lag, 0) + 1.0), s.before_rate), 0.0)
    s.before[series] = s.before[series] + rate * (s.delayed[at] - s.before[series])
    s.delayed[at] = s.off[series]
    s.learned[series] = learned + 1
