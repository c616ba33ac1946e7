"""What every detector promises, whoever wrote it."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from aiops_nb.core.protocols import Detector
from aiops_nb.core.types import FeatureTable, Scores, SeriesKey
from aiops_nb.detect.estimators.isolation_forest import IsolationForestParams
from aiops_nb.detect.estimators.params import EstimatorParams
from aiops_nb.detect.limits.burn_rate import BurnRateParams
from aiops_nb.detect.limits.ceiling import CeilingParams
from aiops_nb.detect.limits.growth import GrowthParams
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.limits.siblings import SiblingsParams
from aiops_nb.detect.limits.silence import SilenceParams
from aiops_nb.detect.registry import STREAMING, build_detector, detectors

TICKS = 140
SERIES = 6
Build = Callable[[], Detector]


def forest() -> Detector:
    from sklearn.ensemble import IsolationForest

    from aiops_nb.detect.estimators.adapter import as_detector

    return as_detector(IsolationForest(n_estimators=10), features=["x"], refit="1m")


def river_trees() -> Detector:
    anomaly = pytest.importorskip("river.anomaly")
    from aiops_nb.detect.estimators.adapter import as_detector

    return as_detector(
        anomaly.HalfSpaceTrees(n_trees=5, window_size=20, limits={"x": (-60, 70)}, seed=1), features=["x"]
    )


def siblings() -> Detector:
    return build_detector(
        SiblingsParams(direction="both", min_siblings=2, warmup_ticks=50, min_deviation=1.0), ("x",), 6.0
    )


def silence() -> Detector:
    return build_detector(SilenceParams(warmup_ticks=50, warmup_heard_ticks=10, min_silent_seconds=5.0), ("x",), 1.0)


def burn_rate() -> Detector:
    return build_detector(BurnRateParams(objective_ratio=0.5), BURN_FEATURES, 1.5)


BURN_FEATURES = ("x", "x_short", "requests")
NAMES = ("other", *BURN_FEATURES)
BUILDERS: dict[str, Build] = {
    **{name: (lambda one=one: build_detector(one.params(), ("x",), 50.0)) for name, one in STREAMING.items()},
    "robust_z": lambda: build_detector(RobustZParams(direction="both"), ("x",), 6.0),
    "isolation_forest": lambda: build_detector(IsolationForestParams(trees=10, refit_seconds=60.0), ("x",), 50.0),
    "any_estimator": forest,
    "ceiling": lambda: build_detector(CeilingParams(min_deviation=0.5, warmup_seconds=50.0), ("x",), 1.0),
    "growth": lambda: build_detector(GrowthParams(limit=60.0, windows_seconds=(60.0,)), ("x",), 50.0),
    "river": river_trees,
    "estimator": lambda: build_detector(
        EstimatorParams(estimator="sklearn.ensemble.IsolationForest", parameters={"n_estimators": 10}), ("x",), 50.0
    ),
    "level": lambda: build_detector(LevelParams(limit=20.0), ("x",), 1.0),
    "siblings": siblings,
    "silence": silence,
    "burn_rate": burn_rate,
}
WITHOUT_WARMUP = ("level", "burn_rate")  # they judge by what is fixed, and learn nothing


# By their meaning: a verdict does not keep a value from the first, the others learn nothing.
LEARNS_OTHERWISE = ("growth", *WITHOUT_WARMUP)


@pytest.fixture(params=BUILDERS)
def build(request: pytest.FixtureRequest) -> Build:
    return BUILDERS[request.param]


def tables(values: np.ndarray) -> list[FeatureTable]:
    """(ticks, n) values as one table a second."""
    keys = tuple(SeriesKey(str(number)) for number in range(values.shape[1]))
    many = np.full(len(keys), 1000.0)
    parts = (np.stack([0 * many, row, row, many]) for row in values)
    return [FeatureTable("requests", (at + 1) * 10**9, keys, NAMES, part) for at, part in enumerate(parts)]


def noise(seed: int = 0, series: int = SERIES) -> np.ndarray:
    return 5.0 + np.random.default_rng(seed).normal(size=(TICKS, series))


def usual(build: Build, seed: int = 0, series: int = SERIES) -> np.ndarray:
    """What a detector is made for: seconds since something was heard, or noise."""
    if build().name != "silence":
        return noise(seed, series)
    heard = np.random.default_rng(seed).random((TICKS, series)) < 0.6
    silent = np.zeros((TICKS, series))
    for at in range(1, TICKS):
        silent[at] = np.where(heard[at], 0.0, silent[at - 1] + 1.0)
    return silent


def run(detector: Detector, stream: list[FeatureTable]) -> list[Scores]:
    told = []
    for table in stream:
        told.append(detector.score(table))
        detector.learn(table, np.ones(table.values.shape[1], np.bool_))
    return told


def same(left: Scores, right: Scores) -> bool:
    parts = ("score", "expected", "lower", "upper")
    return all(np.array_equal(getattr(left, part), getattr(right, part), equal_nan=True) for part in parts)


def test_it_is_a_detector(build: Build) -> None:
    detector = build()
    assert isinstance(detector, Detector)
    assert detector.name
    assert detector.features == (BURN_FEATURES if detector.name == "burn_rate" else ("x",))


def test_each_listed_detector_is_here() -> None:
    assert set(detectors().index) <= set(BUILDERS)


def test_scores_are_nan_first_and_then_not_below_0(build: Build) -> None:
    told = run(build(), tables(usual(build)))
    assert np.isnan(told[0].score).all() or build().name in WITHOUT_WARMUP
    assert (told[-1].score >= 0).all()
    assert all(len(part) == SERIES for part in (told[-1].expected, told[-1].lower, told[-1].upper))


def test_scoring_changes_nothing(build: Build) -> None:
    stream, strange = tables(usual(build)), tables(usual(build, 1) + 50)
    once, often = build(), build()
    for at, table in enumerate(stream):
        expected = once.score(table)
        often.score(strange[at])
        often.score(table)
        assert same(often.score(table), expected)
        for detector in (once, often):
            detector.learn(table, np.ones(SERIES, np.bool_))


def test_a_copy_by_pickle_goes_on_alike(build: Build) -> None:
    detector, stream = build(), tables(usual(build))
    run(detector, stream[:100])
    detector.score(stream[100])
    copy = pickle.loads(pickle.dumps(detector))
    assert all(
        same(left, right) for left, right in zip(run(detector, stream[100:]), run(copy, stream[100:]), strict=True)
    )


def test_two_runs_are_equal_whatever_the_global_seed(build: Build) -> None:
    stream = tables(usual(build))
    np.random.seed(1)
    first = run(build(), stream)
    np.random.seed(2)
    assert all(same(left, right) for left, right in zip(first, run(build(), stream), strict=True))


def test_what_is_not_known_scores_nan_and_teaches_nothing(build: Build) -> None:
    holed = usual(build)
    holed[60:70, 2] = np.nan
    told = run(build(), tables(holed))
    assert all(np.isnan(scores.score[2]) for scores in told[60:70])
    assert np.isfinite(told[-1].score).all()


@pytest.mark.parametrize("constant", [0.0, 0.1, -3.0, 1e12])
def test_a_constant_is_never_strange(build: Build, constant: float) -> None:
    told = run(build(), tables(np.full((TICKS, SERIES), constant)))
    last = np.stack([scores.score for scores in told[60:]])
    if build().name in WITHOUT_WARMUP:
        assert (last == last[0, 0]).all() and last[0, 0] >= 0
    else:
        assert not (last > 25).any()


def test_a_series_that_comes_later_warms_up_by_itself(build: Build) -> None:
    values = usual(build, series=40)
    detector = build()
    few = run(detector, tables(values[:, :3])[:100])
    more = run(detector, tables(values)[100:])
    assert np.isfinite(few[-1].score).all()
    assert np.isfinite(more[0].score[:3]).all()
    assert np.isnan(more[0].score[3:]).all() or detector.name in WITHOUT_WARMUP


@pytest.mark.parametrize("build", [one for name, one in BUILDERS.items() if name != "growth"])
def test_a_far_value_is_stranger_than_all_before(build: Build) -> None:
    if build().name == "stuck":
        pytest.skip("looks for values that do not move")
    values = usual(build)
    values[-1, 0] = 60.0
    told = run(build(), tables(values))
    before = np.nanmax([scores.score[0] for scores in told[70:-1]])
    assert told[-1].score[0] > before


@pytest.mark.parametrize("build", [one for name, one in BUILDERS.items() if name not in LEARNS_OTHERWISE])
def test_what_is_kept_out_is_not_learned(build: Build) -> None:
    stream, name = tables(usual(build)), build().name
    detector, other = build(), build()
    for table in stream[:100]:
        for one in (detector, other):
            one.score(table)
            one.learn(table, np.ones(SERIES, np.bool_))
    values = np.full((10, SERIES), 500.0)
    if name == "siblings":
        values[:, 1:] = 5.0  # what moves all of them alike is nobody's fault
    if name == "silence":
        values[-1] = 0.0  # a silence is learned when it ends
    far = tables(np.concatenate([usual(build)[:100], values]))[100:]
    for table in far:
        detector.score(table)
        detector.learn(table, np.zeros(SERIES, np.bool_))
        other.score(table)
        other.learn(table, np.ones(SERIES, np.bool_))
    frozen, learned = detector.score(far[0]).score, other.score(far[0]).score
    assert (frozen >= learned).all() or name == "siblings"
    assert (frozen > learned).any()


def test_a_gap_leaves_what_was_known_as_it_was(build: Build) -> None:
    holed, stream = usual(build), tables(usual(build))
    holed[80:100] = np.nan
    through, around = build(), build()
    told = run(through, tables(holed))[100:]
    run(around, stream[:80])
    assert all(same(left, right) for left, right in zip(told, run(around, stream[100:]), strict=True))


def test_irregular_times_are_taken_as_they_are(build: Build) -> None:
    stream, detector = tables(usual(build)), build()
    distances_seconds = np.random.default_rng(3).choice([1, 1, 1, 60, 11_000], TICKS)
    ends_ns = np.cumsum(distances_seconds) * 10**9
    irregular = [
        FeatureTable(one.table, int(end_ns), one.series, one.names, one.values)
        for one, end_ns in zip(stream, ends_ns, strict=True)
    ]
    told = run(detector, irregular)
    # growth says nothing where its window of a minute holds no three quarters of a minute, as after hours of nothing
    assert np.isfinite(told[-1].score).all() or detector.name == "growth"
    assert all(same(left, right) for left, right in zip(told, run(build(), irregular), strict=True))


def test_a_counter_that_begins_anew_is_judged_and_gone_by(build: Build) -> None:
    if build().name == "silence":
        pytest.skip("hears what is 0, and judges no counters")
    counted = np.cumsum(np.random.default_rng(5).poisson(40, (3 * TICKS, SERIES)), axis=0).astype(float)
    counted[2 * TICKS :] -= counted[2 * TICKS - 1]
    detector = build()
    told = np.stack([scores.score for scores in run(detector, tables(counted))])
    assert np.isfinite(told[TICKS:]).all()
    assert (told[TICKS:] >= 0).all()
    copy = pickle.loads(pickle.dumps(detector))
    assert same(copy.score(tables(counted)[-1]), detector.score(tables(counted)[-1]))


SHARED = ("isolation_forest", "any_estimator", "estimator")  # their sample is drawn in the order of the series


@pytest.mark.parametrize("build", [one for name, one in BUILDERS.items() if name not in SHARED])
def test_the_order_of_the_series_makes_no_difference(build: Build) -> None:
    values, order = usual(build), np.array([3, 0, 5, 1, 4, 2])
    values[-1, 0] = 60.0
    told, mixed = run(build(), tables(values))[-1], run(build(), tables(values[:, order]))[-1]
    assert np.array_equal(told.score[order], mixed.score, equal_nan=True)
    assert np.array_equal(told.upper[order], mixed.upper, equal_nan=True)


def test_the_largest_and_smallest_floats_are_lived_through(build: Build) -> None:
    values = usual(build)
    values[100:104] = [1e308, -1e308, np.inf, -np.inf, 5e-324, np.nan]
    detector = build()
    told = run(detector, tables(values))  # a warning would be an error
    extreme = np.stack([scores.score for scores in told[100:104]])
    assert np.isnan(extreme[:, 2:4]).all()
    assert not (extreme < 0).any()
    assert np.isfinite(told[-1].score[2:]).all()
    assert same(pickle.loads(pickle.dumps(detector)).score(tables(values)[99]), detector.score(tables(values)[99]))
