"""Our column names, and the names OpenTelemetry and Prometheus use (table in docs/reference/columns.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Naming = Literal["aiops_nb", "otel", "prometheus"]

OTEL_REQUESTS: Mapping[str, str] = {
    "target": "url.full",
    "method": "http.request.method",
    "status_code": "http.response.status_code",
    "duration_seconds": "http.client.request.duration",
    "error_type": "error.type",
    "client_ip": "client.address",
    "response_bytes": "http.client.response.body.size",
    "certificate_expires": "tls.server.not_after",
    "error_detail": "error.message",
}
PROMETHEUS_REQUESTS: Mapping[str, str] = {
    "source": "job",
    "target": "instance",
    "status_code": "probe_http_status_code",
    "duration_seconds": "probe_duration_seconds",
    "response_bytes": "probe_http_content_length",
    "resolve_seconds": 'probe_http_duration_seconds{phase="resolve"}',
    "connect_seconds": 'probe_http_duration_seconds{phase="connect"}',
    "tls_seconds": 'probe_http_duration_seconds{phase="tls"}',
    "wait_seconds": 'probe_http_duration_seconds{phase="processing"}',
    "transfer_seconds": 'probe_http_duration_seconds{phase="transfer"}',
    "certificate_expires": "probe_ssl_earliest_cert_expiry",
}
OTEL_METRICS: Mapping[str, str] = {
    "cpu_ratio": "system.cpu.utilization",
    "memory_ratio": "system.memory.utilization",
    "swap_ratio": "system.paging.utilization",
    "disk_ratio": "system.filesystem.utilization",
}
NAMINGS: Mapping[Naming, Mapping[str, Mapping[str, str]]] = {
    "aiops_nb": {},
    "otel": {"requests": OTEL_REQUESTS, "samples": {"target": "host.name"}},
    "prometheus": {"requests": PROMETHEUS_REQUESTS, "samples": {"source": "job", "target": "instance"}},
}


def named(columns: list[str], table: str, naming: Naming) -> list[str]:
    """The columns of a table under the names of another world; those that it has no word for keep ours.

    Tables that we derive (features, scores, alerts, labels) keep our names.

    Examples
    --------
    >>> named(["time", "duration_seconds"], "requests", "prometheus")
    ['time', 'probe_duration_seconds']
    """
    names = NAMINGS[naming].get(table, {})
    return [names.get(column, column) for column in columns]


def metric_names(naming: Naming) -> Mapping[str, str]:
    """Values of the column `metric` under the names of another world."""
    return OTEL_METRICS if naming == "otel" else {}
