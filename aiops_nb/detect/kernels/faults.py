"""Faults of services, by three judges of equal weight: rare facts, size by the hour, and the level of the last values.

The last two are `extremes`. The score is the root mean square of their rarities, so that two of them suffice for an
alarm (docs/reference/detectors.md).
"""

from __future__ import annotations

from typing import NamedTuple

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import Indices, root
from aiops_nb.detect.kernel import Kernel, StreamParams
from aiops_nb.detect.kernels.extremes import KERNEL as EXTREMES_KERNEL
from aiops_nb.detect.kernels.extremes import (
    Extremes,
    ExtremesParams,
    begin_extremes,
    empty_extremes,
    explain_extremes,
    follow_extremes,
    history_of_extremes,
    judge_extremes,
    learn_extremes,
)
from aiops_nb.detect.kernels.facts import (
    Facts,
    FactsParams,
    begin_facts,
    empty_facts,
    explain_facts,
    follow_facts,
    judge_facts,
    learn_facts,
    shared,
)

OF_EXTREMES = 2.0  # judges


class FaultsParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="faults"):
    """Parameters of the detector of faults: those of every streaming detector."""


class Faults(NamedTuple):
    """State of n series: that of both judges."""

    facts: Facts
    extremes: Extremes


def empty_faults(count: int, bins: int, params: FaultsParams) -> Faults:
    """Nothing learned yet."""
    return Faults(empty_facts(count, bins, FactsParams()), empty_extremes(count, bins, ExtremesParams()))


def begin_faults(series: Indices, x: FloatArray, s: Faults) -> None:
    """Start series at their first value."""
    begin_facts(series, x, s.facts)
    begin_extremes(series, x, s.extremes)


def judge_faults(
    series: Indices, x: FloatArray, time_bin: Indices, s: Faults
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Root mean square of the three; what was expected and its band are those of the season."""
    rare, _, _ = judge_facts(series, x, time_bin, s.facts)
    extreme, expected, half_band = judge_extremes(series, x, time_bin, s.extremes)
    return root((rare * rare + OF_EXTREMES * extreme * extreme) / (1.0 + OF_EXTREMES)), expected, half_band


def explain_faults(series: Indices, x: FloatArray, time_bin: Indices, s: Faults) -> tuple[FloatArray, ...]:
    """What novelty and shift add, and each fact by its part in both."""
    rare, _, _ = judge_facts(series, x, time_bin, s.facts)
    extreme, _, _ = judge_extremes(series, x, time_bin, s.extremes)
    value, change, hour = shared(rare * rare, explain_facts(series, x, time_bin, s.facts))
    parts = shared(OF_EXTREMES * extreme * extreme, explain_extremes(series, x, time_bin, s.extremes))
    return parts[0], value + parts[1], change + parts[2], hour + parts[3], parts[4]


def learn_faults(series: Indices, x: FloatArray, time_bin: Indices, s: Faults) -> None:
    """Take in the value just judged."""
    learn_facts(series, x, time_bin, s.facts)
    learn_extremes(series, x, time_bin, s.extremes)


def follow_faults(series: Indices, x: FloatArray, s: Faults) -> None:
    """Remember the value as the last one, without learning from it."""
    follow_facts(series, x, s.facts)
    follow_extremes(series, x, s.extremes)


def history_of_faults(series: Indices, time_bin: Indices, s: Faults) -> tuple[FloatArray, FloatArray, FloatArray]:
    """See `Kernel.history`."""
    return history_of_extremes(series, time_bin, s.extremes)


KERNEL = Kernel(
    empty_faults,
    begin_faults,
    judge_faults,
    learn_faults,
    follow_faults,
    explain_faults,
    EXTREMES_KERNEL.parts,
    history_of_faults,
)
