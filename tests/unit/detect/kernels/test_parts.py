"""The parts that explain a score of the kernel `faults` add up to the score."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.detect.kernels.faults import (
    OF_EXTREMES,
    FaultsParams,
    begin_faults,
    empty_faults,
    explain_faults,
    judge_faults,
    learn_faults,
)


@pytest.mark.parametrize("last", [10.0, 14.0, 300.0])
def test_the_parts_add_up_to_the_score(last):
    series, time_bin = np.array([0]), np.array([0])
    state = empty_faults(1, 24, FaultsParams())
    values = 10 + np.random.default_rng(1).normal(0, 1, 400)
    begin_faults(series, values[:1], state)
    for value in values:
        learn_faults(series, np.array([value]), time_bin, state)
    judged = np.array([last])
    score, _, _ = judge_faults(series, judged, time_bin, state)
    parts = explain_faults(series, judged, time_bin, state)
    assert sum(parts)[0] == pytest.approx((1 + OF_EXTREMES) * score[0] ** 2, rel=1e-9)
    assert all(part[0] >= 0 for part in parts)
