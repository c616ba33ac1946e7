"""What every detector promises, whoever wrote it."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from aiops_nb.core.protocols import Detector
from aiops_nb.core.types import FeatureTable, Scores, SeriesKey
from aiops_nb.detect.ceiling import CeilingParams
from aiops_nb.detect.growth import GrowthParams
from aiops_nb.detect.isolation_forest import IsolationForestParams
from aiops_nb.detect.registry import ALGORITHMS, build_detector
from aiops_nb.detect.robust_z import RobustZParams

TICKS = 140
SERIES = 6
Build = Callable[[], Detector]


def forest() -> Detector:
    from sklearn.ensemble import IsolationForest

    from aiops_nb.detect.estimators import as_detector

    return as_detector(IsolationForest(n_estimators=10), features=["x"], refit="1m")


def river_trees() -> Detector:
    anomaly = pytest.importorskip("river.anomaly")
    from aiops_nb.detect.estimators import as_detector

    return as_detector(
        anomaly.HalfSpaceTrees(n_trees=5, window_size=20, limits={"x": (-60, 70)}, seed=1), features=["x"]
    )


BUILDERS: dict[str, Build] = {
    **{name: (lambda one=one: build_detector(one.params(), ("x",), 50.0)) for name, one in ALGORITHMS.items()},
    "robust_z": lambda: build_detector(RobustZParams(direction="both"), ("x",), 6.0),
    "isolation_forest": lambda: build_detector(IsolationForestParams(trees=10, refit_seconds=60.0), ("x",), 50.0),
    "any_estimator": forest,
    "ceiling": lambda: build_detector(CeilingParams(min_deviation=0.5, warmup_seconds=50.0), ("x",), 1.0),
    "growth": lambda: build_detector(GrowthParams(limit=60.0, windows_seconds=(60.0,)), ("x",), 50.0),
    "river": river_trees,
}


FOLLOWS_ALL = ("ceiling", "growth")  # by their meaning: a verdict does not keep a value from them


@pytest.fixture(params=BUILDERS)
def build(request: pytest.FixtureRequest) -> Build:
    return BUILDERS[request.param]


def tables(values: np.ndarray) -> list[FeatureTable]:
    """(ticks, n) values as one table a second."""
    keys = tuple(SeriesKey(str(number)) for number in range(values.shape[1]))
    return [
        FeatureTable("requests", (at + 1) * 10**9, keys, ("other", "x"), np.stack([row * 0, row]))
        for at, row in enumerate(values)
    ]


def noise(seed: int = 0, series: int = SERIES) -> np.ndarray:
    return 5.0 + np.random.default_rng(seed).normal(size=(TICKS, series))


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
    assert detector.features == ("x",)


def test_scores_are_nan_first_and_then_not_below_0(build: Build) -> None:
    told = run(build(), tables(noise()))
    assert np.isnan(told[0].score).all()
    assert (told[-1].score >= 0).all()
    assert all(len(part) == SERIES for part in (told[-1].expected, told[-1].lower, told[-1].upper))


def test_scoring_changes_nothing(build: Build) -> None:
    stream, strange = tables(noise()), tables(noise(1) + 50)
    once, often = build(), build()
    for at, table in enumerate(stream):
        expected = once.score(table)
        often.score(strange[at])
        often.score(table)
        assert same(often.score(table), expected)
        for detector in (once, often):
            detector.learn(table, np.ones(SERIES, np.bool_))


def test_a_copy_by_pickle_goes_on_alike(build: Build) -> None:
    detector, stream = build(), tables(noise())
    run(detector, stream[:100])
    detector.score(stream[100])
    copy = pickle.loads(pickle.dumps(detector))
    assert all(
        same(left, right) for left, right in zip(run(detector, stream[100:]), run(copy, stream[100:]), strict=True)
    )


def test_two_runs_are_equal_whatever_the_global_seed(build: Build) -> None:
    np.random.seed(1)
    first = run(build(), tables(noise()))
    np.random.seed(2)
    assert all(same(left, right) for left, right in zip(first, run(build(), tables(noise())), strict=True))


def test_what_is_not_known_scores_nan_and_teaches_nothing(build: Build) -> None:
    holed, whole = noise(), noise()
    holed[60:70, 2] = np.nan
    with_hole, without = build(), build()
    run(without, tables(np.delete(whole, slice(60, 70), axis=0)[:, 2:3]))
    told = run(with_hole, tables(holed[:, 2:3]))
    assert all(np.isnan(scores.score).all() for scores in told[60:70])
    assert np.isfinite(told[-1].score).all()


@pytest.mark.parametrize("constant", [0.0, 0.1, -3.0, 1e12])
def test_a_constant_is_never_strange(build: Build, constant: float) -> None:
    told = run(build(), tables(np.full((TICKS, 2), constant)))
    last = np.stack([scores.score for scores in told[60:]])
    assert not (last > 25).any()


def test_a_series_that_comes_later_warms_up_by_itself(build: Build) -> None:
    values = noise(series=40)
    detector = build()
    few = run(detector, tables(values[:, :3])[:100])
    more = run(detector, tables(values)[100:])
    assert np.isfinite(few[-1].score).all()
    assert np.isfinite(more[0].score[:3]).all()
    assert np.isnan(more[0].score[3:]).all()


@pytest.mark.parametrize("build", [one for name, one in BUILDERS.items() if name != "growth"])
def test_a_far_value_is_stranger_than_all_before(build: Build) -> None:
    if build().name == "stuck":
        pytest.skip("looks for values that do not move")
    values = noise()
    values[-1, 0] = 60.0
    told = run(build(), tables(values))
    before = np.nanmax([scores.score[0] for scores in told[70:-1]])
    assert told[-1].score[0] > before


@pytest.mark.parametrize("build", [one for name, one in BUILDERS.items() if name not in FOLLOWS_ALL])
def test_what_is_kept_out_is_not_learned(build: Build) -> None:
    stream = tables(noise())
    detector, other = build(), build()
    for table in stream[:100]:
        for one in (detector, other):
            one.score(table)
            one.learn(table, np.ones(SERIES, np.bool_))
    far = tables(np.full((10, SERIES), 500.0))
    for table in far:
        detector.score(table)
        detector.learn(table, np.zeros(SERIES, np.bool_))
        other.score(table)
        other.learn(table, np.ones(SERIES, np.bool_))
    frozen, learned = detector.score(far[0]).score, other.score(far[0]).score
    assert (frozen >= learned).all()
    assert (frozen > learned).any()


def test_a_gap_leaves_what_was_known_as_it_was(build: Build) -> None:
    holed, stream = noise(series=2), tables(noise(series=2))
    holed[80:100] = np.nan
    through, around = build(), build()
    told = run(through, tables(holed))[100:]
    run(around, stream[:80])
    assert all(same(left, right) for left, right in zip(told, run(around, stream[100:]), strict=True))


def test_irregular_times_are_taken_as_they_are(build: Build) -> None:
    stream, detector = tables(noise()), build()
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
    counted = np.cumsum(np.random.default_rng(5).poisson(40, (3 * TICKS, 2)), axis=0).astype(float)
    counted[2 * TICKS :] -= counted[2 * TICKS - 1]
    detector = build()
    told = np.stack([scores.score for scores in run(detector, tables(counted))])
    assert np.isfinite(told[TICKS:]).all()
    assert (told[TICKS:] >= 0).all()
    copy = pickle.loads(pickle.dumps(detector))
    assert same(copy.score(tables(counted)[-1]), detector.score(tables(counted)[-1]))
