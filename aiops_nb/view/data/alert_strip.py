"""Alerts over time: a bar for each episode, in a row for each severity."""

from __future__ import annotations

from typing import TypedDict

from aiops_nb.core.types import NS_PER_SECOND, AlertChange
from aiops_nb.view.data.alert_log import shown_state
from aiops_nb.view.data.store import ViewStore, clock_text, date_text

LEAST_SPAN_NS = 60 * NS_PER_SECOND
STEPS = 600  # as many places along the strip: a bar that grows is sent when it grows by a pixel or two
SEVERITIES = ("critical", "error", "warning", "info")


class Bar(TypedDict):
    """An episode from its start to its end; `left` and `width` are steps of 1/600 of the strip."""

    id: str
    severity: str
    state: str
    left: int
    width: int
    label: str


class Strip(TypedDict):
    """The bars, and the words at the ends of the strip."""

    bars: list[Bar]
    begins: str
    ends: str


def alert_strip(store: ViewStore) -> Strip:
    """The episodes that fired, between the oldest and the newest time that was seen.

    Examples
    --------
    >>> alert_strip(ViewStore())
    {'bars': [], 'begins': '', 'ends': ''}
    """
    episodes = [episode.change for episode in store.alerts.shown() if episode.change.starts_at_ns is not None]
    if not episodes:
        return Strip(bars=[], begins="", ends="")
    first_ns = min(store.oldest_ns, *(change.starts_at_ns or change.pending_at_ns for change in episodes))
    span_ns = max(store.newest_ns - first_ns, LEAST_SPAN_NS)
    step_ns = max(1, span_ns // STEPS)
    bars = [_bar(store, change, first_ns, step_ns) for change in episodes]
    is_one_day = date_text(first_ns) == date_text(store.newest_ns)
    begins = clock_text(first_ns)[:5] if is_one_day else f"{date_text(first_ns)} {clock_text(first_ns)[:5]}"
    return Strip(bars=bars, begins=begins, ends=f"{clock_text(first_ns + span_ns)[:5]} UTC")


def _bar(store: ViewStore, change: AlertChange, first_ns: int, step_ns: int) -> Bar:
    start_ns = change.starts_at_ns if change.starts_at_ns is not None else change.pending_at_ns
    end_ns = change.ends_at_ns if change.ends_at_ns is not None else max(store.newest_ns, start_ns)
    left = min((start_ns - first_ns) // step_ns, STEPS - 1)
    right = min((end_ns - first_ns) // step_ns, STEPS)
    severity = change.labels.get("severity", "")
    name = change.labels.get("alertname", "")
    return Bar(
        id=f"{change.fingerprint}-{change.pending_at_ns}",
        severity=severity if severity in SEVERITIES else "info",
        state=shown_state(change),
        left=int(left),
        width=max(1, int(right - left)),
        label=f"{name}, {store.names.of_labels(change.labels)}, since {clock_text(start_ns)[:8]}",
    )
