"""Severity by value: an alert whose value reaches a limit becomes more severe within its episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan

from aiops_nb.alert.escalation import SEVERITIES, with_severity
from aiops_nb.core.types import AlertChange, ScoredFeature, Severity
from aiops_nb.rules.own_host import OwnHost


@dataclass(slots=True)
class _Firing:
    """An alert that fires: its last change, and how severe it is by its value so far."""

    change: AlertChange
    severity: str


class ValueSeverities:
    """Follows the alerts of one rule that fire, of series by their number.

    The severity only rises: a value that falls again leaves it, until the episode ends. The fingerprint stays that of
    the rule's own severity. Cost: none without limits, else one comparison a firing series and window.

    Parameters
    ----------
    severity
        Of the rule.
    limits
        From which value on which severity.

    Examples
    --------
    >>> severities = ValueSeverities("warning", {"error": 0.2, "critical": 0.5})
    >>> severities.of(0.1, 0.0), severities.of(0.6, 0.0), severities.of(float("nan"), 0.0)
    ('warning', 'critical', 'warning')
    >>> ValueSeverities("warning", {"critical": 2.0}).of(1.5, expected=10.0)
    'critical'
    """

    def __init__(self, severity: Severity, limits: Mapping[Severity, float]) -> None:
        self._severity, self._limits = severity, dict(limits)
        self._firing: dict[int, _Firing] = {}

    def __bool__(self) -> bool:
        return bool(self._limits)

    def of(self, value: float, expected: float) -> str:
        """The severity of a value."""
        is_low = value < expected  # false where nothing is expected
        reached = [one for one, limit in self._limits.items() if (value <= limit if is_low else value >= limit)]
        return max((self._severity, *reached), key=SEVERITIES.index)

    def apply(
        self,
        changes: Sequence[AlertChange],
        series: Sequence[int],
        scored: ScoredFeature,
        own_host: OwnHost | None,
        end_ns: int,
    ) -> list[AlertChange]:
        """The changes of a window, of these series, with their severity; then those that have become more severe."""
        made = [self._one(change, one, own_host) for change, one in zip(changes, series, strict=True)]
        for one, firing in self._firing.items():
            value, expected = float(scored.value[one]), float(scored.scores.expected[one])
            if one in series or isnan(value):
                continue
            severity = self.of(value, expected)
            if SEVERITIES.index(severity) > SEVERITIES.index(firing.severity):
                firing.severity = severity
                change = replace(firing.change, time_ns=end_ns, value=value, expected=expected, update="severity")
                made.append(_shown(change, severity, own_host))
        return made

    def _one(self, change: AlertChange, series: int, own_host: OwnHost | None) -> AlertChange:
        if change.state == "firing":
            self._firing[series] = _Firing(change, self.of(change.value, change.expected))
            return _shown(change, self._firing[series].severity, own_host)
        return self.ended(change, series, own_host)

    def ended(self, change: AlertChange, series: int, own_host: OwnHost | None) -> AlertChange:
        """The end of an episode, with the severity that it had; other changes stay as they are."""
        if change.state not in ("resolved", "inactive") or series not in self._firing:
            return change
        return _shown(change, self._firing.pop(series).severity, own_host)


def _shown(change: AlertChange, severity: str, own_host: OwnHost | None) -> AlertChange:
    """The change with that severity, which is lower on the monitor's own machine."""
    labels = {**change.labels, "severity": severity}
    return with_severity(change, (labels if own_host is None else own_host.labels(labels))["severity"])
