"""The default detector: shape of the last points, values never seen, and the facts of `facts.py`; few alarms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import (
    Baseline,
    begin,
    centre_with,
    empty_baseline,
    expected_band,
    learn_baseline,
    outside_range,
    scale_before,
)
from aiops_nb.detect.arithmetic.operations import LOG10_E, Bytes, Indices, bin_of, larger, log, root, where
from aiops_nb.detect.arithmetic.surprise import (
    BINS,
    SILENT_POINTS,
    Histograms,
    density,
    edges,
    empty_histograms,
    learn_bins,
)
from aiops_nb.detect.arithmetic.tail_probability import (
    ANY_BINS,
    SURPRISE_BINS,
    Calibration,
    bin_at_place,
    bin_place,
    empty_calibration,
    learn_scores,
    tail,
    when_warm,
)
from aiops_nb.detect.kernel import Kernel, StreamParams
from aiops_nb.detect.kernels.facts import FACT_NAMES, FACTS, fact_parts, fact_surprise, shared

SHAPES = 32
PAST = 24  # points that a shape is made of, the present one included
PULLS = 4  # of them that one projection looks at
SCORES = 3
PICKS = SHAPES + FACTS + SCORES
LONG_PAST_POINTS = 4000.0


def _drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The fixed projections: which points, with what weights of unit norm, and where their bins begin."""
    random = np.random.RandomState(2)  # the legacy generator never changes its numbers
    lags, weights = np.zeros((SHAPES, PULLS), np.int64), np.zeros((SHAPES, PULLS))
    for shape in range(SHAPES):
        lags[shape] = random.permutation(PAST)[:PULLS]
        drawn = np.array([random.normal() for _ in range(PULLS)])
        weights[shape] = drawn / np.sqrt(np.sum(drawn * drawn))
    return lags, weights, np.stack([edges(offset) for offset in random.random_sample(SHAPES)])


LAGS, WEIGHTS, EDGES = _drawn()


class DefaultParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="default"):
    """Parameters of the default detector: those of every streaming detector."""


class DefaultState(NamedTuple):
    """State of n series.

    `ring` (n, PAST) holds the last values, `ring_at` (n,) the place of the next; `picked` (n, PICKS) the bins of the
    value last judged, for learning it.
    """

    base: Baseline
    ring: FloatArray
    ring_at: Indices
    shapes: Histograms
    facts: Histograms
    surprise: Calibration
    novelty: Calibration
    picked: Bytes


def empty_default(count: int, bins: int, params: DefaultParams) -> DefaultState:
    """Nothing learned yet."""
    return DefaultState(
        empty_baseline(count, bins),
        np.zeros(count * PAST),
        np.zeros(count, np.int64),
        empty_histograms(count, SHAPES),
        empty_histograms(count, FACTS),
        empty_calibration(count, 2, SURPRISE_BINS),
        empty_calibration(count, 1, ANY_BINS),
        np.zeros(count * PICKS, np.uint8),
    )


def begin_default(series: Indices, x: FloatArray, s: DefaultState) -> None:
    """Start series at their first value, as if it had always been so."""
    begin(series, x, s.base)
    for at in range(PAST):
        s.ring[series * PAST + at] = x


def shape_surprise(series: Indices, x: FloatArray, scale: FloatArray, s: DefaultState) -> FloatArray:
    """Mean surprise over the projections of the last points."""
    centre = centre_with(series, x, s.base)
    newest = s.ring_at[series] + PAST
    past = [(s.ring[series * PAST + (newest - lag) % PAST] - centre) / scale for lag in range(1, PAST)]
    recent = [(x - centre) / scale, *past]
    shares = scale / scale
    for shape in range(SHAPES):
        lags, weights = LAGS[shape], WEIGHTS[shape]
        height = weights[0] * recent[lags[0]] + weights[1] * recent[lags[1]]
        height = height + weights[2] * recent[lags[2]] + weights[3] * recent[lags[3]]
        picked = bin_of(EDGES[shape], height) + 1
        s.picked[series * PICKS + shape] = picked
        shares = shares * density((series * SHAPES + shape) * BINS + picked, series, s.shapes)
    return where(s.base.learned[series] > SILENT_POINTS, -log(shares) / SHAPES, 0.0)


def part_tails(
    series: Indices, x: FloatArray, time_bin: Indices, s: DefaultState
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Tails of shape, facts and novelty; their bins are picked for learning."""
    scale = scale_before(series, x, s.base)
    first = series * PICKS + SHAPES
    shape = bin_place(shape_surprise(series, x, scale, s), s.surprise)
    rare = bin_place(fact_surprise(series, x, time_bin, scale, s.base, s.facts, s.picked, first), s.surprise)
    new = bin_place(outside_range(series, x, scale, s.base), s.novelty)
    s.picked[first + FACTS] = bin_at_place(shape, s.surprise)
    s.picked[first + FACTS + 1] = bin_at_place(rare, s.surprise)
    s.picked[first + FACTS + 2] = bin_at_place(new, s.novelty)
    learned = s.base.learned[series]
    shape_tail = tail(series, 0, shape, learned, s.surprise)
    return shape_tail, tail(series, 1, rare, learned, s.surprise), tail(series, 0, new, learned, s.novelty)


def context_of(shape: FloatArray, rare: FloatArray, new: FloatArray, learned: Indices) -> FloatArray:
    """Root mean square of the three tails; the longer the past, the rarer an alarm must be."""
    rarer = 0.5 * LOG10_E * log(larger(learned, 100.0) / LONG_PAST_POINTS)
    return larger(root((shape * shape + new * new + rare * rare) / SCORES) - rarer, 0.0)


def explain_default(series: Indices, x: FloatArray, time_bin: Indices, s: DefaultState) -> tuple[FloatArray, ...]:
    """What shape and novelty add, and each fact by its part of the surprise."""
    shape, rare, new = part_tails(series, x, time_bin, s)
    facts = fact_parts(series, x, time_bin, s.base, s.facts)
    return shape * shape, new * new, *shared(rare * rare, facts)


def judge_default(
    series: Indices, x: FloatArray, time_bin: Indices, s: DefaultState
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score as -log10 of roughly a tail probability, what was expected, and half the width of its band."""
    learned = s.base.learned[series]
    raw_score = context_of(*part_tails(series, x, time_bin, s), learned)
    return when_warm(raw_score, learned), *expected_band(series, x, time_bin, s.base)


def learn_default(series: Indices, x: FloatArray, time_bin: Indices, s: DefaultState) -> None:
    """Take in the value just judged."""
    first = series * PICKS
    learn_bins(series, s.picked, first, SHAPES, s.shapes)
    learn_bins(series, s.picked, first + SHAPES, FACTS, s.facts)
    learn_scores(series, s.picked, first + SHAPES + FACTS, s.surprise)
    learn_scores(series, s.picked, first + SHAPES + FACTS + 2, s.novelty)
    learn_baseline(series, x, time_bin, s.base)
    follow_default(series, x, s)


def follow_default(series: Indices, x: FloatArray, s: DefaultState) -> None:
    """Remember the value as context, without learning from it."""
    s.ring[series * PAST + s.ring_at[series]] = x
    s.ring_at[series] = (s.ring_at[series] + 1) % PAST
    s.base.last[series] = x


PARTS = ("shape", "new value", *FACT_NAMES)
KERNEL = Kernel(empty_default, begin_default, judge_default, learn_default, follow_default, explain_default, PARTS)
