"""The severity of an alert that nobody acknowledges rises, in the same episode."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiops_nb.alert.escalation import EscalationParams, Escalations
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import NS_PER_SECOND as SECOND
from aiops_nb.core.types import AlertChange

RULES = (
    EscalationParams(matchers=('alertname="a"',), after_seconds=10, severity="error"),
    EscalationParams(matchers=('alertname="a"',), after_seconds=20, severity="critical"),
)
FIRING = AlertChange(
    time_ns=0,
    state="firing",
    labels={"alertname": "a", "severity": "warning", "target": "shop"},
    fingerprint="f",
    pending_at_ns=0,
    starts_at_ns=0,
)


def seen(changes):
    return [(one.time_ns // SECOND, one.state, one.update, one.labels["severity"]) for one in changes]


def test_it_rises_step_by_step_and_the_resolve_has_it_too():
    stage = Escalations(RULES, lambda _: False)
    assert seen(stage.apply([FIRING])) == [(0, "firing", "", "warning")]
    assert [one for second in range(10) for one in stage.tick(second * SECOND)] == []
    assert seen(stage.tick(10 * SECOND)) == [(10, "firing", "severity", "error")]
    assert seen(stage.tick(25 * SECOND)) == [(25, "firing", "severity", "critical")]
    assert stage.tick(99 * SECOND) == []
    (end,) = stage.apply([replace(FIRING, state="resolved", time_ns=100 * SECOND)])
    assert (end.labels["severity"], end.fingerprint) == ("critical", "f")
    assert seen(stage.apply([FIRING])) == [(0, "firing", "", "warning")]


def test_two_steps_that_are_due_are_one_change():
    stage = Escalations(RULES, lambda _: False)
    stage.apply([FIRING])
    assert seen(stage.tick(50 * SECOND)) == [(50, "firing", "severity", "critical")]


def test_an_acknowledged_or_inhibited_alert_waits():
    acknowledged = {"f"}
    stage = Escalations(RULES[:1], acknowledged.__contains__)
    stage.apply([FIRING])
    assert stage.tick(50 * SECOND) == []
    acknowledged.clear()
    stage.apply([replace(FIRING, inhibited_by="other", update="released")])
    assert stage.tick(51 * SECOND) == []
    stage.apply([replace(FIRING, update="released")])
    assert seen(stage.tick(52 * SECOND)) == [(52, "firing", "severity", "error")]


def test_others_and_those_that_are_as_severe_stay_as_they_are():
    stage = Escalations(RULES[:1], lambda _: False)
    stage.apply([replace(FIRING, labels=FIRING.labels | {"alertname": "b"})])
    stage.apply([replace(FIRING, fingerprint="g", labels=FIRING.labels | {"severity": "critical"})])
    assert stage.tick(99 * SECOND) == []


def test_matchers_that_cannot_be_read_are_refused():
    with pytest.raises(ConfigError, match="matchers"):
        EscalationParams(matchers=("severity",))
