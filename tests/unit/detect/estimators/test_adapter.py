"""Isolation Forest and any other estimator as live detectors: configured, seeded, refitted, explained."""

from __future__ import annotations

import pickle
import subprocess
import sys
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, Item, SeriesKey
from aiops_nb.detect.estimators.adapter import as_detector
from aiops_nb.detect.estimators.isolation_forest import ForestDetector, IsolationForestParams
from aiops_nb.detect.estimators.refitted import ROWS_KEPT
from aiops_nb.detect.estimators.sample import Sample
from aiops_nb.detect.registry import build_detector
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.offline.score import score_frame
from aiops_nb.rules.feature.params import FeatureRuleParams

NAMES = ("rate_hz", "error_ratio", "duration_seconds")


def table(second: int, values: np.ndarray) -> FeatureTable:
    """(k, n) values of the first k NAMES."""
    keys = tuple(SeriesKey(str(number)) for number in range(values.shape[1]))
    return FeatureTable("requests", second * NS_PER_SECOND, keys, NAMES[: len(values)], values)


def vectors(ticks: int, series: int, seed: int = 0) -> np.ndarray:
    """(ticks, 3, n): rate and duration move together, around another level for each series."""
    random = np.random.default_rng(seed)
    load, level = random.normal(size=(ticks, 1, series)), 1.0 + np.arange(series)
    noise = 0.2 * random.normal(size=(ticks, 3, series))
    return level * (10.0 + load * np.array([1.0, 0.0, 1.0])[:, None] + noise)


def taught(detector: Any, values: np.ndarray, first_second: int = 0) -> Any:
    for second, row in enumerate(values):
        one = table(first_second + second, row)
        detector.score(one)
        detector.learn(one, np.ones(row.shape[1], np.bool_))
    return detector


def forest(features: int = 3, **params: Any) -> ForestDetector:
    built = build_detector(IsolationForestParams(trees=50, **params), NAMES[:features], 60.0)
    assert isinstance(built, ForestDetector)
    return built


def test_several_features_off_at_once_are_stranger_than_one() -> None:
    detector, usual = taught(forest(), vectors(300, 4)), np.full((3, 4), 10.0) * (1.0 + np.arange(4))
    one, several = usual.copy(), usual.copy()
    one[1, 1] = several[1, 1] = 21.5
    several[0, 1], several[2, 1] = 16.0, 16.0
    of_usual, of_one, of_several = (detector.score(table(300, values)).score for values in (usual, one, several))
    assert of_usual[1] < 25 < of_one[1] < of_several[1] - 5
    assert of_several[1] > np.delete(of_several, 1).max() + 30


def test_farther_out_is_stranger() -> None:
    detector, usual = taught(forest(), vectors(300, 4)), np.full((3, 4), 10.0) * (1.0 + np.arange(4))
    scores = []
    for factor in (1.0, 1.05, 1.1, 1.2, 1.4):
        usual[1, 2] = 30.0 * factor
        scores.append(detector.score(table(300, usual)).score[2])
    assert all(nearer + 2 < farther for nearer, farther in pairwise(scores))


def test_a_little_off_for_a_while_is_stranger_than_once() -> None:
    detector, off = taught(forest(), vectors(300, 4)), np.full((3, 4), 10.0) * (1.0 + np.arange(4))
    off[:, 3] *= 1.05
    scores = []
    for second in range(300, 308):
        scores.append(detector.score(table(second, off)).score)
        detector.learn(table(second, off), np.arange(4) != 3)
    told = np.array(scores)
    assert told[-1, 3] > told[0, 3] + 5
    assert told[-1, 3] > told[-1, :3].max() + 20


def test_background_is_no_part_of_what_is_usual() -> None:
    detector = taught(forest(), vectors(300, 4))
    surprises = detector._forest.surprise(np.clip(np.random.default_rng(3).normal(size=(400, 6)), -2, 2))
    assert np.median(surprises) < 3


