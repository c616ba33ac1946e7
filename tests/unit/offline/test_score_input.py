"""What callers hand to `score_series`, `score_frame`, `as_detector` and `change_points` by mistake: one clear line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from river import anomaly
from sklearn.ensemble import IsolationForest

from aiops_nb import as_detector, change_points, score_frame, score_series
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.registry import STREAMING

TIMES = pd.date_range("2026-03-01", periods=200, freq="1min", tz="UTC")
SERIES = pd.Series(np.random.default_rng(0).normal(1.0, 0.1, 200), TIMES)


@pytest.mark.parametrize(
    ("argument", "value", "expected"),
    [
        ("false_alarms_per_day", float("inf"), "a number > 0"),
        ("false_alarms_per_day", "0.5", "a number > 0"),
        ("false_alarms_per_day", True, "a number > 0"),
        ("cooldown_seconds", "5m", "a number >= 0"),
        ("cooldown_seconds", -1.0, "a number >= 0"),
        ("cooldown_seconds", float("nan"), "a number >= 0"),
        ("timezone", 3, "a name such as Europe/Berlin"),
        ("timezone", "", "a name such as Europe/Berlin"),
    ],
)
def test_an_argument_that_is_wrong_is_named(argument: str, value: object, expected: str) -> None:
    forest = as_detector(IsolationForest(), features=["a", "b"])
    frame = pd.DataFrame({"a": SERIES, "b": SERIES})
    for score in (lambda **given: score_series(SERIES, **given), lambda **given: score_frame(frame, forest, **given)):
        with pytest.raises(ConfigError) as caught:
            score(**{argument: value})
        assert str(caught.value) == f"{argument}: expected {expected}, got {value!r}"


def test_a_cooldown_of_ages_is_one_alarm() -> None:
    spiky = SERIES.copy()
    spiky.iloc[[150, 170, 190]] = [1e3, 1e6, 1e9]
    often = {"detector": "ewma", "false_alarms_per_day": 2.0}
    assert score_series(spiky, cooldown_seconds=0.0, **often).is_anomaly.sum() > 1
    assert score_series(spiky, cooldown_seconds=1e300, **often).is_anomaly.sum() == 1


@pytest.mark.parametrize(
    "values",
    [SERIES.astype(complex), pd.Series(TIMES, TIMES), pd.Series(TIMES - TIMES[0], TIMES), SERIES.astype(str) + "x"],
)
def test_what_is_no_number_is_refused(values: pd.Series) -> None:
    with pytest.raises(ConfigError, match=r"series: expected numbers, got 'values of type .*'"):
        score_series(values)


def test_times_beyond_what_nanoseconds_can_tell_are_refused() -> None:
    with pytest.raises(ConfigError, match="series: expected times from 1677 to 2262"):
        score_series(SERIES.set_axis(pd.date_range("2500-01-01", periods=200, freq="D", unit="us")))


@pytest.mark.parametrize("name", sorted(STREAMING))
def test_the_largest_numbers_are_not_known_and_end_nothing(name: str) -> None:
    series = pd.concat([SERIES, SERIES.set_axis(TIMES + pd.Timedelta("200min"))])
    usual = score_series(series.drop(series.index[[150, 151, 152]]), name).score
    series.iloc[150:153] = [1e308, -1e308, 1.7e308]
    told = score_series(series, name).score
    assert told.iloc[150:153].isna().all()
    pd.testing.assert_series_equal(told.drop(series.index[[150, 151, 152]]), usual)


@pytest.mark.parametrize("df", [SERIES, None, {"a": [1.0]}, [1.0]])
def test_what_is_no_frame_is_refused(df: object) -> None:
    with pytest.raises(ConfigError, match="df: expected a pandas DataFrame of numbers by time, got"):
        score_frame(df)


def test_columns_of_one_name_cannot_be_told_apart() -> None:
    with pytest.raises(ConfigError, match="df: expected another name for each column, got 'a twice'"):
        score_frame(pd.concat({"a": SERIES}, axis=1).iloc[:, [0, 0]])


def test_columns_of_several_levels_keep_their_names() -> None:
    frame = pd.concat({("web-1", "cpu"): SERIES, ("web-2", "cpu"): SERIES}, axis=1, names=["host", None])
    assert score_frame(frame).index.names == ["host", "series_1", "time"]


@pytest.mark.parametrize("threshold", [-1, 101, "50", None, float("nan"), True])
def test_a_threshold_that_no_score_can_mean_is_refused(threshold: object) -> None:
    with pytest.raises(ConfigError, match=r"^threshold: expected a number from 0 to 100, got"):
        as_detector(IsolationForest(), features=["a"], threshold=threshold)


@pytest.mark.parametrize("features", [None, 3, ["a", "a"]])
def test_features_that_cannot_be_told_apart_are_refused(features: object) -> None:
    with pytest.raises(ConfigError, match=r"^features: expected"):
        as_detector(IsolationForest(), features=features)


class ComparesRows:
    """Scores a row by those that are asked about with it; of one alone it knows nothing, as PyOD's SOS."""

    def fit(self, vectors: np.ndarray) -> ComparesRows:
        return self

    def score_samples(self, vectors: np.ndarray) -> np.ndarray:
        return vectors[:, 0] if len(vectors) > 1 else np.full(1, np.nan)


def test_an_estimator_that_gives_no_number_says_so(caplog: pytest.LogCaptureFixture) -> None:
    scores = score_series(SERIES, as_detector(ComparesRows(), features=["value"]))
    assert scores.score.isna().all()
    told = "ComparesRows gives no scores: ValueError: expected a score for each of 1 vectors, got no number"
    assert told in caplog.text


def test_an_estimator_that_tells_much_of_itself_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="estimator: expected a model that learns without labels") as caught:
        as_detector(anomaly.PredictiveAnomalyDetection(), features=["a"])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_changes_are_dated_in_order_of_time() -> None:
    level = SERIES + np.where(np.arange(200) < 120, 0.0, 3.0)
    mixed = change_points(level.sample(frac=1.0, random_state=0))
    pd.testing.assert_frame_equal(mixed, change_points(level), check_freq=False)
    assert list(mixed.index) == [TIMES[120]]


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([1.0], "a pandas Series of numbers by time, got 'list'"),
        (SERIES.to_frame(), "a pandas Series of numbers by time, got 'DataFrame'"),
        (pd.Series(["up"] * 200, TIMES, dtype=object), "numbers, got 'values of type object'"),
    ],
)
def test_changes_of_what_is_no_series_of_numbers_are_refused(series: object, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        change_points(series)
    assert str(caught.value) == f"series: expected {expected}"


def test_changes_of_no_known_value_are_none_without_a_warning() -> None:
    assert change_points(SERIES[:0]).empty
    assert change_points(SERIES * np.nan).empty
