"""From a raw score to a tail probability against its own past: a decayed histogram with an exponential tail.

By hand: river's and PyOD's calibrations keep quantiles of one series an object, or are fitted once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import (
    LOG10_E,
    NAN,
    Bytes,
    Indices,
    Weights,
    larger,
    log,
    shrink,
    smaller,
    upper_tail,
    where,
    whole,
    wide,
)

WIDTH = 0.12  # of a bin, in natural logarithms of the raw score
LOWEST = 5.0  # bin 0 ends about e^-5
GROWTH = 2.0 ** (1.0 / 4000)  # half-life 4000 points
LIMIT = 1e12
SILENT_POINTS = 50
TAIL_SHARE = 0.03
PRIOR_COUNT, PRIOR_MEAN = 3.0, 0.3  # pseudo-counts that steady the tail while few points are in it
MASS_FLOOR = 0.006
# A mean surprise lies between -log(0.52) and log(5772 / 0.02): bins 38 to 62.
SURPRISE_BINS = (36, 28)
ANY_BINS = (0, 96)


class Calibration(NamedTuple):
    """The past of several raw scores for n series: `weights` flat (n, scores, bins); `total` and `unit` (n,).

    The bins are those from `first` on; what lies outside goes into the outermost.
    """

    first: int
    bins: int
    scores: int
    weights: Weights
    total: FloatArray
    unit: FloatArray


def empty_calibration(count: int, scores: int, bins: tuple[int, int]) -> Calibration:
    """Nothing learned yet, for `count` series."""
    weights = np.zeros(count * scores * bins[1], np.float32)
    return Calibration(*bins, scores, weights, np.zeros(count), np.ones(count))


def bin_place(raw: FloatArray, past: Calibration) -> FloatArray:
    """Where on the axis of bins a raw score >= 0 lies."""
    return (log(raw + 1e-6) + LOWEST) / WIDTH - past.first


def bin_at_place(place: FloatArray, past: Calibration) -> Indices:
    """The bin of a place."""
    return smaller(larger(whole(place), 0), past.bins - 1)


def tail(series: Indices, score: int, place: FloatArray, learned: Indices, past: Calibration) -> FloatArray:
    """-log10 of the share of the past that was at least as anomalous; 0 until SILENT_POINTS are learned.

    Above the bin that holds the most anomalous 3 % the tail is taken as exponential in the logarithm of the score, so
    that a score never seen before is rarer the farther out it lies.
    """
    at = bin_at_place(place, past)
    total, unit = larger(past.total[series], 1e-9), past.unit[series]
    histogram = (series * past.scores + score) * past.bins
    top, above, excess, here = upper_tail(past.weights, histogram, past.bins, at, TAIL_SHARE * total)
    mean = (excess * WIDTH / unit + PRIOR_COUNT * PRIOR_MEAN) / (above / unit + PRIOR_COUNT)
    mass = where(at > top, larger(above / total, MASS_FLOOR), larger(here / total, 1e-9))
    beyond = where(at > top, (place - top - 0.5) * WIDTH / mean, 0.0)
    rare = larger((beyond - log(mass)) * LOG10_E, 0.0)
    return where((learned >= SILENT_POINTS) & (at > 0), rare, 0.0)


def learn_scores(series: Indices, picked: Bytes, first: Indices, past: Calibration) -> None:
    """Take in the bins that were picked for each raw score, from `picked[first]` on."""
    unit = past.unit[series] * GROWTH
    for score in range(past.scores):
        at = (series * past.scores + score) * past.bins + picked[first + score]
        past.weights[at] = wide(past.weights[at]) + unit
    total = past.total[series] + unit
    size = past.scores * past.bins
    divisor = shrink(past.weights, series * size, size, unit, LIMIT)
    past.total[series] = total / divisor
    past.unit[series] = unit / divisor


def when_warm(raw_score: FloatArray, learned: Indices) -> FloatArray:
    """NaN until SILENT_POINTS are learned."""
    return where(learned >= SILENT_POINTS, raw_score, NAN)


def rarity(
    series: Indices, raw: FloatArray, learned: Indices, picked: Bytes, first: Indices, past: Calibration
) -> FloatArray:
    """Raw score of the only raw score of a detector; NaN while warming up. Its bin goes into `picked[first]`."""
    place = bin_place(raw, past)
    picked[first] = bin_at_place(place, past)
    return when_warm(tail(series, 0, place, learned, past), learned)
