"""A score is known from the stated number of points on."""

from __future__ import annotations

import numpy as np

from aiops_nb.detect.arithmetic.tail_probability import SILENT_POINTS, when_warm


def test_the_first_score_comes_with_the_last_point_of_the_warm_up():
    learned = np.array([0, SILENT_POINTS - 1, SILENT_POINTS, SILENT_POINTS + 1])
    assert np.isnan(when_warm(np.full(4, 3.0), learned)).tolist() == [True, True, False, False]
