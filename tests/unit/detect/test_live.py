"""Detectors as a monitor uses them: freezing, accepting a new level, one side only, and the reason told."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from aiops_nb.core.types import FeatureTable, Scores, SeriesKey
from aiops_nb.detect.registry import STREAMING, build_detector

NAMES = sorted(STREAMING)
OF_SIZE = sorted(set(STREAMING) - {"stuck"})  # those to which a value can be too large or too small
MOST_BYTES = 32 * 1024


def table(second: int, values: np.ndarray) -> FeatureTable:
    keys = tuple(SeriesKey(str(number)) for number in range(len(values)))
    return FeatureTable("requests", second * 10**9, keys, ("x",), values.reshape(1, -1))


def noise(ticks: int, series: int = 1) -> np.ndarray:
    return 5.0 + np.random.default_rng(0).normal(size=(ticks, series))


def live(name: str, values: np.ndarray, threshold: float = 50.0, **params: Any) -> tuple[Any, list[Scores]]:
    """Scored, then learned where the score stayed below the threshold."""
    detector = build_detector(STREAMING[name].params(**params), ("x",), threshold)
    told = []
    for second, row in enumerate(values):
        one = table(second, row)
        told.append(detector.score(one))
        detector.learn(one, ~(told[-1].score > threshold))
    return detector, told


@pytest.mark.parametrize("name", ["default", "extremes", "ewma"])
def test_a_fault_stays_strange_until_its_level_is_accepted(name: str) -> None:
    values = noise(700)
    values[300:] += 40.0
    _, told = live(name, values, threshold=40.0, relearn_ticks=100)
    strange = np.array([one.score[0] > 40 for one in told])
    assert strange[300:400].all()
    assert strange[500:].mean() < 0.1


def test_without_freezing_a_fault_is_soon_usual() -> None:
    values = noise(400)
    values[300:] += 40.0
    _, told = live("extremes", values, relearn_ticks=0)
    assert sum(one.score[0] > 50 for one in told[300:]) < 30


@pytest.mark.parametrize(("direction", "strange"), [("above", 40.0), ("below", -40.0)])
@pytest.mark.parametrize("name", OF_SIZE)
def test_only_the_side_that_matters_is_strange(name: str, direction: str, strange: float) -> None:
    detector, _ = live(name, noise(200), direction=direction)
    assert detector.score(table(200, np.array([5.0 + strange]))).score[0] > 20
    other = detector.score(table(200, np.array([5.0 - strange])))
    assert other.score[0] == 0.0
    assert np.isnan(other.lower[0] if direction == "above" else other.upper[0])


@pytest.mark.parametrize("name", OF_SIZE)
def test_what_is_near_the_expected_is_never_strange(name: str) -> None:
    detector, _ = live(name, np.full((200, 1), 5.0), min_deviation=0.5)
    near, far = (detector.score(table(200, np.array([value]))) for value in (5.4, 9.0))
    assert near.score[0] == 0.0 and near.upper[0] >= 5.5
    assert far.score[0] > 20


@pytest.mark.parametrize(("name", "value", "reason"), [("faults", 30.0, "value"), ("default", 30.0, "new value")])
def test_the_reason_is_told(name: str, value: float, reason: str) -> None:
    detector, _ = live(name, noise(400))
    shares = detector.contributions(table(400, np.array([value])))
    assert sum(share[0] for share in shares.values()) == pytest.approx(1.0)
    assert shares[reason][0] == max(share[0] for share in shares.values()) or reason == "value"


def test_the_time_of_day_is_a_reason() -> None:
    detector = build_detector(STREAMING["faults"].params(interval_seconds=3600.0), ("x",), 50.0)
    random = np.random.default_rng(0)
    for hour in range(24 * 20):
        one = table(hour * 3600, np.array([10.0 * (8 <= hour % 24 < 18) + random.normal() * 0.3]))
        detector.score(one)
        detector.learn(one, np.ones(1, np.bool_))
    at_night = detector.contributions(table(24 * 20 * 3600 + 3 * 3600, np.array([10.0])))
    assert max(at_night, key=lambda name: float(at_night[name][0])) == "time of day"


def test_a_detector_with_one_reason_gives_none() -> None:
    detector, _ = live("ewma", noise(60))
    assert detector.contributions(table(60, np.array([5.0]))) == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_series_costs_little_memory(name: str) -> None:
    detector, _ = live(name, noise(2, series=1024))
    assert len(pickle.dumps(detector)) / 1024 <= MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_learning_without_scoring_first_is_the_same(name: str) -> None:
    values = noise(120)
    scored, _ = live(name, values, threshold=1e9)
    learned = build_detector(STREAMING[name].params(), ("x",), 50.0)
    for second, row in enumerate(values):
        learned.learn(table(second, row), np.ones(1, np.bool_))
    last = table(120, np.array([9.0]))
    np.testing.assert_array_equal(scored.score(last).score, learned.score(last).score)
