"""Identity of an alert."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from aiops_nb.alert.lifecycle import Transition
from aiops_nb.core.types import AlertChange, SeriesKey


def fingerprint(labels: Mapping[str, str]) -> str:
    """Stable hash of the sorted label set: 16 hexadecimal digits.

    Examples
    --------
    >>> fingerprint({"b": "2", "a": "1"}) == fingerprint({"a": "1", "b": "2"})
    True
    """
    text = "\0".join(f"{name}\0{labels[name]}" for name in sorted(labels))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def labels_of(alertname: str, severity: str, detector: str, key: SeriesKey) -> dict[str, str]:
    """Identity of an alert: never a score or a value.

    Examples
    --------
    >>> labels_of("http_5xx", "error", "row_rule", SeriesKey("shop", origin="probe"))["origin"]
    'probe'
    """
    labels = {"alertname": alertname, "severity": severity, "target": key.target, "detector": detector}
    parts = {"origin": key.origin, "metric": key.metric, "client": key.client}
    return labels | {name: part for name, part in parts.items() if part}


def bare_change(transition: Transition, labels: Mapping[str, str]) -> AlertChange:
    """The change that a transition makes of the alert with these labels; numbers and summary are left to add.

    Examples
    --------
    >>> labels = labels_of("http_5xx", "error", "row_rule", SeriesKey("shop", origin="probe"))
    >>> change = bare_change(Transition(series=0, state="firing", time_ns=7, pending_at_ns=5, starts_at_ns=7), labels)
    >>> change.time_ns, change.state, change.labels["target"], change.summary
    (7, 'firing', 'shop', '')
    """
    return AlertChange(
        time_ns=transition.time_ns,
        state=transition.state,
        labels=labels,
        fingerprint=fingerprint(labels),
        pending_at_ns=transition.pending_at_ns,
        starts_at_ns=transition.starts_at_ns,
        ends_at_ns=transition.ends_at_ns,
        outcome=transition.outcome,
    )
