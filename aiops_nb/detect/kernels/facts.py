"""Spikes, bursts and dropouts: the value, its change and its distance from the time of day against their own past."""

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
    off_profile,
    scale_before,
    step_scale_before,
)
from aiops_nb.detect.arithmetic.operations import Bytes, Indices, bin_of, log, where
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

FACT_NAMES = ("value", "change", "time of day")
FACTS = len(FACT_NAMES)
PICKS = FACTS + 1
EDGES = edges(0.0)


class FactsParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="facts"):
    """Parameters of the detector of facts: those of every streaming detector."""


class Facts(NamedTuple):
    """State of n series; `picked` (n, PICKS) holds the bins of the value last judged, for learning it."""

    base: Baseline
    facts: Histograms
    surprise: Calibration
    picked: Bytes


def empty_facts(count: int, bins: int, params: FactsParams) -> Facts:
    """Nothing learned yet."""
    return Facts(
        empty_baseline(count, bins),
        empty_histograms(count, FACTS),
        empty_calibration(count, 1, SURPRISE_BINS),
        np.zeros(count * PICKS, np.uint8),
    )


def fact_surprise(
    series: Indices,
    x: FloatArray,
    time_bin: Indices,
    scale: FloatArray,
    base: Baseline,
    facts: Histograms,
    picked: Bytes,
    first: Indices,
) -> FloatArray:
    """Mean surprise over the three facts; their bins go into `picked[first : first + FACTS]`."""
    picked[first] = bin_of(EDGES, (x - centre_with(series, x, base)) / scale) + 1
    picked[first + 1] = bin_of(EDGES, (x - base.last[series]) / step_scale_before(series, scale, base)) + 1
    picked[first + 2] = bin_of(EDGES, off_profile(series, x, time_bin, base) / scale) + 1
    shares = density(series * FACTS * BINS + picked[first], series, facts)
    for fact in range(1, FACTS):
        shares = shares * density((series * FACTS + fact) * BINS + picked[first + fact], series, facts)
    return where(base.learned[series] > SILENT_POINTS, -log(shares) / FACTS, 0.0)


def fact_parts(
    series: Indices, x: FloatArray, time_bin: Indices, base: Baseline, facts: Histograms
) -> tuple[FloatArray, ...]:
    """Surprise over each of FACT_NAMES."""
    scale = scale_before(series, x, base)
    far = (
        (x - centre_with(series, x, base)) / scale,
        (x - base.last[series]) / step_scale_before(series, scale, base),
        off_profile(series, x, time_bin, base) / scale,
    )
    positions = [(series * FACTS + fact) * BINS + bin_of(EDGES, one) + 1 for fact, one in enumerate(far)]
    return tuple(-log(density(at, series, facts)) for at in positions)


def shared(whole: FloatArray, parts: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
    """The whole, divided as the parts are."""
    total = sum(parts) + 1e-300
    return tuple(whole * part / total for part in parts)


def explain_facts(series: Indices, x: FloatArray, time_bin: Indices, s: Facts) -> tuple[FloatArray, ...]:
    """What each fact adds."""
    return fact_parts(series, x, time_bin, s.base, s.facts)


def begin_facts(series: Indices, x: FloatArray, s: Facts) -> None:
    """Start series at their first value."""
    begin(series, x, s.base)


def fact_tail(series: Indices, x: FloatArray, time_bin: Indices, s: Facts) -> FloatArray:
    """How rare the surprise over the facts is, as -log10 of a tail probability; the bins are picked for learning."""
    scale, first = scale_before(series, x, s.base), series * PICKS
    raw = fact_surprise(series, x, time_bin, scale, s.base, s.facts, s.picked, first)
    place = bin_place(raw, s.surprise)
    s.picked[first + FACTS] = bin_at_place(place, s.surprise)
    return tail(series, 0, place, s.base.learned[series], s.surprise)


def judge_facts(
    series: Indices, x: FloatArray, time_bin: Indices, s: Facts
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raw score as -log10 of a tail probability, what was expected, and half the width of its band."""
    raw_score = when_warm(fact_tail(series, x, time_bin, s), s.base.learned[series])
    return raw_score, *expected_band(series, x, time_bin, s.base)


def learn_facts(series: Indices, x: FloatArray, time_bin: Indices, s: Facts) -> None:
    """Take in the value just judged."""
    first = series * PICKS
    learn_bins(series, s.picked, first, FACTS, s.facts)
    learn_scores(series, s.picked, first + FACTS, s.surprise)
    learn_baseline(series, x, time_bin, s.base)


def follow_facts(series: Indices, x: FloatArray, s: Facts) -> None:
    """Remember the value as the last one, without learning from it."""
    s.base.last[series] = x


KERNEL = Kernel(empty_facts, begin_facts, judge_facts, learn_facts, follow_facts, explain_facts, FACT_NAMES)
