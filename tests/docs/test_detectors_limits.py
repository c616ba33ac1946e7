"""What docs/reference/detectors.md says of a short past, and of one absurd value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aiops_nb import preprocess_series, score_series


def noise(seed: int, points: int, interval: str = "1min") -> pd.Series:
    times = pd.date_range("2026-01-01", periods=points, freq=interval, tz="UTC")
    return pd.Series(np.random.default_rng(seed).normal(1.0, 0.1, points), times)


def spike_after(detector: str, absurd: float, values: int) -> float:
    """Score of a threefold value, so many values after one absurd value of a series about 1."""
    series = noise(0, 1501 + values)
    series.iloc[[1500, -1]] = [absurd, 3.0]
    return float(score_series(series, detector).score.iloc[-1])


@pytest.mark.parametrize(("detector", "least", "most"), [("default", 2, 4), ("hybrid", 2, 4), ("faults", 0, 1)])
def test_a_short_past_alarms_more_often(detector: str, least: int, most: int) -> None:
    alarms = [score_series(noise(seed, 500), detector).is_anomaly.sum() for seed in range(8)]
    assert least <= np.mean(alarms) <= most


@pytest.mark.parametrize("detector", ["default", "faults", "median", "iqr"])
def test_a_hundredfold_value_hardly_matters(detector: str) -> None:
    assert spike_after(detector, 100.0, 500) > 40


@pytest.mark.parametrize(("detector", "values"), [("default", 4000), ("faults", 4000), ("median", 60), ("iqr", 60)])
def test_a_millionfold_value_blinds(detector: str, values: int) -> None:
    assert spike_after(detector, 1e6, values) < 20


@pytest.mark.parametrize("detector", ["median", "iqr"])
def test_medians_and_quartiles_see_again(detector: str) -> None:
    assert spike_after(detector, 1e6, 2000) > 50


def test_clipping_keeps_the_sight() -> None:
    series = noise(0, 2001)
    series.iloc[[1500, -1]] = [1e6, 3.0]
    clipped = preprocess_series(series, [{"type": "clip_mad", "deviations": 100}])
    assert clipped.iloc[-1] == 3.0
    assert score_series(clipped, "default").score.iloc[-1] > 40
