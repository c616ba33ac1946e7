"""Faults that go beyond everything seen: the tails of the facts and of novelty together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.baseline import expected_band, outside_range, scale_before, scale_of_day
from aiops_nb.detect.calibrate import (
    ANY_BINS,
    Calibration,
    bin_at_place,
    bin_place,
    empty_calibration,
    learn_scores,
    tail,
    when_warm,
)
from aiops_nb.detect.elementary import Bytes, Places, root
from aiops_nb.detect.faults import (
    FACT_NAMES,
    Faults,
    FaultsParams,
    begin_faults,
    empty_faults,
    fact_parts,
    fact_tail,
    follow_faults,
    learn_faults,
    shared,
)
from aiops_nb.detect.kernels import Kernel, StreamParams


class ExtremesParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="extremes"):
    """Parameters of the detector of extremes: those of every streaming detector."""


class Extremes(NamedTuple):
    """State of n series; `picked` (n,) holds the bin of the novelty last judged."""

    facts: Faults
    novelty: Calibration
    picked: Bytes


def empty_extremes(count: int, bins: int, params: ExtremesParams) -> Extremes:
    """Nothing learned yet."""
    facts = empty_faults(count, bins, FaultsParams())
    return Extremes(facts, empty_calibration(count, 1, ANY_BINS), np.zeros(count, np.uint8))


def begin_extremes(series: Places, x: FloatArray, s: Extremes) -> None:
    """Start series at their first value."""
    begin_faults(series, x, s.facts)


def _tails(series: Places, x: FloatArray, time_bin: Places, s: Extremes) -> tuple[FloatArray, FloatArray]:
    base = s.facts.base
    scale = scale_before(series, x, base)
    place = bin_place(outside_range(series, x, scale, base), s.novelty)
    s.picked[series] = bin_at_place(place, s.novelty)
    new = tail(series, 0, place, base.learned[series], s.novelty)
    return new, fact_tail(series, x, time_bin, scale_of_day(series, time_bin, scale, base), s.facts)


def judge_extremes(
    series: Places, x: FloatArray, time_bin: Places, s: Extremes
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Root mean square of two strangenesses, what was expected, and half the width of its band."""
    new, rare = _tails(series, x, time_bin, s)
    strangeness = when_warm(root((rare * rare + new * new) / 2.0), s.facts.base.learned[series])
    return strangeness, *expected_band(series, x, time_bin, s.facts.base)


def explain_extremes(series: Places, x: FloatArray, time_bin: Places, s: Extremes) -> tuple[FloatArray, ...]:
    """What novelty adds, and each fact by its part of the surprise."""
    new, rare = _tails(series, x, time_bin, s)
    day_scale = scale_of_day(series, time_bin, scale_before(series, x, s.facts.base), s.facts.base)
    facts = fact_parts(series, x, time_bin, day_scale, s.facts.base, s.facts.facts)
    return new * new, *shared(rare * rare, facts)


def learn_extremes(series: Places, x: FloatArray, time_bin: Places, s: Extremes) -> None:
    """Take in the value just judged."""
    learn_scores(series, s.picked, series, s.novelty)
    learn_faults(series, x, time_bin, s.facts)


def follow_extremes(series: Places, x: FloatArray, s: Extremes) -> None:
    """Remember the value as the last one, without learning from it."""
    follow_faults(series, x, s.facts)


KERNEL = Kernel(
    empty_extremes,
    begin_extremes,
    judge_extremes,
    learn_extremes,
    follow_extremes,
    explain_extremes,
    ("new value", *FACT_NAMES),
)
