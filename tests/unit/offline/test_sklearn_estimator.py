"""A detector in scikit-learn's shape passes scikit-learn's own checks."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from aiops_nb import SeriesDetector
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.registry import STREAMING

NOT_A_SHARE = "no share of the training rows is an outlier by definition: rows like the others get none"
EXPECTED_FAILURES = {"check_outliers_train": NOT_A_SHARE, "check_outliers_fit_predict": NOT_A_SHARE}


@parametrize_with_checks([SeriesDetector("facts")], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_it_passes_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def noise(rows: int = 400, columns: int = 1) -> np.ndarray:
    return 5.0 + np.random.default_rng(0).normal(size=(rows, columns))


@pytest.mark.parametrize("name", [name for name in STREAMING if name not in ("stuck", "cusum")])
def test_each_detector_finds_a_far_row(name: str) -> None:
    detector = SeriesDetector(name, threshold=35.0).fit(noise())
    scores = detector.score_samples([[5.0], [200.0]])
    assert scores[1] < scores[0] <= 0.0
    assert detector.predict([[5.0], [200.0]]).tolist() == [1, -1]
    assert detector.decision_function([[200.0]])[0] == scores[1] + 35.0


def test_rows_may_be_scored_in_any_order_and_number() -> None:
    detector, rows = SeriesDetector("default").fit(noise(300, 3)), noise(600, 3)
    whole, order = detector.score_samples(rows), np.random.default_rng(1).permutation(600)
    assert np.array_equal(detector.score_samples(rows[order]), whole[order])
    assert np.array_equal(np.concatenate([detector.score_samples(rows[at : at + 1]) for at in range(9)]), whole[:9])
    copy = pickle.loads(pickle.dumps(detector))
    assert np.array_equal(copy.score_samples(rows), whole)


def test_the_three_largest_of_many_columns_count() -> None:
    detector = SeriesDetector("facts").fit(noise(400, 6))
    odd = np.full((3, 6), 5.0)
    odd[1, 0] = 60.0
    odd[2, :4] = 60.0
    scores = detector.score_samples(odd)
    assert scores[2] < scores[1] < scores[0]


def test_unknown_values_are_neither_learned_nor_scored() -> None:
    holed = noise(400, 2)
    holed[::3, 1] = np.nan
    holed[5, 0] = np.nan
    detector = SeriesDetector("facts").fit(holed)
    scores = detector.score_samples([[np.nan, np.nan], [np.nan, 5.0], [90.0, np.nan]])
    assert np.isnan(scores[0]) and scores[2] < scores[1]
    assert detector.predict([[np.nan, np.nan]]).tolist() == [1]
    dense = noise()
    gaps = np.full((800, 1), np.nan)
    gaps[::2] = dense
    odd = [[5.0], [7.0], [90.0]]
    assert np.array_equal(
        SeriesDetector("facts").fit(gaps).score_samples(odd), SeriesDetector("facts").fit(dense).score_samples(odd)
    )


def test_it_says_nan_until_there_is_enough() -> None:
    detector = SeriesDetector("facts").fit(noise(49))
    assert np.isnan(detector.score_samples([[90.0]])).all()
    assert detector.predict([[90.0]]).tolist() == [1]
    assert np.isfinite(SeriesDetector("facts").fit(noise(50)).score_samples([[90.0]])).all()
    assert np.isnan(SeriesDetector("facts").fit([[np.nan]] * 60).score_samples([[90.0]])).all()


def test_its_parameters_are_those_of_the_detector() -> None:
    detector = SeriesDetector("ewma", parameters={"half_life_points": 5.0}, threshold=40)
    assert clone(detector).get_params() == {
        "detector": "ewma",
        "parameters": {"half_life_points": 5.0},
        "threshold": 40,
    }
    assert not np.array_equal(
        detector.fit(noise()).score_samples(noise()), SeriesDetector("ewma").fit(noise()).score_samples(noise())
    )
    with pytest.raises(ConfigError, match=r"parameters: expected those of ewma, got .*half_life"):
        SeriesDetector("ewma", parameters={"half_life": 5.0}).fit(noise())
    with pytest.raises(ConfigError, match=r"detector: expected one of default, .* got 'level, which is for"):
        SeriesDetector("level").fit(noise())


def test_it_works_in_a_pipeline() -> None:
    pipeline = make_pipeline(StandardScaler(), SeriesDetector("facts")).fit(noise(400, 2))
    assert pipeline.predict([[5.0, 5.0], [300.0, 300.0]]).tolist() == [1, -1]


@pytest.mark.parametrize(("name", "library"), [("SeriesDetector", "sklearn"), ("StreamDetector", "river")])
def test_without_the_library_the_error_names_the_install_command(name: str, library: str) -> None:
    code = f"""
import sys
sys.modules[{library!r}] = None
import aiops_nb
try:
    aiops_nb.{name}
except aiops_nb.AiopsError as problem:
    print(problem)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert name in done.stdout and "pip install 'aiops-nb[detect]'" in done.stdout
