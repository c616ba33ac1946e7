"""How rare a number is among its own past: decayed histograms over an arcsinh scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, Weights, exp, shrink, where, wide

BINS = 160
MIDDLE = 80
PER_UNIT = 6.0  # bins to a unit of arcsinh: a bin is 1/12 near 0, and 18 % of the value far out
HALF_LIFE_POINTS = 4000
GROWTH = 2.0 ** (1.0 / HALF_LIFE_POINTS)
LIMIT = 1e9
SILENT_POINTS = 20


def edges(offset: float) -> FloatArray:
    """Lower edges of bins 2 to 158 in the number's own unit; bin 1 has none.

    Examples
    --------
    >>> float(edges(0.0)[MIDDLE - 2])
    0.0
    """
    place = (np.arange(2, BINS - 1) - MIDDLE - offset) / PER_UNIT
    lower: FloatArray = (exp(place) - exp(-place)) / 4.0  # half the hyperbolic sine; numpy's differs by processor
    return lower


class Histograms(NamedTuple):
    """Histograms of several numbers for n series, each learned point weighing more than the one before.

    `weights` is flat (n, numbers, BINS); `total` and `unit` are (n,): what was learned, and what the next point weighs.
    """

    weights: Weights
    total: FloatArray
    unit: FloatArray


def empty_histograms(count: int, numbers: int) -> Histograms:
    """Nothing learned yet, for `count` series."""
    return Histograms(np.zeros(count * numbers * BINS, np.float32), np.zeros(count), np.ones(count))


def density(at: Indices, series: Indices, past: Histograms) -> FloatArray:
    """Smoothed share of the past in the bin at place `at`; at least a fiftieth of a point."""
    near = 0.5 * wide(past.weights[at]) + 0.25 * wide(past.weights[at - 1]) + 0.25 * wide(past.weights[at + 1])
    share: FloatArray = (near + 0.02 * past.unit[series]) / (past.total[series] + past.unit[series])
    return share


def learn_bins(series: Indices, picked: Bytes, first: Indices, numbers: int, past: Histograms) -> None:
    """Take in the bins that were picked for each number, `picked[first : first + numbers]`."""
    unit = past.unit[series]
    for number in range(numbers):
        at = (series * numbers + number) * BINS + picked[first + number]
        past.weights[at] = wide(past.weights[at]) + unit
    total = past.total[series] + unit
    divisor = shrink(past.weights, series * numbers * BINS, numbers * BINS, unit * GROWTH, LIMIT)
    past.total[series] = total / divisor
    past.unit[series] = where(divisor > 1.0, 1.0, unit * GROWTH)