def test_what_made_it_strange_is_told_by_feature() -> None:
    detector, odd = taught(forest(), vectors(300, 4)), vectors(1, 4, seed=9)[0]
    odd[1, 2] *= 1.5
    shares = detector.contributions(table(300, odd))
    assert sum(share[2] for share in shares.values()) == pytest.approx(1.0)
    assert max(shares, key=lambda name: float(shares[name][2])) == "error_ratio"
    assert shares["error_ratio"][2] > 0.6


def test_a_vector_with_a_hole_is_not_known() -> None:
    detector, holed = taught(forest(), vectors(200, 3)), vectors(1, 3)[0]
    holed[2, 1] = np.nan
    assert np.isnan(detector.score(table(200, holed)).score).tolist() == [False, True, False]


def test_it_is_fitted_early_then_as_the_sample_grows_then_on_schedule() -> None:
    detector, fits = forest(refit_seconds=1000.0), []
    values = vectors(1600, 8)
    for second in range(len(values)):
        before = detector._forest.fitted_ns
        taught(detector, values[second : second + 1], second)
        fits += [second] if detector._forest.fitted_ns != before else []
    assert fits[0] < 20
    assert all(later < 2.3 * sooner + 20 for sooner, later in pairwise(fits[:7]))
    assert fits[-1] - fits[-2] == 1000


def test_all_series_and_all_times_are_in_the_sample() -> None:
    sample = Sample(ROWS_KEPT, 2, seed=0)
    for tick in range(30):
        sample.add(np.stack([np.full(10_000, tick), np.arange(10_000)], axis=1).astype(float))
    ticks, series = sample.rows.T
    assert np.bincount(ticks.astype(int), minlength=30).min() > 80
    assert abs(series.mean() - 5000) < 300


@pytest.mark.parametrize("estimator", ["forest", "any"])
def test_a_restart_from_a_pickle_and_a_second_run_give_the_same(estimator: str) -> None:
    from sklearn.ensemble import IsolationForest

    def build() -> Any:
        unseeded = as_detector(IsolationForest(n_estimators=20), features=NAMES, refit="30s")
        return forest(refit_seconds=30.0) if estimator == "forest" else unseeded

    values, last = vectors(200, 5), table(200, vectors(1, 5, seed=3)[0])
    np.random.seed(1)
    once = taught(build(), values)
    np.random.seed(2)
    restarted = taught(pickle.loads(pickle.dumps(taught(build(), values[:90]))), values[90:], 90)
    np.testing.assert_array_equal(once.score(last).score, restarted.score(last).score)


def test_the_estimator_of_the_caller_is_left_as_it_was() -> None:
    from sklearn.ensemble import IsolationForest

    mine = IsolationForest()
    taught(as_detector(mine, features=NAMES), vectors(100, 2))
    assert mine.random_state is None
    assert not hasattr(mine, "estimators_")


def test_nested_estimators_are_seeded_too() -> None:
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest
    from sklearn.pipeline import make_pipeline

    def run() -> np.ndarray:
        nested = make_pipeline(PCA(2, svd_solver="randomized"), IsolationForest(n_estimators=10))
        return taught(as_detector(nested, features=NAMES), vectors(90, 3)).score(table(90, vectors(1, 3)[0])).score

    np.testing.assert_array_equal(run(), run())


def test_a_river_model_sees_what_is_known() -> None:
    anomaly = pytest.importorskip("river.anomaly")
    model = anomaly.HalfSpaceTrees(n_trees=5, window_size=20, limits=dict.fromkeys(NAMES, (0, 100)), seed=1)
    detector, values = as_detector(model), vectors(120, 2)
    values[:, 1, 1] = np.nan
    taught(detector, values)
    assert np.isfinite(detector.score(table(120, values[0])).score).all()
    assert np.isnan(detector.score(table(120, np.full((3, 2), np.nan))).score).all()


