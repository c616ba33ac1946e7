"""Distance beyond the running quartiles, in distances between them (Tukey's fences, moving)."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, larger, size_of
from aiops_nb.detect.arithmetic.quantiles import moved, never_zero, step_rate
from aiops_nb.detect.arithmetic.tail_probability import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.kernel import Kernel, StreamParams


class IqrParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="iqr"):
    """Parameters of the quartiles.

    Attributes
    ----------
    rate
        Share of the scale by which a quartile moves in a step.
    """

    rate: Annotated[float, Meta(gt=0, lt=1)] = 0.03


class Iqr(NamedTuple):
    """State of n series."""

    rate: float
    learned: Indices
    scale: FloatArray
    lower: FloatArray
    upper: FloatArray
    picked: Bytes
    past: Calibration


def empty_iqr(count: int, bins: int, params: IqrParams) -> Iqr:
    """Nothing learned yet."""
    zeros = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count, np.uint8)
    return Iqr(params.rate, np.zeros(count, np.int64), *zeros, empty_calibration(count, 1, ANY_BINS))


def begin_iqr(series: Indices, x: FloatArray, s: Iqr) -> None:
    """Start series at their first value."""
    s.lower[series] = x
    s.upper[series] = x


def _width(series: Indices, x: FloatArray, s: Iqr) -> FloatArray:
    floor = 0.1 * s.scale[series] + never_zero(x, s.upper[series])
    width: FloatArray = larger(s.upper[series] - s.lower[series], 0.0) + floor
    return width


def judge_iqr(series: Indices, x: FloatArray, time_bin: Indices, s: Iqr) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score, the middle between the quartiles, and the outer fences: three widths beyond them."""
    width = _width(series, x, s)
    beyond = larger(larger(x - s.upper[series], s.lower[series] - x), 0.0) / width
    raw_score = rarity(series, beyond, s.learned[series], s.picked, series, s.past)
    return raw_score, 0.5 * (s.lower[series] + s.upper[series]), 3.5 * width


def learn_iqr(series: Indices, x: FloatArray, time_bin: Indices, s: Iqr) -> None:
    """The quartiles take a step towards the value."""
    learn_scores(series, s.picked, series, s.past)
    step = step_rate(s.learned[series], s.rate) * (s.scale[series] + never_zero(x, s.upper[series]))
    distance = size_of(x - 0.5 * (s.lower[series] + s.upper[series]))
    s.lower[series] = moved(s.lower[series], x, 0.25, step)
    s.upper[series] = moved(s.upper[series], x, 0.75, step)
    s.scale[series] = s.scale[series] + step_rate(s.learned[series], 0.01) * (distance - s.scale[series])
    s.learned[series] = s.learned[series] + 1


def follow_iqr(series: Indices, x: FloatArray, s: Iqr) -> None:
    """Nothing is kept of a value that is not learned."""


KERNEL = Kernel(empty_iqr, begin_iqr, judge_iqr, learn_iqr, follow_iqr)
