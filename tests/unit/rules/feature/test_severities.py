"""Severity that rises by value, within an episode."""

from __future__ import annotations

import pytest

from aiops_nb.alert.escalation import EscalationParams
from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import AlertChange, Item
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.notify.dispatch import Dispatcher
from aiops_nb.notify.params import NotifyParams, SlackParams
from aiops_nb.rules.feature.params import FeatureRuleParams

SECOND = 10**9


def rule(**more: object) -> FeatureRuleParams:
    return FeatureRuleParams(
        alertname="disk",
        table="samples",
        feature="value",
        metrics=("disk_ratio",),
        threshold=1.0,
        resolve_threshold=1.0,
        hold=HoldParams(for_seconds=0.0, keep_firing_for_seconds=0.0),
        detector=LevelParams(limit=0.1),
        severities={"error": 0.3, "critical": 0.5},
        **more,
    )


def changes(values: list[float], cut: int = 1 << 30, **params: object) -> list[AlertChange]:
    pipeline = Pipeline(PipelineParams(feature_rules=(rule(),), **params))
    values = [*values, 0.0, 0.0, 0.0]  # windows close a second behind the rows
    times = [number * SECOND for number in range(len(values))]
    columns = {"time": times, "target": ["db"] * len(values), "metric": ["disk_ratio"] * len(values), "value": values}
    batch = make_batch("samples", "s", columns)
    made: list[AlertChange] = []
    for first in range(0, len(values), cut):
        made += pipeline.push(Item(0, "samples", "s", batch[first : first + cut])).changes
    return made


def seen(made: list[AlertChange]) -> list[tuple[str, str, str]]:
    return [(change.state, change.update, change.labels["severity"]) for change in made]


def test_it_rises_with_the_value_and_stays_until_the_end():
    made = changes([0.0, 0.2, 0.2, 0.35, 0.6, 0.2, 0.2, 0.0, 0.0, 0.2, 0.0, 0.0])
    assert seen(made) == [
        ("firing", "", "warning"),
        ("firing", "severity", "error"),
        ("firing", "severity", "critical"),
        ("resolved", "", "critical"),
        ("firing", "", "warning"),
        ("resolved", "", "warning"),
    ]
    assert len({change.fingerprint for change in made}) == 1
    assert made[2].value == 0.6 and len({change.pending_at_ns for change in made[:4]}) == 1


def test_one_that_begins_high_is_severe_at_once():
    assert seen(changes([0.0, 0.7, 0.7, 0.0, 0.0])) == [("firing", "", "critical"), ("resolved", "", "critical")]


def test_a_gap_changes_nothing_and_neither_does_the_cut():
    values = [0.0, 0.2, 0.4, float("nan"), float("nan"), 0.6, 0.0, 0.0]
    whole = changes(values)
    assert [one for _, _, one in seen(whole)] == ["warning", "error", "critical", "critical"]
    assert str(changes(values, cut=1)) == str(whole)


@pytest.mark.parametrize("values", [[0.0, 0.2, 0.2, 0.2, 0.4, 0.0, 0.0], [0.0, 0.4, 0.4, 0.4, 0.4, 0.0, 0.0]])
def test_with_rises_in_time_the_higher_one_holds(values: list[float]):
    rises = (EscalationParams(after_seconds=2.0, severity="critical"),)
    made = changes(values, escalations=rises)
    severities = [one for _, _, one in seen(made)]
    assert severities[-1] == "critical" and severities == sorted(severities, key=("warning", "error", "critical").index)


def test_people_see_an_edited_message_of_the_same_episode():
    dispatcher = Dispatcher(NotifyParams(channels=(SlackParams(token="env:T", channel="C"),)))
    notices = [
        notice for change in changes([0.0, 0.2, 0.2, 0.2, 0.6, 0.0, 0.0, 0.0]) for notice in dispatcher.take(change)
    ]
    notices += dispatcher.advance(20 * SECOND)
    messages = [message for notice in notices for message in notice.messages]
    assert [(message.kind, message.severity) for message in messages] == [
        ("firing", "warning"),
        ("update", "critical"),
        ("resolved", "critical"),
    ]
    assert len({message.dedup_key for message in messages}) == 1
