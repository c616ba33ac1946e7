"""The one alert that cannot be in the recording: that there is none any more."""

from __future__ import annotations

from aiops_nb.alert.fingerprint import fingerprint
from aiops_nb.core.types import AlertChange


def recording_stopped(reason: str, time_ns: int) -> AlertChange:
    """A firing alert; detection goes on.

    Examples
    --------
    >>> recording_stopped("disk full", 0).labels["alertname"]
    'recording_stopped'
    """
    labels = {"alertname": "recording_stopped", "severity": "critical", "target": "recording", "detector": "monitor"}
    return AlertChange(
        time_ns=time_ns,
        state="firing",
        labels=labels,
        fingerprint=fingerprint(labels),
        pending_at_ns=time_ns,
        starts_at_ns=time_ns,
        summary=reason,
    )
