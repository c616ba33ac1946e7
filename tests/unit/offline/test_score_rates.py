"""A rate of false alarms is kept, or the user is told; a band holds no value that is called anomalous."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from aiops_nb.config.load import load_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.estimators.adapter import as_detector
from aiops_nb.detect.kernel import StreamParams
from aiops_nb.detect.kernels.ewma import EwmaParams
from aiops_nb.detect.registry import STREAMING, build_detector, threshold_for
from aiops_nb.detect.score_scale import LEAST_POINTS, MOST_POINTS, as_scores
from aiops_nb.offline.score import score_frame, score_series


def series(interval: str, points: int = 700, seed: int = 0) -> pd.Series:
    times = pd.date_range("2026-01-05", periods=points, freq=interval, tz="UTC")
    return pd.Series(np.random.default_rng(seed).normal(5.0, 1.0, points), times, name="value")


@pytest.mark.parametrize(
    ("interval", "rate", "points"), [("1h", 0.5, "48"), ("30min", 0.5, "96"), ("1D", 1.0, "1"), ("1min", 20.0, "72")]
)
def test_a_rate_that_cannot_be_kept_is_warned_of_and_not_exceeded(interval: str, rate: float, points: str) -> None:
    with pytest.warns(UserWarning, match=re.escape(f"is one in {points} values")) as caught:
        scores = score_series(series(interval), "default", false_alarms_per_day=rate)
    assert "The threshold of one in 500 is used: expect about" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert scores.is_anomaly[100:].sum() <= 5 * (len(scores) - 100) / LEAST_POINTS


@pytest.mark.parametrize(("interval", "rate"), [("5min", 0.5), ("1min", 0.5), ("10s", 0.1), ("1s", 0.1), ("1h", 0.04)])
def test_a_rate_that_is_calibrated_is_not_warned_of(interval: str, rate: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score_series(series(interval, 60), "facts", false_alarms_per_day=rate)


def test_an_extrapolated_rate_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="The threshold is extrapolated"):
        threshold = threshold_for(EwmaParams(), 0.05, 1.0)
    assert threshold > STREAMING["ewma"].scale.threshold(86_400.0 / MOST_POINTS, 1.0)


def test_a_config_of_long_windows_is_warned_of_too() -> None:
    rule = {"alertname": "a", "feature": "rate_hz", "false_alarms_per_day": 0.5, "detector": {"type": "faults"}}
    config = {"pipeline": {"window": {"tick_seconds": 3600.0}, "feature_rules": [rule]}}
    with pytest.warns(UserWarning, match="one in 48 values 3600 s apart"):
        load_config(config)


def test_a_frame_warns_once_where_it_is_called() -> None:
    with pytest.warns(UserWarning, match="one in 48") as caught:
        score_frame(series("1h").to_frame())
    assert {one.filename for one in caught} == {__file__}


def forest(features: list[str]):
    ensemble = pytest.importorskip("sklearn.ensemble")
    return as_detector(ensemble.IsolationForest(n_estimators=10), features=features)


def test_a_rate_is_refused_for_scores_that_are_not_calibrated() -> None:
    message = "scores of isolation_forest have no calibrated false-alarm rate; set the detector's `threshold`"
    with pytest.raises(ConfigError, match=message):
        score_series(series("1min"), forest(["value"]), false_alarms_per_day=0.5)
    frame = pd.DataFrame({"a": series("1min"), "b": series("1min")})
    for detector in (forest(["a", "b"]), forest(["a"])):
        with pytest.raises(ConfigError, match=message):
            score_frame(frame, detector, false_alarms_per_day=0.5)
    assert len(score_frame(frame, forest(["a", "b"]))) == 700


def test_a_calibrated_detector_that_comes_ready_takes_a_rate() -> None:
    one = series("1min")
    ready = build_detector(STREAMING["faults"].params(interval_seconds=60.0), ("value",), 99.0)
    assert not score_series(one, ready).is_anomaly.any()
    by_rate = score_series(one, ready, false_alarms_per_day=2.0)
    by_name = score_series(one, "faults", false_alarms_per_day=2.0)
    assert by_rate.is_anomaly.tolist() == by_name.is_anomaly.tolist()
    assert by_rate.is_anomaly.any()


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("size", [1e-200, 1e154, 1e160, 1e200, 1e290])
def test_the_band_of_huge_and_tiny_values_is_finite(name: str, size: float) -> None:
    values = series("1min", 200) * size
    values.iloc[150] *= 40.0
    scores = score_series(values, name, cooldown_seconds=0)
    warm = scores.iloc[60:]
    assert np.isfinite(warm.score).all() and np.isfinite(warm.expected).all()
    inside = warm[~warm.is_anomaly]
    assert np.isfinite(inside.upper).all() and np.isfinite(inside.lower).all()
    ordinary = score_series(values / size, name, cooldown_seconds=0).iloc[60:]
    assert (warm.score - ordinary.score).abs().max() < 5.0


@pytest.mark.parametrize("name", STREAMING)
def test_no_anomaly_lies_inside_its_own_band(name: str) -> None:
    values = series("1min", 3_000, seed=3)
    values.iloc[900:] += 0.8 * np.sin(np.arange(2_100))
    values.iloc[1_500:1_560] = 5.0
    values.iloc[2_000] = 30.0
    scores = score_series(values, name, false_alarms_per_day=2.0, cooldown_seconds=0)
    alarms = scores[scores.is_anomaly]
    assert len(alarms) or name in ("cusum", "shift")
    assert not ((alarms.value >= alarms.lower) & (alarms.value <= alarms.upper)).any()
    assert alarms.expected.notna().all()
    assert scores[~scores.is_anomaly].iloc[60:].upper.notna().all()


def test_what_is_left_of_a_mean_that_decayed_is_zero() -> None:
    verdict = np.array([20.0]), np.array([2.17e-17]), np.array([0.01])
    assert as_scores(StreamParams(), np.array([0.0]), verdict).expected.tolist() == [0.0]
    small = np.array([20.0]), np.array([2.17e-17]), np.array([1e-17])
    assert as_scores(StreamParams(), np.array([0.0]), small).expected.tolist() == [2.17e-17]
