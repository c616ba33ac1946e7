"""An alert that nobody acknowledges for a while becomes more severe, within the same episode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, get_args

from msgspec import Meta, Struct

from aiops_nb.core.matchers import Matcher, matches_all, parse_matchers
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, Severity

SEVERITIES: tuple[str, ...] = get_args(Severity)


class EscalationParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts with these labels have a higher severity after a time, unless somebody has acknowledged them.

    Attributes
    ----------
    matchers
        Labels of the alerts, such as `alertname="http_5xx"`; none: all alerts.
    after_seconds
        Event time since the alert began to fire, without time that the monitor slept.
    severity
        From then on; an alert that is as severe already stays as it is.

    Raises
    ------
    ConfigError
        For matchers that cannot be read.
    """

    matchers: tuple[str, ...] = ()
    after_seconds: Annotated[float, Meta(gt=0)] = 1800.0
    severity: Severity = "critical"

    def __post_init__(self) -> None:
        parse_matchers(self.matchers)


@dataclass(slots=True)
class _Firing:
    """An alert that fires, its severity now, and what is still to come: (due, severity), the earliest first."""

    change: AlertChange
    due: list[tuple[int, Severity]]
    severity: str


class Escalations:
    """Raises the severity of alerts that fire for long: a change of the same episode, whose fingerprint stays.

    It follows the changes in their order and the windows as they close. An inhibited or acknowledged alert waits. Cost:
    none without rules; memory: the alerts that fire and may become more severe.

    Parameters
    ----------
    rules
        Which alerts, when, and how severe.
    is_acknowledged
        Whether somebody has acknowledged an alert, by its fingerprint.
    """

    def __init__(self, rules: Sequence[EscalationParams], is_acknowledged: Callable[[str], bool]) -> None:
        self._rules: list[tuple[EscalationParams, tuple[Matcher, ...]]] = [
            (rule, parse_matchers(rule.matchers)) for rule in rules
        ]
        self._is_acknowledged = is_acknowledged
        self._firing: dict[str, _Firing] = {}

    def apply(self, changes: Iterable[AlertChange]) -> list[AlertChange]:
        """The changes in their order, each with the severity that its alert has now."""
        return [self._one(change) for change in changes] if self._rules else list(changes)

    def _one(self, change: AlertChange) -> AlertChange:
        alert = self._firing.get(change.fingerprint)
        if change.state in ("resolved", "inactive"):
            self._firing.pop(change.fingerprint, None)
        elif change.is_firing and alert is None and (due := self._due(change)):
            self._firing[change.fingerprint] = _Firing(change, due, change.labels.get("severity", ""))
        elif alert is not None:
            alert.change = change
            alert.severity = max(alert.severity, change.labels.get("severity", ""), key=_rank)  # it may rise by value
        return change if alert is None else with_severity(change, alert.severity)

    def _due(self, change: AlertChange) -> list[tuple[int, Severity]]:
        began_ns = change.starts_at_ns if change.starts_at_ns is not None else change.time_ns
        found = [rule for rule, matchers in self._rules if matches_all(matchers, change.labels)]
        return sorted((began_ns + round(rule.after_seconds * NS_PER_SECOND), rule.severity) for rule in found)

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        for alert in self._firing.values():
            alert.due = [(due_ns + slept_ns, severity) for due_ns, severity in alert.due]

    def tick(self, end_ns: int) -> list[AlertChange]:
        """End of a window: alerts that have become more severe."""
        made: list[AlertChange] = []
        for fingerprint, alert in self._firing.items():
            if not alert.due or alert.due[0][0] > end_ns:
                continue
            if alert.change.inhibited_by or self._is_acknowledged(fingerprint):
                continue
            passed = [severity for due_ns, severity in alert.due if due_ns <= end_ns]
            alert.due = alert.due[len(passed) :]
            highest = max((alert.severity, *passed), key=_rank)
            if highest != alert.severity:
                alert.severity = highest
                made.append(with_severity(replace(alert.change, time_ns=end_ns, update="severity"), highest))
        return made


def with_severity(change: AlertChange, severity: str) -> AlertChange:
    """The change with another severity among its labels; its fingerprint stays."""
    if change.labels.get("severity", "") == severity:
        return change
    return replace(change, labels={**change.labels, "severity": severity})


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1
