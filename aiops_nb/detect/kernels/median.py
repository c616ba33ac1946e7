"""Robust z: distance from running medians in running median deviations, over a short and a long horizon."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, size_of, smaller
from aiops_nb.detect.arithmetic.quantiles import moved, never_zero, step_rate
from aiops_nb.detect.arithmetic.tail_probability import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.kernel import Kernel, StreamParams

HORIZONS = 2


class MedianParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="median"):
    """Parameters of the robust z.

    Attributes
    ----------
    short_rate, long_rate
        Share of the scale by which the medians of the two horizons move in a step.
    """

    short_rate: Annotated[float, Meta(gt=0, lt=1)] = 0.1
    long_rate: Annotated[float, Meta(gt=0, lt=1)] = 0.01


class Median(NamedTuple):
    """State of n series: median and median deviation are flat (n, HORIZONS), the scale of steps (n,)."""

    short_rate: float
    long_rate: float
    learned: Indices
    scale: FloatArray
    median: FloatArray
    deviation: FloatArray
    picked: Bytes
    past: Calibration


def empty_median(count: int, bins: int, params: MedianParams) -> Median:
    """Nothing learned yet."""
    return Median(
        params.short_rate,
        params.long_rate,
        np.zeros(count, np.int64),
        np.zeros(count),
        np.zeros(count * HORIZONS),
        np.zeros(count * HORIZONS),
        np.zeros(count, np.uint8),
        empty_calibration(count, 1, ANY_BINS),
    )


def begin_median(series: Indices, x: FloatArray, s: Median) -> None:
    """Start series at their first value."""
    for horizon in range(HORIZONS):
        s.median[series * HORIZONS + horizon] = x


def _z(at: Indices, series: Indices, x: FloatArray, s: Median) -> FloatArray:
    floor = 0.1 * s.scale[series] + never_zero(x, s.median[at])
    z: FloatArray = size_of(x - s.median[at]) / (s.deviation[at] + floor)
    return z


def judge_median(
    series: Indices, x: FloatArray, time_bin: Indices, s: Median
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score of what is far on both horizons; the long median, and six median deviations."""
    first = series * HORIZONS
    raw = smaller(_z(first, series, x, s), _z(first + 1, series, x, s))
    raw_score = rarity(series, raw, s.learned[series], s.picked, series, s.past)
    floor = 0.1 * s.scale[series] + never_zero(x, s.median[first + 1])
    return raw_score, s.median[first + 1], 6.0 * (s.deviation[first + 1] + floor)


def learn_median(series: Indices, x: FloatArray, time_bin: Indices, s: Median) -> None:
    """Medians and deviations take a step towards the value."""
    learn_scores(series, s.picked, series, s.past)
    _learn_horizon(series * HORIZONS, series, x, s.short_rate, s)
    _learn_horizon(series * HORIZONS + 1, series, x, s.long_rate, s)
    distance = size_of(x - s.median[series * HORIZONS + 1])
    s.scale[series] = s.scale[series] + step_rate(s.learned[series], 0.01) * (distance - s.scale[series])
    s.learned[series] = s.learned[series] + 1


def _learn_horizon(at: Indices, series: Indices, x: FloatArray, slowest: float, s: Median) -> None:
    step = step_rate(s.learned[series], slowest) * (s.scale[series] + never_zero(x, s.median[at]))
    distance = size_of(x - s.median[at])
    s.deviation[at] = size_of(moved(s.deviation[at], distance, 0.5, step))
    s.median[at] = moved(s.median[at], x, 0.5, step)


def follow_median(series: Indices, x: FloatArray, s: Median) -> None:
    """Nothing is kept of a value that is not learned."""


KERNEL = Kernel(empty_median, begin_median, judge_median, learn_median, follow_median)
