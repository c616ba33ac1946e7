"""A level that lasts: kept from learning while an alert fires, accepted after a stated time, and told."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, Item, Step
from aiops_nb.detect.estimators.isolation_forest import IsolationForestParams
from aiops_nb.detect.kernels.ewma import EwmaParams
from aiops_nb.detect.limits.ceiling import CeilingParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.relearning import LearningGate
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.frames.build import alerts_frame, scores_frame
from aiops_nb.rules.feature.params import FeatureRuleParams

YES, NO = np.array([True]), np.array([False])


def learned(excluded: LearningGate, verdicts: str, seconds: list[float]) -> str:
    """`s` strange, `u` usual, `-` not known, to `L` learned, `A` accepted and learned, `.` kept out."""
    told = ""
    for verdict, second in zip(verdicts, seconds, strict=True):
        known, usual = (YES if verdict != "-" else NO), (YES if verdict == "u" else NO)
        learn = excluded.to_learn(known, usual, round(second * NS_PER_SECOND))
        told += "A" if excluded.accepted[0] else "L" if learn[0] else "."
    return told


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ("uuussuuu", "LLL..LLL"),
        ("ssssss", "...ALL"),
        ("sssuss", "...L.."),
        ("ss--ss", ".....A"),
        ("sssssuss", "...ALL.."),
        ("------", "......"),
    ],
)
def test_a_level_is_accepted_with_the_fourth_strange_value_on_end(verdicts: str, told: str) -> None:
    assert learned(LearningGate(most_ticks=4, most_seconds=1e6), verdicts, list(range(len(verdicts)))) == told


def test_time_accepts_a_level_of_rare_values() -> None:
    every_ten_minutes = [600.0 * number for number in range(14)]
    assert learned(LearningGate(300, most_seconds=3600.0), "s" * 14, every_ten_minutes) == "." * 9 + "ALLLL"
    every_two = [120.0 * number for number in range(40)]
    assert learned(LearningGate(300, most_seconds=3600.0), "s" * 40, every_two) == "." * 30 + "A" + "L" * 9


def test_one_value_on_each_side_of_a_long_gap_is_no_level() -> None:
    assert learned(
        LearningGate(300, most_seconds=3600.0), "ss" + "s" * 8, [0.0, 90_000.0, *(90_001.0 + i for i in range(8))]
    ) == ("." * 9 + "A")


def test_series_are_counted_apart() -> None:
    excluded = LearningGate(most_ticks=2, most_seconds=1e6)
    for second in range(3):
        excluded.to_learn(np.ones(50, bool), np.arange(50) != 40, second)
        assert np.flatnonzero(excluded.accepted).tolist() == ([40] if second == 1 else [])


def run(rule: FeatureRuleParams, seconds: np.ndarray) -> list[Step]:
    """One request a second of these durations."""
    pipeline = Pipeline(PipelineParams(window=WindowParams(span_ticks=1), row_rules=(), feature_rules=(rule,)))
    columns = {
        "time": np.arange(len(seconds)) * NS_PER_SECOND,
        "origin": "probe",
        "target": ["shop"] * len(seconds),
        "duration_seconds": seconds,
    }
    return [pipeline.push(Item(0, "requests", "test", make_batch("requests", "test", columns)))]


def durations(usual: int, later: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=usual + later) * 0.002
    return noise + np.where(np.arange(usual + later) < usual, 0.085, 0.14)


def rule(detector: object, threshold: float) -> FeatureRuleParams:
    return FeatureRuleParams(
        alertname="slow",
        feature="duration_mean_seconds",
        threshold=threshold,
        hold=HoldParams(for_seconds=0, keep_firing_for_seconds=2),
        detector=detector,  # type: ignore[arg-type]
    )


def changes(steps: list[Step]) -> list[AlertChange]:
    return [change for step in steps for change in step.changes if change.state in ("firing", "resolved")]


@pytest.mark.parametrize(
    ("detector", "threshold"),
    [
        (RobustZParams(relearn_ticks=40, warmup_ticks=20), 6.0),
        (EwmaParams(relearn_ticks=40), 45.0),
    ],
)
def test_an_alert_that_ends_by_acceptance_says_so(detector: object, threshold: float) -> None:
    steps = run(rule(detector, threshold), durations(usual=120, later=400))
    fired, resolved = changes(steps)[:2]
    assert (fired.state, resolved.state) == ("firing", "resolved")
    assert fired.outcome == ""
    assert resolved.outcome.startswith("baseline updated after 40 windows (40 s): 8")
    assert resolved.summary.endswith(resolved.outcome)
    before, after = resolved.outcome.rpartition(": ")[2].split(" -> ")
    assert 84 < float(before.removesuffix(" ms")) < 87
    assert 138 < float(after.removesuffix(" ms")) < 142
    scores = scores_frame(steps)
    assert scores["accepted"].sum() == 1
    assert scores.loc[scores["accepted"], "is_anomaly"].all()
    assert alerts_frame(changes(steps))["outcome"].iloc[0] == resolved.outcome


def test_the_levels_of_robust_z_are_told_exactly() -> None:
    steps = run(rule(RobustZParams(relearn_ticks=40, warmup_ticks=20), 6.0), durations(usual=120, later=400))
    outcome = changes(steps)[1].outcome
    assert outcome.rpartition(" -> ")[2] in {"139 ms", "140 ms", "141 ms"}


def test_time_ends_an_alert_that_values_would_not() -> None:
    detector = RobustZParams(relearn_ticks=100_000, relearn_seconds=60.0, warmup_ticks=20)
    resolved = changes(run(rule(detector, 6.0), durations(usual=120, later=400)))[1]
    assert resolved.outcome.startswith("baseline updated after 61 windows (")


def test_a_ceiling_is_raised_by_what_lasts_and_that_is_told() -> None:
    detector = CeilingParams(min_deviation=0.03, warmup_seconds=20.0, relearn_seconds=60.0)
    fired, resolved = changes(run(rule(detector, 1.0), durations(usual=120, later=400)))
    assert (fired.state, resolved.state) == ("firing", "resolved")
    assert resolved.outcome.startswith("baseline updated after 60 windows (60 s): 8")


def test_a_fault_that_goes_by_itself_has_no_such_outcome() -> None:
    seconds = durations(usual=120, later=20)
    steps = run(rule(RobustZParams(relearn_ticks=40, warmup_ticks=20), 6.0), np.r_[seconds, seconds[:120]])
    fired, resolved = changes(steps)
    assert (fired.state, resolved.state, resolved.outcome) == ("firing", "resolved", "")
    assert not scores_frame(steps)["accepted"].any()


def test_a_forest_accepts_a_level_too() -> None:
    pytest.importorskip("sklearn")
    steps = run(rule(IsolationForestParams(trees=50, relearn_ticks=40), 40.0), durations(usual=200, later=200))
    assert scores_frame(steps)["accepted"].sum() >= 1
