"""Counts are narrow while they can be."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb import kernel
from aiops_nb.features.params import WindowParams
from aiops_nb.features.requests.features import RequestFeatures
from aiops_nb.features.requests.histogram import Counts
from aiops_nb.features.requests.rows import RequestRows

RATIOS = (0.5, 0.95)


def test_narrow_counts_widen_before_they_overflow() -> None:
    narrow, wide, rng = Counts(4, narrow=True), Counts(4), np.random.default_rng(0)
    for _ in range(30):
        bins, series = np.full(5000, 100, np.int16), np.zeros(5000, np.int32)
        bins[:100] = rng.integers(0, 304, 100)
        series[:2000] = rng.integers(0, 4, 2000)
        for counts in (narrow, wide):
            counts.add(bins, series, 1)
        expected = wide.quantiles_and_backed(RATIOS, 4)
        assert narrow.quantiles_and_backed(RATIOS, 4).tobytes() == expected.tobytes()
    assert (narrow.arrays[0], wide.arrays[0]) == (4, 4)


def test_many_rows_of_many_series_stay_narrow() -> None:
    counts = Counts(1000, narrow=True)
    series = np.repeat(np.arange(1000, dtype=np.int32), 10)
    for _ in range(20):
        counts.add(np.zeros(len(series), np.int16), series, 1)
    assert counts.arrays[0] == 2


@pytest.mark.parametrize("with_kernel", [True, False])
def test_a_busy_series_has_the_same_quantiles_in_both(monkeypatch: pytest.MonkeyPatch, with_kernel: bool) -> None:
    if not with_kernel:
        monkeypatch.setattr(kernel, "compiled", None)
    features, rows = RequestFeatures(WindowParams(span_ticks=3, horizons_seconds=())), 70_000
    for window in range(5):
        seconds = np.full(rows, 0.02 if window < 3 else 0.3)
        columns = np.full(rows, window), np.zeros(rows, np.int64), np.full(rows, 200, np.int16), np.zeros(rows, bool)
        features.add(RequestRows(*columns, seconds))
        values = features.close(window, (window + 1) * 10**9, 1)
    assert values[3, 0] == 3 * rows and values[12, 0] == pytest.approx(0.3, rel=0.04)
