"""The edges of the bins are those of an arcsinh scale."""

from __future__ import annotations

import numpy as np

from aiops_nb.detect.arithmetic.surprise import BINS, MIDDLE, PER_UNIT, edges


def test_edges_lie_evenly_on_an_arcsinh_scale():
    lower = edges(0.0)
    assert lower.shape == (BINS - 3,)
    np.testing.assert_allclose(np.arcsinh(2 * lower), (np.arange(2, BINS - 1) - MIDDLE) / PER_UNIT, atol=1e-9)
