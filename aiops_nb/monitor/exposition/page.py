"""The page itself: families of metrics from the latest values, served on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.core.types import Step
from aiops_nb.monitor.exposition.latest import BOUNDS_SECONDS, Latest, Row

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

PHASES = {
    "resolve_seconds": "resolve",
    "connect_seconds": "connect",
    "tls_seconds": "tls",
    "wait_seconds": "processing",
    "transfer_seconds": "transfer",
}
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_OURS = ("probe_", "http_requests", "http_request_", "aiops_nb_", "ALERTS")


class MetricsPage(Collector):
    """A sink that shows the latest values on a page which Prometheus can scrape, until it is closed.

    The page has `probe_success`, `probe_duration_seconds`, `probe_http_status_code`, `probe_http_duration_seconds`
    by phase, `probe_http_content_length` and `probe_ssl_earliest_cert_expiry` as the blackbox exporter has them;
    `http_requests_total` and `http_request_duration_seconds` of the traffic of other clients; each metric of samples
    under its own name; and `ALERTS` as Prometheus has it. The label `instance` is the target. A target that was not
    seen for five minutes is left out.

    Parameters
    ----------
    port
        TCP port; 0: any free one.
    host
        Address to listen on. Anybody who reaches it can read the page.

    Raises
    ------
    AiopsError
        If the port cannot be taken.

    Examples
    --------
    >>> with MetricsPage(port=0) as page:
    ...     page.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, port: int = 9115, host: str = "127.0.0.1") -> None:
        if not 0 <= port <= 65535:
            raise ConfigError.at("port", "a number from 0 to 65535", port)
        self._latest = Latest()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        self._server: ThreadingHTTPServer
        self._thread: Thread
        try:
            self._server, self._thread = start_http_server(port, host, registry)  # type: ignore[assignment]
        except OSError as problem:
            raise AiopsError(f"metrics page: {host}:{port}: {problem.strerror or problem}") from None
        self._host = host

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Of the page."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.server_address[1]}/metrics"

    def write(self, step: Step) -> None:
        """Keep what a step shows."""
        self._latest.take(step)

    def close(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def collect(self) -> Iterator[Metric]:
        """The families of a scrape."""
        yield from _probe_families(list(self._latest.probes()))
        yield from self._traffic_families()
        yield from self._sample_families()
        alerts = GaugeMetricFamily("ALERTS", "Open alerts.", labels=["alertname", "alertstate", "severity", "instance"])
        for change in self._latest.alerts():
            labels = change.labels
            state = "pending" if change.state == "pending" else "firing"
            alerts.add_metric([labels["alertname"], state, labels["severity"], labels["target"]], 1)
        yield alerts
        dropped = CounterMetricFamily(
            "aiops_nb_metrics_page_series_dropped", "Values of series beyond the first 10,000."
        )
        dropped.add_metric([], self._latest.dropped)
        yield dropped

    def _traffic_families(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("http_requests", "Requests of other clients.", labels=["instance", "code"])
        latency = HistogramMetricFamily(
            "http_request_duration_seconds", "Latency of requests of other clients.", labels=["instance"]
        )
        bounds = [*(f"{bound}" for bound in BOUNDS_SECONDS), "+Inf"]
        for target, counted in self._latest.traffic():
            for code, count in sorted(counted.codes.items()):
                requests.add_metric([target, code], count)
            sums = [sum(counted.buckets[: i + 1]) for i in range(len(bounds))]
            latency.add_metric([target], list(zip(bounds, sums, strict=True)), counted.sum_seconds)
        yield requests
        yield latency

    def _sample_families(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        other = GaugeMetricFamily(
            "aiops_nb_sample", "Samples whose metric has no plain name.", labels=["instance", "metric"]
        )
        for target, metric, value in self._latest.samples():
            if _NAME.fullmatch(metric) and not metric.startswith(_OURS):
                family = families.setdefault(
                    metric, GaugeMetricFamily(metric, f"Samples of {metric}.", labels=["instance"])
                )
                family.add_metric([target], value)
            else:
                other.add_metric([target, metric], value)
        yield from families.values()
        yield other


def _probe_families(rows: list[Row]) -> Iterator[Metric]:
    success = _gauge("probe_success", "Whether the latest probe got a 2xx or 3xx response.", rows, _is_success)
    yield success
    yield _gauge("probe_duration_seconds", "Time of the latest probe.", rows, lambda row: row["duration_seconds"])
    yield _gauge(
        "probe_http_status_code", "Status code; 0 without a response.", rows, lambda row: row["status_code"] or 0
    )
    yield _gauge("probe_http_content_length", "Size of the body.", rows, lambda row: row["response_bytes"])
    yield _gauge(
        "probe_ssl_earliest_cert_expiry",
        "When the certificate expires, in seconds since 1970.",
        rows,
        lambda row: None if row["certificate_expires"] is None else row["certificate_expires"].timestamp(),
    )
    phases = GaugeMetricFamily("probe_http_duration_seconds", "Time of each phase.", labels=["instance", "phase"])
    for row in rows:
        for column, phase in PHASES.items():
            if row[column] is not None:
                phases.add_metric([row["target"], phase], row[column])
    yield phases


def _gauge(name: str, meaning: str, rows: list[Row], value_of: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=["instance"])
    for row in rows:
        value = value_of(row)
        if value is not None:
            family.add_metric([row["target"]], value)
    return family


def _is_success(row: Row) -> float:
    return float(row["error_type"] is None and 200 <= (row["status_code"] or 0) < 400)
