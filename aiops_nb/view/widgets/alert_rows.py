"""The text of the alert table."""

from __future__ import annotations

import math
from typing import TypedDict

from aiops_nb.core.quantities import format_duration, readable, readable_name, rough_duration, unit_name
from aiops_nb.core.types import ALL_TARGETS, NS_PER_SECOND, AlertChange
from aiops_nb.view.data.alert_log import Episode, shown_state
from aiops_nb.view.data.names import harmless
from aiops_nb.view.data.store import ViewStore, moment_text
from aiops_nb.view.widgets.answers import answer_text, offered

ALL_WORDS = "all targets"
STATE_WORDS = {"nodata": "no data", "error": "error"}
# Their values are a status code and a number of targets: no values of the feature that the alert is named after
RULE_WORDS = {"row_rule": "Rule: consecutive failures", "grouping": "Rule: several targets at once"}


class AlertRow(TypedDict):
    """One episode as a table row; `facts` and `evidence` are shown when it is selected."""

    id: str
    state: str
    state_label: str
    severity: str
    since: str
    age: str
    target: str
    full_target: str
    name: str
    summary: str
    unanswered: bool
    answer: str
    actions: list[list[str]]
    facts: list[str]
    evidence: list[list[str]]


def alert_rows(store: ViewStore) -> list[AlertRow]:
    """The alert table: firing, pending, inhibited, resolved; the worst first, then the newest."""
    return [_alert_row(store, episode) for episode in store.alerts.shown()]


def row_id_of(change: AlertChange) -> str:
    """Identity of an episode on the screen."""
    return f"{change.fingerprint}-{change.pending_at_ns}"


def _alert_row(store: ViewStore, episode: Episode) -> AlertRow:
    change = episode.change
    state = shown_state(change)
    return AlertRow(
        id=row_id_of(change),
        state=state,
        state_label=_state_label(change, state, _undelivered(store, change)),
        severity=change.labels.get("severity", ""),
        since=_since(change, store.newest_ns),
        age=_age(change, store.newest_ns),
        target=_subject(store, change),
        full_target=_full_subject(change),
        name=change.labels.get("alertname", ""),
        summary=store.names.shorten(_summary(change)),
        unanswered=state == "firing" and not change.silenced_by and not change.acknowledged,
        answer=harmless(answer_text(change)),
        actions=offered(change),
        facts=_facts(store, change),
        evidence=[list(row) for row in episode.evidence],
    )


def _undelivered(store: ViewStore, change: AlertChange) -> str:
    """Channels that did not deliver the alert, and why; empty if all did."""
    return store.undelivered.get((change.fingerprint, change.pending_at_ns), "")


def _state_label(change: AlertChange, state: str, undelivered: str = "") -> str:
    """The state, and in a word what was answered, or that nobody was reached."""
    if state == "inhibited":
        return f"part of {change.inhibited_by}"
    if state != "firing":
        return state
    word = STATE_WORDS.get(change.state, state)
    if undelivered:
        return f"{word}, not delivered"
    if change.silenced_by:
        return f"{word}, silenced"
    if change.acknowledged:
        return f"{word}, acknowledged"
    return f"{word}, flapping" if change.flapping else word


def _full_subject(change: AlertChange) -> str:
    """What an alert is about: a client, a target, or all targets."""
    target = change.labels.get("target", "")
    return change.labels.get("client") or (ALL_WORDS if target == ALL_TARGETS else target)


def _subject(store: ViewStore, change: AlertChange) -> str:
    subject = _full_subject(change)
    return store.names.of_labels(change.labels) if subject == change.labels.get("target") else harmless(subject)


def _summary(change: AlertChange) -> str:
    """The summary without its subject, which has a column of its own."""
    # the target that a client attacks has no column, and stays
    return change.summary.removeprefix(f"{ALL_TARGETS}: ").removeprefix(f"{_full_subject(change)}: ")


def _since(change: AlertChange, now_ns: int) -> str:
    began = change.starts_at_ns if change.starts_at_ns is not None else change.pending_at_ns
    since = moment_text(began, max(now_ns, change.time_ns))
    if change.state != "resolved" or change.ends_at_ns is None:
        return since
    return f"{since}, for {format_duration(round((change.ends_at_ns - began) / NS_PER_SECOND))}"


def _age(change: AlertChange, now_ns: int) -> str:
    """How long it is active, in steps that seldom change; empty once it is resolved."""
    if change.state == "resolved":
        return ""
    began = change.starts_at_ns if change.starts_at_ns is not None else change.pending_at_ns
    minutes = max(0, now_ns - began) // (60 * NS_PER_SECOND)
    return f"for {rough_duration(60.0 * minutes)}" if minutes else "new"


def _facts(store: ViewStore, change: AlertChange) -> list[str]:
    """How the alert was found, one fact a line, every number with its unit."""
    detector = change.labels.get("detector", "")
    origin = [RULE_WORDS.get(detector, f"Detector: {detector}")] if detector else []
    inhibited = [f"Part of {change.inhibited_by}, which is notified instead"] if change.inhibited_by else []
    lost = _undelivered(store, change)
    missed = [f"Not delivered: {harmless(lost)}"] if lost else []
    outcome = [f"Resolved: {change.outcome}"] if change.outcome and change.state == "resolved" else []
    figures = [] if detector in RULE_WORDS else _figures(store, change)
    return [*origin, *inhibited, *missed, *outcome, *figures]


def _figures(store: ViewStore, change: AlertChange) -> list[str]:
    feature = store.features.get(change.labels.get("alertname", ""), "")
    unit = unit_name(feature, change.labels.get("metric", ""))
    name = readable_name(feature) if feature and feature != "value" else change.labels.get("metric", "") or "value"
    known = {"expected": change.expected, "at least": change.lower, "at most": change.upper}
    limits = [f"{word} {readable(value, unit)}" for word, value in known.items() if math.isfinite(value)]
    value = [", ".join([f"{name} {readable(change.value, unit)}", *limits])] if math.isfinite(change.value) else []
    limit = f" (alert threshold {change.threshold:.3g})" if math.isfinite(change.threshold) else ""
    score = [f"anomaly score {change.score:.3g}{limit}"] if math.isfinite(change.score) else []
    return [*value, *score]
