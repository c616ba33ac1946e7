"""Distance from a moving mean in moving standard deviations."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, larger, root, size_of, smaller
from aiops_nb.detect.arithmetic.tail_probability import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.kernel import Kernel, StreamParams

TINY = 1e-9
TINIEST = 1e-300


class EwmaParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ewma"):
    """Parameters of the moving mean.

    Attributes
    ----------
    half_life_points
        After so many values a value counts half.
    """

    half_life_points: Annotated[float, Meta(gt=0)] = 60.0


class Ewma(NamedTuple):
    """State of n series."""

    rate: float
    learned: Indices
    mean: FloatArray
    deviation: FloatArray
    picked: Bytes
    past: Calibration


def empty_ewma(count: int, bins: int, params: EwmaParams) -> Ewma:
    """Nothing learned yet."""
    rate = 1.0 - 0.5 ** (1.0 / params.half_life_points)
    zeros = np.zeros(count), np.zeros(count), np.zeros(count, np.uint8)
    return Ewma(rate, np.zeros(count, np.int64), *zeros, empty_calibration(count, 1, ANY_BINS))


def begin_ewma(series: Indices, x: FloatArray, s: Ewma) -> None:
    """Start series at their first value."""
    s.mean[series] = x


def judge_ewma(series: Indices, x: FloatArray, time_bin: Indices, s: Ewma) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score, the moving mean, and four standard deviations."""
    mean = s.mean[series]
    never_zero = TINY * larger(size_of(mean), size_of(x)) + 1e-300
    deviation = s.deviation[series] + never_zero
    raw_score = rarity(series, size_of(x - mean) / deviation, s.learned[series], s.picked, series, s.past)
    return raw_score, mean, 4.0 * deviation


def learn_ewma(series: Indices, x: FloatArray, time_bin: Indices, s: Ewma) -> None:
    """Mean and variance follow (Finch 2009); at first they are those of all values so far."""
    learn_scores(series, s.picked, series, s.past)
    rate = larger(1.0 / (1.0 + s.learned[series]), s.rate)
    step = x - s.mean[series]
    s.mean[series] = s.mean[series] + rate * step
    s.deviation[series] = root(1.0 - rate) * _hypotenuse(s.deviation[series], root(rate) * size_of(step))
    s.learned[series] = s.learned[series] + 1


def _hypotenuse(a: FloatArray, b: FloatArray) -> FloatArray:
    """Root of the sum of squares, of which the largest floats have none."""
    longer = larger(a, b)
    ratio = smaller(a, b) / (longer + TINIEST)
    return longer * root(1.0 + ratio * ratio)


def follow_ewma(series: Indices, x: FloatArray, s: Ewma) -> None:
    """Nothing is kept of a value that is not learned."""


KERNEL = Kernel(empty_ewma, begin_ewma, judge_ewma, learn_ewma, follow_ewma)
