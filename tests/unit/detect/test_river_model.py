"""A detector in river's shape passes river's own checks."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

river_checks = pytest.importorskip("river.checks")

from aiops_nb import StreamDetector  # noqa: E402
from aiops_nb.core.errors import ConfigError  # noqa: E402
from aiops_nb.detect.registry import STREAMING  # noqa: E402

NAMES = ["cpu_ratio", "memory_ratio", "wait_seconds", "rate_hz", "error_ratio"]


def labelled(points: int) -> list[tuple[dict[str, float], bool]]:
    """River's own data sets are downloads; these have the same shape."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(points):
        odd = number > 100 and number % 37 == 0
        rows.append((dict(zip(NAMES, (random.normal(size=5) + 9.0 * odd).tolist(), strict=True)), odd))
    return rows


def checks() -> Iterator[Any]:
    """River's checks, one by one, those on data with ours."""
    for check in river_checks.yield_checks(StreamDetector("facts")):
        name = check.__name__
        if isinstance(check, functools.partial):
            points = 3_000 if name == "check_bounded_memory_growth" else 300
            check = functools.partial(check.func, dataset=labelled(points))
        yield pytest.param(check, id=name)


@pytest.mark.parametrize("check", list(checks()))
def test_it_passes_the_checks_of_river(check: Any) -> None:
    check(StreamDetector("facts").clone())


@pytest.mark.parametrize("name", [name for name in STREAMING if name not in ("stuck", "cusum")])
def test_each_detector_finds_a_far_value(name: str) -> None:
    model, random = StreamDetector(name), np.random.default_rng(0)
    scores = []
    for _ in range(300):
        x = {"x": 5.0 + random.normal()}
        scores.append(model.score_one(x))
        model.learn_one(x)
    assert scores[:20] == [0.0] * 20
    assert model.score_one({"x": 200.0}) > max(scores[60:])


def test_scoring_changes_nothing() -> None:
    once, often = StreamDetector("faults"), StreamDetector("faults")
    for x, _ in labelled(200):
        expected = once.score_one(x)
        often.score_one(dict.fromkeys(NAMES, 77.0))
        assert often.score_one(x) == expected
        once.learn_one(x)
        often.learn_one(x)


def test_features_may_come_and_go_and_be_unknown() -> None:
    model = StreamDetector("facts")
    for x, _ in labelled(200):
        model.learn_one(x)
    assert model.score_one({"never_seen": 1.0}) == 0.0
    assert model.score_one({"cpu_ratio": math.nan, "memory_ratio": "text", "rate_hz": math.inf}) == 0.0
    model.learn_one({"new": 1.0})
    assert model.score_one({"cpu_ratio": 99.0, "new": 1.0}) > 30.0


def test_a_mistake_is_named() -> None:
    with pytest.raises(ConfigError, match="parameters: expected those of ewma"):
        StreamDetector("ewma", {"half_life": 3})
    with pytest.raises(ConfigError, match="which is for alert rules only"):
        StreamDetector("level")
