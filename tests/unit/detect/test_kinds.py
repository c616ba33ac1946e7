"""Faults of a kind that one detector is for: values that freeze, levels that change, and when."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, Item, SeriesKey
from aiops_nb.detect.kernels.cusum import CusumParams
from aiops_nb.detect.registry import build_detector
from aiops_nb.detect.streaming import StreamingDetector
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.offline.score import score_series
from aiops_nb.rules.feature.params import FeatureRuleParams


def series(values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=pd.date_range("2026-01-05", periods=len(values), freq="1min", tz="UTC"))


def test_a_value_that_freezes_is_found_by_stuck_alone() -> None:
    values = 5.0 + np.random.default_rng(0).normal(size=3000)
    values[2000:2060] = values[2000]
    stuck = score_series(series(values), "stuck")
    alarms = np.flatnonzero(stuck.is_anomaly)
    assert len(alarms) == 1
    assert 2001 < alarms[0] < 2020
    assert score_series(series(values), "faults").score.iloc[2010:2060].max() < stuck.score.iloc[2059]


def test_counts_that_often_repeat_need_a_longer_run() -> None:
    random = np.random.default_rng(1)
    counts = random.poisson(0.7, 4000).astype(float)
    counts[3000:3100] = 1.0
    told = score_series(series(counts), "stuck")
    assert told.is_anomaly.iloc[:3000].sum() <= 2  # of two days, at half an alarm a day
    assert told.score.iloc[3003] < 45
    assert told.is_anomaly.iloc[3000:3100].any()


def test_a_series_that_rests_by_nature_is_not_stuck() -> None:
    steps = np.repeat(np.random.default_rng(2).normal(size=100), 30)
    assert not score_series(series(steps), "stuck").is_anomaly.any()


@pytest.mark.parametrize("name", ["default", "hybrid"])
def test_a_larger_spike_is_stranger_without_end(name: str) -> None:
    values = np.random.default_rng(3).normal(size=1500)
    sizes = 10.0 ** np.arange(1, 13)
    scores = [score_series(series(np.r_[values, size]), name).score.iloc[-1] for size in sizes]
    assert (np.diff(scores) > 1e-6).all()
    assert scores[-1] < 100


def test_a_larger_spike_is_never_less_strange_to_faults() -> None:
    values = np.random.default_rng(3).normal(size=1500)
    scores = [score_series(series(np.r_[values, size]), "faults").score.iloc[-1] for size in 10.0 ** np.arange(1, 13)]
    assert (np.diff(scores) >= 0).all()


def test_faults_is_the_root_mean_square_of_its_three_judges() -> None:
    values = np.random.default_rng(5).normal(size=400)
    told = {name: score_series(series(values), name).score for name in ("faults", "facts", "extremes")}
    rarity = {name: 3 * score / (100 - score) for name, score in told.items()}
    all_three = np.sqrt((rarity["facts"] ** 2 + 2 * rarity["extremes"] ** 2) / 3)
    np.testing.assert_allclose(rarity["faults"], all_three, rtol=1e-9)
    assert all_three.iloc[50:].gt(0).any()


@pytest.mark.parametrize("seed", [6, 16, 26])
def test_shift_knows_a_loss_better_than_a_judge_of_single_values(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=2000)
    values[1900:1920] -= 1.5
    scores = {name: score_series(series(values), name).score.to_numpy() for name in ("shift", "facts")}
    ahead = {name: score[1900:1920].max() - np.nanmax(score[100:1900]) for name, score in scores.items()}
    assert ahead["shift"] > 2 > 0 > ahead["facts"]


def test_a_level_that_stays_is_soon_no_shift() -> None:
    values = np.random.default_rng(7).normal(size=2000) + 3.0 * (np.arange(2000) >= 1000)
    score = score_series(series(values), "shift").score
    assert score[1000:1020].max() > 45 > score[1300:].max()


def test_one_value_is_no_level_however_far_out() -> None:
    values = np.random.default_rng(8).normal(size=2000)
    values[1000] = 1e9
    score = score_series(series(values), "shift").score
    assert score.iloc[1060] < 25


def test_cusum_tells_when_the_change_began() -> None:
    values = np.random.default_rng(4).normal(size=400) + 2.5 * (np.arange(400) >= 300)
    detector = build_detector(CusumParams(), ("x",), 50.0)
    assert isinstance(detector, StreamingDetector)
    for second, value in enumerate(values[:330]):
        # A gap before the change: the date is a time, not a count of values.
        table = FeatureTable(
            "samples", (second + 500 * (second > 280)) * NS_PER_SECOND, (SeriesKey("a"),), ("x",), np.array([[value]])
        )
        detector.score(table)
        detector.learn(table, np.ones(1, np.bool_))
    began = detector.onset_ns(table)
    assert began is not None
    assert abs(int(began[0]) / NS_PER_SECOND - 800) <= 4


def test_the_alert_of_a_lasting_change_says_since_when() -> None:
    rule = FeatureRuleParams(
        alertname="level",
        table="samples",
        feature="value",
        threshold=46.0,
        hold=HoldParams(for_seconds=0),
        detector=CusumParams(),
    )
    pipeline = Pipeline(PipelineParams(window=WindowParams(span_ticks=1), row_rules=(), feature_rules=(rule,)))
    columns = {
        "time": (np.arange(420) * NS_PER_SECOND).tolist(),
        "target": ["db"] * 420,
        "metric": ["cpu_ratio"] * 420,
        "value": 0.3 + 0.02 * np.random.default_rng(5).normal(size=420) + 0.05 * (np.arange(420) >= 360),
    }
    step = pipeline.push(Item(0, "samples", "test", make_batch("samples", "test", columns)))
    fired = next(change for change in step.changes if change.state == "firing")
    began = pd.Timestamp(fired.summary.rpartition("changing since ")[2])
    assert abs(began.timestamp() - 361) <= 6
    assert fired.time_ns / NS_PER_SECOND > 361
