"""Two channels that share the false alarms: what is odd in its context, and what is a fault by its size.

Calibrated tails are comparable, so the larger of the two counts; each channel finds what the other cannot.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.baseline import expected_band, off_profile, scale_before, scale_of_day
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, bin_of, larger, log, root, where
from aiops_nb.detect.arithmetic.surprise import BINS, SILENT_POINTS, Histograms, density, empty_histograms, learn_bins
from aiops_nb.detect.arithmetic.tail_probability import (
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
from aiops_nb.detect.kernels.default import (
    PARTS,
    SHAPES,
    DefaultState,
    begin_default,
    context_of,
    empty_default,
    follow_default,
    learn_default,
    part_tails,
)
from aiops_nb.detect.kernels.default import PICKS as DEFAULT_PICKS
from aiops_nb.detect.kernels.facts import EDGES, FACTS, fact_parts, shared

CONTEXT_AHEAD = 0.5  # a mean of three tails, less what a long past asks for, is rarely as large as one of two
PICKS = 2


class HybridParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hybrid"):
    """Parameters of the combination: those of every streaming detector."""


class Hybrid(NamedTuple):
    """State of n series: that of `default`, and the distance from the time of day in what is expected at that time."""

    context: DefaultState
    time_of_day: Histograms
    surprise: Calibration
    picked: Bytes


def empty_hybrid(count: int, bins: int, params: HybridParams) -> Hybrid:
    """Nothing learned yet."""
    return Hybrid(
        empty_default(count, bins, params),  # type: ignore[arg-type]  # what both share
        empty_histograms(count, 1),
        empty_calibration(count, 1, SURPRISE_BINS),
        np.zeros(count * PICKS, np.uint8),
    )


def begin_hybrid(series: Indices, x: FloatArray, s: Hybrid) -> None:
    """Start series at their first value."""
    begin_default(series, x, s.context)


def _fact_tail(series: Indices, x: FloatArray, time_bin: Indices, scale: FloatArray, s: Hybrid) -> FloatArray:
    """Tail of the surprise over value, change and time of day; the bins of the first two were picked for `context`."""
    base, facts = s.context.base, s.context.facts
    day_scale = scale_of_day(series, time_bin, scale, base)
    s.picked[series * PICKS] = bin_of(EDGES, off_profile(series, x, time_bin, base) / day_scale) + 1
    first = series * DEFAULT_PICKS + SHAPES
    shares = density(series * BINS + s.picked[series * PICKS], series, s.time_of_day)
    for fact in range(FACTS - 1):
        shares = shares * density((series * FACTS + fact) * BINS + s.context.picked[first + fact], series, facts)
    raw = where(base.learned[series] > SILENT_POINTS, -log(shares) / FACTS, 0.0)
    place = bin_place(raw, s.surprise)
    s.picked[series * PICKS + 1] = bin_at_place(place, s.surprise)
    return tail(series, 0, place, base.learned[series], s.surprise)


def judge_hybrid(
    series: Indices, x: FloatArray, time_bin: Indices, s: Hybrid
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The larger of both channels, what was expected, and half the width of its band."""
    base = s.context.base
    scale = scale_before(series, x, base)
    shape, rare, new = part_tails(series, x, time_bin, s.context)
    fact = _fact_tail(series, x, time_bin, scale, s)
    context = context_of(shape, rare, new, base.learned[series])
    fault = root((fact * fact + new * new) / 2.0) - CONTEXT_AHEAD
    raw_score = when_warm(larger(larger(context, fault), 0.0), base.learned[series])
    return raw_score, *expected_band(series, x, time_bin, base)


def learn_hybrid(series: Indices, x: FloatArray, time_bin: Indices, s: Hybrid) -> None:
    """Take in the value just judged."""
    learn_bins(series, s.picked, series * PICKS, 1, s.time_of_day)
    learn_scores(series, s.picked, series * PICKS + 1, s.surprise)
    learn_default(series, x, time_bin, s.context)


def follow_hybrid(series: Indices, x: FloatArray, s: Hybrid) -> None:
    """Remember the value as context, without learning from it."""
    follow_default(series, x, s.context)


def explain_hybrid(series: Indices, x: FloatArray, time_bin: Indices, s: Hybrid) -> tuple[FloatArray, ...]:
    """What shape and novelty add, and each fact by its part of the surprise."""
    scale = scale_before(series, x, s.context.base)
    shape, _, new = part_tails(series, x, time_bin, s.context)
    fact = _fact_tail(series, x, time_bin, scale, s)
    facts = fact_parts(series, x, time_bin, s.context.base, s.context.facts)
    return shape * shape, new * new, *shared(fact * fact, facts)


KERNEL = Kernel(empty_hybrid, begin_hybrid, judge_hybrid, learn_hybrid, follow_hybrid, explain_hybrid, PARTS)
