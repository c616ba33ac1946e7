"""Who an alert is."""

from __future__ import annotations

from aiops_nb.core.types import SeriesKey


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
