"""What is expected at each phase of a cycle, learned once a visit: a day counts once, however many values it has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import BoolArray, FloatArray
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, larger, size_of, smaller, where, whole, wide

RATE = 0.15  # of a visit, once there were seven
MOST_SEEN = 250.0


class Phases(NamedTuple):
    """State of n series over `bins` phases: `mean`, `distance` and `seen` are flat (n, bins), the rest (n,).

    `seen` counts visits that are over; `here` is the phase being visited (-1: none yet), `values`, `sum` and `off` what
    came in it.
    """

    bins: int
    mean: FloatArray
    distance: FloatArray
    seen: Bytes
    here: Indices
    values: FloatArray
    sum: FloatArray
    off: FloatArray


def empty_phases(count: int, bins: int) -> Phases:
    """Nothing seen yet, for `count` series."""
    flat = np.zeros(count * bins), np.zeros(count * bins), np.zeros(count * bins, np.uint8)
    return Phases(bins, *flat, np.full(count, -1, np.int64), np.zeros(count), np.zeros(count), np.zeros(count))


def expected_at(series: Indices, phase: Indices, s: Phases) -> FloatArray:
    """Mean over the visits of a phase that are over; 0 if there was none."""
    expected: FloatArray = s.mean[series * s.bins + phase]
    return expected


def typical_distance(series: Indices, phase: Indices, s: Phases) -> FloatArray:
    """Mean distance of values from it."""
    distance: FloatArray = s.distance[series * s.bins + phase]
    return distance


def learn_phases(series: Indices, phase: Indices, x: FloatArray, s: Phases) -> None:
    """Take in a value of each series; if it begins a new visit, the last one is added to its phase."""
    over = (s.here[series] != phase) & (s.here[series] >= 0)
    _end_visits(series, over, s)
    goes_on = where(s.here[series] == phase, 1.0, 0.0)
    off = size_of(x - expected_at(series, phase, s))
    s.values[series] = goes_on * s.values[series] + 1.0
    s.sum[series] = goes_on * s.sum[series] + x
    s.off[series] = goes_on * s.off[series] + off
    s.here[series] = phase


def _end_visits(series: Indices, over: BoolArray, s: Phases) -> None:
    at = series * s.bins + larger(s.here[series], 0)
    seen, values = wide(s.seen[at]), larger(s.values[series], 1.0)
    rate = where(over, larger(1.0 / (seen + 1.0), RATE), 0.0)
    s.mean[at] = s.mean[at] + rate * (s.sum[series] / values - s.mean[at])
    # The distance of the first visit is from 0, which says nothing.
    spread_rate = where(over & (seen > 0.0), larger(1.0 / larger(seen, 1.0), RATE), 0.0)
    s.distance[at] = s.distance[at] + spread_rate * (s.off[series] / values - s.distance[at])
    s.seen[at] = whole(smaller(seen + where(over, 1.0, 0.0), MOST_SEEN))
