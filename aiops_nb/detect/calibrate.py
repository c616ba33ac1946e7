"""From a raw score to a tail probability against its own past: a decayed histogram with an exponential tail."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.elementary import (
    LOG10_E,
    NAN,
    Bytes,
    Places,
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

BINS = 96
WIDTH = 0.12  # of a bin, in natural logarithms of the raw score
LOWEST = 5.0  # the first bin ends about e^-5
GROWTH = 2.0 ** (1.0 / 4000)  # half-life 4000 points
LIMIT = 1e12
SILENT_POINTS = 50
TAIL_SHARE = 0.03
PRIOR_COUNT, PRIOR_MEAN = 3.0, 0.3  # pseudo-counts that steady the tail while few points are in it
MASS_FLOOR = 0.006


class Calibration(NamedTuple):
    """The past of several raw scores for n series: `weights` flat (n, scores, BINS); `total` and `unit` (n,)."""

    weights: Weights
    total: FloatArray
    unit: FloatArray


def empty_calibration(count: int, scores: int) -> Calibration:
    """Nothing learned yet, for `count` series."""
    return Calibration(np.zeros(count * scores * BINS, np.float32), np.zeros(count), np.ones(count))


def bin_place(raw: FloatArray) -> FloatArray:
    """Where on the axis of bins a raw score >= 0 lies."""
    return (log(raw + 1e-6) + LOWEST) / WIDTH


def bin_at_place(place: FloatArray) -> Places:
    """The bin of a place, within the histogram."""
    return smaller(larger(whole(place), 0), BINS - 1)


def tail(series: Places, score: int, scores: int, place: FloatArray, learned: Places, past: Calibration) -> FloatArray:
    """-log10 of the share of the past that was at least as strange; 0 until SILENT_POINTS are learned.

    Above the bin that holds the strangest 3 % the tail is taken as exponential in the logarithm of the score, so that a
    score never seen before is rarer the farther out it lies.
    """
    at = bin_at_place(place)
    total, unit = larger(past.total[series], 1e-9), past.unit[series]
    top, above, excess, here = upper_tail(past.weights, (series * scores + score) * BINS, BINS, at, TAIL_SHARE * total)
    mean = (excess * WIDTH / unit + PRIOR_COUNT * PRIOR_MEAN) / (above / unit + PRIOR_COUNT)
    mass = where(at > top, larger(above / total, MASS_FLOOR), larger(here / total, 1e-9))
    beyond = where(at > top, (place - top - 0.5) * WIDTH / mean, 0.0)
    return where(learned >= SILENT_POINTS, larger((beyond - log(mass)) * LOG10_E, 0.0), 0.0)


def learn_scores(series: Places, picked: Bytes, first: Places, scores: int, past: Calibration) -> None:
    """Take in the bins that were picked for each raw score, `picked[first : first + scores]`."""
    unit = past.unit[series] * GROWTH
    for score in range(scores):
        at = (series * scores + score) * BINS + picked[first + score]
        past.weights[at] = wide(past.weights[at]) + unit
    total = past.total[series] + unit
    divisor = shrink(past.weights, series * scores * BINS, scores * BINS, unit, LIMIT)
    past.total[series] = total / divisor
    past.unit[series] = unit / divisor


def when_warm(strangeness: FloatArray, learned: Places) -> FloatArray:
    """NaN until SILENT_POINTS are learned."""
    return where(learned >= SILENT_POINTS, strangeness, NAN)
