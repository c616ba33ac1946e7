"""Every detector of ours passes the contract that third parties inherit."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from aiops_nb.core.protocols import Detector
from aiops_nb.detect.estimators.isolation_forest import IsolationForestParams
from aiops_nb.detect.estimators.params import EstimatorParams
from aiops_nb.detect.limits.burn_rate import BurnRateParams
from aiops_nb.detect.limits.ceiling import CeilingParams
from aiops_nb.detect.limits.growth import GrowthParams
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.limits.siblings import SiblingsParams
from aiops_nb.detect.limits.silence import SilenceParams
from aiops_nb.detect.registry import DETECTORS, STREAMING, build_detector
from aiops_nb.detect.spec import DetectorSpec
from aiops_nb.testing.detectors import (
    SERIES,
    TICKS,
    Build,
    DetectorContract,
    DetectorSpecContract,
    DetectorTraits,
    far_values,
)


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


def silences(seed: int, series: int) -> np.ndarray:
    """Seconds since something was heard."""
    heard = np.random.default_rng(seed).random((TICKS, series)) < 0.6
    silent = np.zeros((TICKS, series))
    for at in range(1, TICKS):
        silent[at] = np.where(heard[at], 0.0, silent[at - 1] + 1.0)
    return silent


def one_apart() -> np.ndarray:
    """What moves all siblings alike is no anomaly."""
    values = far_values()
    values[:, 1:] = 5.0
    return values


def a_silence_that_ends() -> np.ndarray:
    values = far_values()
    values[-1] = 0.0  # a silence is learned when it ends
    return values


SHARED = DetectorTraits(ignores_order=False)  # the sample is drawn in the order of the series
TRAITS = {
    "level": DetectorTraits(has_warmup=False, excludes=False),
    "burn_rate": DetectorTraits(has_warmup=False, excludes=False, constants={"requests": 1000.0}),
    # Its past is what it judges; and it has no score where its window of a minute holds no three quarters of a minute.
    "growth": DetectorTraits(excludes=False, finds_far_values=False, bridges_hours=False),
    "stuck": DetectorTraits(finds_far_values=False),
    "silence": DetectorTraits(takes_counters=False, values=silences, excluded_values=a_silence_that_ends),
    "siblings": DetectorTraits(compares_series=True, excluded_values=one_apart),
    **dict.fromkeys(("isolation_forest", "any_estimator", "estimator"), SHARED),
}


class TestDetectors(DetectorContract):
    @pytest.fixture(params=BUILDERS)
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def build(self, name: str) -> Build:
        return BUILDERS[name]

    @pytest.fixture
    def traits(self, name: str) -> DetectorTraits:
        return TRAITS.get(name, DetectorTraits())


PARAMETERS = {
    "ceiling": {"min_deviation": 0.05},
    "level": {"limit": 2.0},
    "growth": {"limit": 2.0},
    "burn_rate": {"objective_ratio": 0.9},
    "estimator": {"estimator": "sklearn.ensemble.IsolationForest"},
}


class TestSpecs(DetectorSpecContract):
    @pytest.fixture(params=DETECTORS)
    def spec(self, request: pytest.FixtureRequest) -> DetectorSpec:
        return DETECTORS[request.param]

    @pytest.fixture
    def params(self, spec: DetectorSpec) -> msgspec.Struct:
        return spec.params(**PARAMETERS.get(spec.type, {}))


def test_each_detector_is_here() -> None:
    assert set(DETECTORS) <= set(BUILDERS)
    assert len(far_values()[0]) == SERIES