@pytest.mark.parametrize(
    ("features", "refit", "message"),
    [
        ("rate_hz", "6h", "features: expected a list of names"),
        ((), "6h", "features: expected a list of names"),
        (NAMES, "six hours", "refit: expected seconds, or a string such as 30m or 6h, got 'six hours'"),
        (NAMES, "0h", "refit: expected more than 0 seconds"),
        (NAMES, -1, "refit: expected more than 0 seconds, got -1"),
    ],
)
def test_a_mistake_is_named(features: Any, refit: Any, message: str) -> None:
    from sklearn.ensemble import IsolationForest

    with pytest.raises(ConfigError) as caught:
        as_detector(IsolationForest(), features=features, refit=refit)
    assert message in str(caught.value)


def test_a_rule_of_a_config_finds_the_odd_target_and_replays_alike() -> None:
    rule = msgspec.convert(
        {
            "alertname": "odd_service",
            "feature": "duration_mean_seconds",
            "features": ["rate_hz"],
            "threshold": 60,
            "hold": {"for_seconds": 2},
            "detector": {"type": "isolation_forest", "trees": 30},
        },
        FeatureRuleParams,
    )
    random, rows = np.random.default_rng(0), []
    for second in range(560):
        for target in ("a", "b", "c"):
            count = 4 + int(random.integers(0, 5))
            odd = target == "b" and 530 <= second < 545
            seconds = 0.02 * count * (3.0 if odd else 1.0) + 0.003 * random.normal(size=count)
            rows += [(second + (number + 1) / 20, target, float(one)) for number, one in enumerate(seconds)]
    times, targets, seconds = zip(*sorted(rows), strict=True)
    columns = {
        "time": (np.array(times) * NS_PER_SECOND).astype(np.int64),
        "origin": "traffic",
        "target": list(targets),
        "duration_seconds": list(seconds),
    }
    batch = make_batch("requests", "test", columns)

    def changes(cuts: list[int]) -> list[Any]:
        params = PipelineParams(window=WindowParams(span_ticks=1), row_rules=(), feature_rules=(rule,))
        pipeline, edges = Pipeline(params), [0, *cuts, len(batch)]
        parts = [batch.slice(first, last - first) for first, last in pairwise(edges)]
        return [c for part in parts for c in pipeline.push(Item(0, "requests", "test", part)).changes]

    live = changes([])
    fired = [change for change in live if change.state == "firing"]
    assert [change.labels["target"] for change in fired] == ["b"]
    assert fired[0].labels["detector"] == "isolation_forest"
    assert fired[0].contributions["duration_mean_seconds"] > 0.5
    assert str(changes([17, 500, 501, 2222])) == str(live)


def test_a_frame_is_judged_row_by_row_in_order_of_time() -> None:
    times = pd.date_range("2026-01-01", periods=300, freq="1min", tz="UTC")
    frame = pd.DataFrame(vectors(300, 1)[:, :, 0], index=times, columns=list(NAMES))
    frame.iloc[280] = 20.0
    scores = score_frame(frame, forest())
    assert list(scores.columns) == [*NAMES, "score", "is_anomaly"]
    assert scores.score.iloc[250:].idxmax() == times[280]
    shuffled = score_frame(frame.sample(frac=1.0, random_state=1), forest())
    pd.testing.assert_frame_equal(shuffled.sort_index(), scores, check_freq=False)
    with pytest.raises(ConfigError, match="none named duration_seconds"):
        score_frame(frame[["rate_hz", "error_ratio"]], forest())


def test_the_package_does_not_import_scikit_learn_until_a_forest_is_built() -> None:
    code = (
        "import sys, aiops_nb, aiops_nb.engine.pipeline, aiops_nb.detect.estimators.adapter;"
        "assert 'sklearn' not in sys.modules;"
        "sys.modules['sklearn.ensemble'] = None;"
        "from aiops_nb.detect.registry import build_detector, detectors;"
        "from aiops_nb.detect.estimators.isolation_forest import IsolationForestParams as P;"
        "assert 'isolation_forest' in detectors().index;"
        "build_detector(P(), ('x',), 50.0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "isolation forests need an extra: pip install 'aiops-nb[detect]'" in done.stderr
