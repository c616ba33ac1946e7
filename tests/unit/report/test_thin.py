"""Thinning keeps the peaks, the gaps and the bounds."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.report.figures import POINTS_PER_PAGE, points_each, thin


def series(values):
    times = pd.date_range("2026-01-01", periods=len(values), freq="s", tz="UTC")
    return pd.DataFrame({"time": times, "v": np.asarray(values, float), "w": np.asarray(values, float)})


@settings(max_examples=30)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), points=st.integers(1, 20))
def test_the_extremes_survive_and_the_count_is_bounded(values, points):
    thinned = thin(series(values), {"v": "max", "w": "min"}, points)
    assert len(thinned) <= points
    assert thinned["v"].max() == max(values)
    assert thinned["w"].min() == min(values)
    assert thinned["time"].is_monotonic_increasing


def test_a_slice_without_values_stays_empty():
    thinned = thin(series([1.0] * 10 + [np.nan] * 10 + [1.0] * 10), {"v": "max"}, 3)
    assert thinned["v"].isna().tolist() == [False, True, False]


def test_few_rows_are_left_alone():
    assert thin(series([3, 1, 2]), {"v": "max"}, 10)["v"].tolist() == [3, 1, 2]


def test_a_page_of_many_series_stays_within_its_points():
    assert all(points_each(n, 6) * n * 6 <= POINTS_PER_PAGE for n in range(1, 100))
    assert points_each(1, 1) == 2000
