"""Half-Space Trees (Tan, Ting and Liu 2011) over value and change, with masses that decay instead of two windows.

By hand: river's are one Python object a series.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import (
    Baseline,
    begin,
    empty_baseline,
    expected_band,
    learn_baseline,
    scale_before,
    step_scale_before,
)
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, Weights, larger, log, shrink, size_of, where, wide
from aiops_nb.detect.arithmetic.tail_probability import ANY_BINS, Calibration, empty_calibration, learn_scores, rarity
from aiops_nb.detect.kernel import Kernel, StreamParams

TREES = 25
DEPTH = 6
LEAVES = 2**DEPTH
GROWTH = 2.0 ** (1.0 / 1000)  # half-life 1000 points
LIMIT = 1e9
LEAST_PART = 1e-9  # so that both get equal shares where neither alone accounts for it


class HalfSpaceTreesParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="half_space_trees"):
    """Parameters of the trees: those of every streaming detector."""


class Trees(NamedTuple):
    """State of n series: `mass` flat (n, TREES, LEAVES); `leaves` (n, TREES) where the value last judged fell."""

    base: Baseline
    mass: Weights
    total: FloatArray
    unit: FloatArray
    leaves: Bytes
    picked: Bytes
    past: Calibration


def _drawn() -> tuple[np.ndarray, np.ndarray]:
    """Which of the two features each inner node asks, and where it cuts: the middle of what is left of a random box."""
    random = np.random.RandomState(7)
    feature, cut = np.zeros((TREES, LEAVES), np.int64), np.zeros((TREES, LEAVES))
    for tree in range(TREES):
        centre = random.random_sample(2)
        reach = 2.0 * np.maximum(centre, 1.0 - centre)
        boxes = {1: (centre - reach, centre + reach)}
        for node in range(1, LEAVES):
            low, high = boxes[node]
            asked = feature[tree, node] = random.randint(2)
            cut[tree, node] = (low[asked] + high[asked]) / 2.0
            left, right = high.copy(), low.copy()
            left[asked] = right[asked] = cut[tree, node]
            boxes[2 * node], boxes[2 * node + 1] = (low, left), (right, high)
    return feature, cut


FEATURE, CUT = _drawn()
FEATURE_FLAT, CUT_FLAT = FEATURE.ravel(), CUT.ravel()


def empty_trees(count: int, bins: int, params: HalfSpaceTreesParams) -> Trees:
    """Nothing learned yet."""
    return Trees(
        empty_baseline(count, bins),
        np.zeros(count * TREES * LEAVES, np.float32),
        np.zeros(count),
        np.ones(count),
        np.zeros(count * TREES, np.uint8),
        np.zeros(count, np.uint8),
        empty_calibration(count, 1, ANY_BINS),
    )


def begin_trees(series: Indices, x: FloatArray, s: Trees) -> None:
    """Start series at their first value."""
    begin(series, x, s.base)


def _squashed(z: FloatArray) -> FloatArray:
    """From any distance to (0, 1)."""
    part: FloatArray = 0.5 + 0.5 * z / (3.0 + size_of(z))
    return part


def _coordinates(series: Indices, x: FloatArray, s: Trees) -> tuple[FloatArray, FloatArray]:
    """Value and change in the box of the trees; 0.5 is the baseline."""
    scale = scale_before(series, x, s.base)
    change = (x - s.base.last[series]) / step_scale_before(series, scale, s.base)
    return _squashed((x - s.base.centre[series]) / scale), _squashed(change)


def _leaf(series: Indices, tree: int, value: FloatArray, change: FloatArray) -> Indices:
    node = series * 0 + 1
    for _ in range(DEPTH):
        at = tree * LEAVES + node
        node = node * 2 + where(where(FEATURE_FLAT[at] > 0, change, value) > CUT_FLAT[at], 1, 0)
    leaf: Indices = node - LEAVES
    return leaf


def _share(series: Indices, tree: int, leaf: Indices, s: Trees) -> FloatArray:
    """Share of all mass that fell into a leaf."""
    mass = wide(s.mass[(series * TREES + tree) * LEAVES + leaf])
    return (mass + 0.1 * s.unit[series]) / (s.total[series] + s.unit[series])


def judge_trees(
    series: Indices, x: FloatArray, time_bin: Indices, s: Trees
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score of falling where little mass is; expected value and band are the baseline's."""
    value, change = _coordinates(series, x, s)
    shares = s.unit[series] / s.unit[series]
    for tree in range(TREES):
        leaf = _leaf(series, tree, value, change)
        s.leaves[series * TREES + tree] = leaf
        shares = shares * _share(series, tree, leaf, s)
    raw = -log(shares) / TREES
    raw_score = rarity(series, raw, s.base.learned[series], s.picked, series, s.past)
    return raw_score, *expected_band(series, x, time_bin, s.base)


def _surprise(series: Indices, value: FloatArray, change: FloatArray, s: Trees) -> FloatArray:
    shares = s.unit[series] / s.unit[series]
    for tree in range(TREES):
        shares = shares * _share(series, tree, _leaf(series, tree, value, change), s)
    return -log(shares) / TREES


def explain_trees(series: Indices, x: FloatArray, time_bin: Indices, s: Trees) -> tuple[FloatArray, ...]:
    """How much of the surprise is gone where the value, or its change, is put at its baseline."""
    value, change = _coordinates(series, x, s)
    whole, baseline = _surprise(series, value, change, s), value * 0.0 + 0.5
    without = _surprise(series, baseline, change, s), _surprise(series, value, baseline, s)
    return tuple(larger(whole - rest, LEAST_PART) for rest in without)


def learn_trees(series: Indices, x: FloatArray, time_bin: Indices, s: Trees) -> None:
    """The leaves just reached gain mass."""
    learn_scores(series, s.picked, series, s.past)
    unit = s.unit[series] * GROWTH
    for tree in range(TREES):
        at = (series * TREES + tree) * LEAVES + s.leaves[series * TREES + tree]
        s.mass[at] = wide(s.mass[at]) + unit
    divisor = shrink(s.mass, series * TREES * LEAVES, TREES * LEAVES, unit, LIMIT)
    s.total[series] = (s.total[series] + unit) / divisor
    s.unit[series] = unit / divisor
    learn_baseline(series, x, time_bin, s.base)


def follow_trees(series: Indices, x: FloatArray, s: Trees) -> None:
    """Remember the value as the last one, without learning from it."""
    s.base.last[series] = x


KERNEL = Kernel(empty_trees, begin_trees, judge_trees, learn_trees, follow_trees, explain_trees, ("value", "change"))
