"""Alerts that others explain, on tiny literal streams of changes."""

from __future__ import annotations

import pytest

from aiops_nb.alert.identity import fingerprint
from aiops_nb.alert.inhibition import Inhibitor, InhibitRuleParams
from aiops_nb.core.types import NS_PER_SECOND, AlertChange
from aiops_nb.rules.defaults.inhibition import DEFAULT_INHIBIT_RULES

RULE = InhibitRuleParams(
    source_matchers={"alertname": ("down",)},
    target_matchers={"alertname": ("slow",)},
    equal=("target",),
    keep_seconds=10,
)


def change(at, name, state, target="a"):
    labels = {"alertname": name, "target": target}
    return AlertChange(
        time_ns=at * NS_PER_SECOND, state=state, labels=labels, fingerprint=fingerprint(labels), pending_at_ns=0
    )


def told(events, rules=(RULE,), references=(), until=60):
    """(second, alertname, target, state, inhibited_by) of everything, with a tick after each second."""
    inhibitor, seen = Inhibitor(rules, references), []
    for second in range(until):
        seen += inhibitor.apply([change(*event) for event in events if event[0] == second])
        seen += inhibitor.tick((second + 1) * NS_PER_SECOND)
    return [
        (c.time_ns // NS_PER_SECOND, c.labels["alertname"], c.labels["target"], c.state, c.inhibited_by) for c in seen
    ]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([(1, "slow", "firing")], [(1, "slow", "a", "firing", "")]),
        (
            [(1, "down", "firing"), (2, "slow", "firing"), (3, "slow", "resolved")],
            [(1, "down", "a", "firing", ""), (2, "slow", "a", "firing", "down"), (3, "slow", "a", "resolved", "down")],
        ),
        (
            [(1, "down", "firing"), (2, "slow", "firing", "b")],
            [(1, "down", "a", "firing", ""), (2, "slow", "b", "firing", "")],
        ),
        (
            [(1, "slow", "firing"), (2, "down", "firing"), (3, "slow", "resolved")],
            [(1, "slow", "a", "firing", ""), (2, "down", "a", "firing", ""), (3, "slow", "a", "resolved", "")],
        ),
    ],
    ids=["alone", "explained", "another target", "told before"],
)
def test_an_alert_is_explained_while_its_source_is_active(events, expected):
    assert told(events) == expected


def test_what_outlives_its_source_is_told_once_and_resolved_once():
    seen = told(
        [(1, "down", "firing"), (2, "slow", "firing"), (5, "down", "resolved"), (30, "slow", "resolved")], until=60
    )
    assert [event for event in seen if event[1] == "slow"] == [
        (2, "slow", "a", "firing", "down"),
        (15, "slow", "a", "firing", ""),
        (30, "slow", "a", "resolved", ""),
    ]


def test_the_time_after_a_source_explains_too_and_ends_when_the_source_comes_back():
    events = [(1, "down", "firing"), (5, "down", "resolved"), (8, "slow", "firing"), (12, "down", "firing")]
    assert [event for event in told(events) if event[1] == "slow"] == [(8, "slow", "a", "firing", "down")]


def test_a_pending_source_explains_only_while_it_is_pending():
    events = [(1, "down", "pending"), (2, "slow", "firing"), (4, "down", "inactive")]
    assert [event for event in told(events) if event[1] == "slow"] == [
        (2, "slow", "a", "firing", "down"),
        (5, "slow", "a", "firing", ""),
    ]


def test_a_source_does_not_explain_itself_and_another_source_may_take_over():
    both = InhibitRuleParams(source_matchers={"target": ("a",)}, target_matchers={"target": ("a",)})
    assert told([(1, "down", "firing")], rules=(both,)) == [(1, "down", "a", "firing", "")]
    second = InhibitRuleParams(source_matchers={"alertname": ("offline",)}, target_matchers={"alertname": ("slow",)})
    events = [(1, "down", "firing"), (2, "offline", "firing", "x"), (3, "slow", "firing"), (4, "down", "resolved")]
    seen = told(events, rules=(RULE, second))
    assert [event for event in seen if event[1] == "slow"] == [(3, "slow", "a", "firing", "down")]


@pytest.mark.parametrize("flood", ["client_flood", "distributed_flood"])
def test_a_flood_explains_the_surge_that_it_makes(flood):
    seen = told([(1, flood, "firing", "b"), (9, "traffic_surge", "firing", "*")], rules=DEFAULT_INHIBIT_RULES)
    assert seen == [(1, flood, "b", "firing", ""), (9, "traffic_surge", "*", "firing", flood)]


def test_alerts_about_references_are_never_told():
    assert told([(1, "slow", "firing"), (2, "slow", "resolved")], references=("a",)) == [
        (1, "slow", "a", "firing", "connectivity"),
        (2, "slow", "a", "resolved", "connectivity"),
    ]
