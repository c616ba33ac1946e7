"""Shape, facts and novelty as one: their calibrated tails are comparable, so they combine."""

from __future__ import annotations

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.baseline import expected_band
from aiops_nb.detect.calibrate import when_warm
from aiops_nb.detect.elementary import Places
from aiops_nb.detect.kernels import Kernel, StreamParams
from aiops_nb.detect.unusual import (
    PARTS,
    Unusual,
    begin_unusual,
    combined_tails,
    empty_unusual,
    explain_unusual,
    follow_unusual,
    learn_unusual,
)


class HybridParams(StreamParams, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hybrid"):
    """Parameters of the combination: those of every streaming detector."""


def judge_hybrid(
    series: Places, x: FloatArray, time_bin: Places, s: Unusual
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The default detector's strangeness, without its demand that alarms become rarer as the past grows."""
    strangeness = when_warm(combined_tails(series, x, time_bin, s), s.base.learned[series])
    return strangeness, *expected_band(series, x, time_bin, s.base)


KERNEL = Kernel(empty_unusual, begin_unusual, judge_hybrid, learn_unusual, follow_unusual, explain_unusual, PARTS)
