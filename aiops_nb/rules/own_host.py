"""Alerts on the machine that the monitor runs on: of lower severity than those on what it watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

OwnHostAlerts = Literal["lower", "same", "off"]
SCOPE = "scope"
OWN_HOST = "own_host"
LOWERED: Mapping[str, str] = {"critical": "warning", "error": "warning", "warning": "info", "info": "info"}


@dataclass(frozen=True, slots=True)
class OwnHost:
    """Targets that are the monitor's own machine, and what becomes of their alerts.

    Examples
    --------
    >>> own = OwnHost(frozenset({"laptop"}), "lower")
    >>> own.labels({"alertname": "cpu_saturation", "severity": "warning", "target": "laptop"})
    {'alertname': 'cpu_saturation', 'severity': 'info', 'target': 'laptop', 'scope': 'own_host'}
    >>> own.labels({"alertname": "cpu_saturation", "severity": "warning", "target": "db"})
    {'alertname': 'cpu_saturation', 'severity': 'warning', 'target': 'db'}
    """

    targets: frozenset[str]
    mode: OwnHostAlerts

    def is_silenced(self, target: str) -> bool:
        """Whether there are no alerts on a target."""
        return self.mode == "off" and target in self.targets

    def labels(self, labels: dict[str, str]) -> dict[str, str]:
        """The labels of an alert; those on the own machine have a `scope`, and a lower severity unless `same`."""
        if labels["target"] not in self.targets:
            return labels
        severity = LOWERED.get(labels["severity"], labels["severity"]) if self.mode == "lower" else labels["severity"]
        return {**labels, "severity": severity, SCOPE: OWN_HOST}
