"""Collectors as data: what a configuration says of each.

Each struct has the parameters of its collector, whose docstring explains them.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from aiops_nb.collect.heartbeat.jobs import HeartbeatJob
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.collect.synthetic.faults import Fault
from aiops_nb.collect.synthetic.shape import Shape

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]


class CollectorParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of the parameters of every collector that a configuration can name; `tag` is its `type` there.

    Attributes
    ----------
    name
        The `source` of the rows; different for each collector of a run.

    Examples
    --------
    >>> class QueueParams(CollectorParams, frozen=True, kw_only=True, tag="queue"):
    ...     url: str
    ...     name: str = "queue"
    >>> QueueParams(url="redis://localhost").name
    'queue'
    """

    name: str


class AccessLogParams(CollectorParams, frozen=True, kw_only=True, tag="access_log"):
    """Of `aiops_nb.collect.access_log.collector.AccessLog`."""

    path: str
    pattern: str = "auto"
    target: Literal["template", "path"] = "template"
    name: str = "access_log"
    from_start: bool = False
    max_targets: Count = 1000
    max_line_bytes: Count = 65_536
    unknown_fields: UnknownFields = "drop"
    fields: dict[str, str] = {}
    time_format: str | None = None
    timezone: str | None = None
    duration_unit: Literal["s", "ms", "us", "ns"] | None = None


class LogParams(CollectorParams, frozen=True, kw_only=True, tag="log"):
    """Of `aiops_nb.collect.log.collector.LogFile`."""

    path: str
    form: Literal["auto", "text", "json"] = "auto"
    pattern: str | None = None
    name: str = "log"
    target: str | None = None
    from_start: bool = False
    fields: dict[str, str] = {}
    time_format: str | None = None
    timezone: str | None = None
    join: bool = True
    redact: tuple[str, ...] = ()
    max_line_bytes: Count = 65_536
    max_text_characters: Count = 8_192


class TcpClientParams(CollectorParams, frozen=True, kw_only=True, tag="tcp_client"):
    """Of `aiops_nb.collect.sockets.tcp_client.TcpClient`."""

    host: str
    port: Port
    name: str = "tcp"
    host_label: str | None = None
    max_line_bytes: Count = 65_536
    first_backoff_seconds: Positive = 0.5
    longest_backoff_seconds: Positive = 30.0
    unknown_fields: UnknownFields = "drop"


class TcpListenerParams(CollectorParams, frozen=True, kw_only=True, tag="tcp_listener"):
    """Of `aiops_nb.collect.sockets.tcp_listener.TcpListener`."""

    port: Port
    listen_on: str = "127.0.0.1"
    name: str = "tcp"
    host_label: str = "host"
    max_connections: Count = 1000
    max_line_bytes: Count = 65_536
    unknown_fields: UnknownFields = "drop"


class UdpListenerParams(CollectorParams, frozen=True, kw_only=True, tag="udp_listener"):
    """Of `aiops_nb.collect.sockets.udp_listener.UdpListener`."""

    port: Port
    listen_on: str = "127.0.0.1"
    name: str = "udp"
    host_label: str = "host"
    buffer_bytes: Count = 4 << 20
    unknown_fields: UnknownFields = "drop"


class WebSocketParams(CollectorParams, frozen=True, kw_only=True, tag="websocket"):
    """Of `aiops_nb.collect.websocket.client.WebSocketClient`."""

    url: str
    name: str = "websocket"
    say: tuple[str, ...] = ()
    headers: dict[str, str] = {}
    subprotocols: tuple[str, ...] = ()
    ca_file: str | None = None
    host_label: str | None = None
    ping_seconds: Positive = 20.0
    max_message_bytes: Count = 1 << 20
    first_backoff_seconds: Positive = 0.5
    longest_backoff_seconds: Positive = 30.0
    unknown_fields: UnknownFields = "drop"


class SyntheticParams(CollectorParams, frozen=True, kw_only=True, tag="synthetic"):
    """Of `aiops_nb.collect.synthetic.SyntheticStream`, which then keeps the pace of the clock."""

    seed: int = 0
    targets: Count | tuple[str, ...] = 3
    rate_hz: Positive = 10.0
    median_seconds: Positive = 0.05
    sigma: Positive = 0.35
    error_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.002
    hosts: Annotated[int, Meta(ge=0)] | tuple[str, ...] = 0
    shape: Shape = Shape()
    duration_seconds: Positive | None = None
    faults: tuple[Fault, ...] = ()
    name: str = "synthetic"


class HeartbeatParams(CollectorParams, frozen=True, kw_only=True, tag="heartbeat"):
    """Of `aiops_nb.collect.heartbeat.collector.Heartbeats`."""

    jobs: tuple[HeartbeatJob, ...]
    port: Port | None = None
    token: str | None = None
    listen_on: str = "127.0.0.1"
    name: str = "heartbeat"
    interval_seconds: Positive = 1.0


class PrometheusParams(CollectorParams, frozen=True, kw_only=True, tag="prometheus"):
    """Of `aiops_nb.collect.prometheus.scraper.PrometheusScraper`."""

    url: str
    interval_seconds: Positive = 15.0
    timeout_seconds: Positive | None = None
    host_label: str | None = None
    headers: dict[str, str] = {}
    token: str | None = None
    ca_file: str | None = None
    verify_tls: bool = True
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ("go_*", "promhttp_*", "python_gc_*", "*_info")
    quantiles: tuple[Annotated[float, Meta(gt=0, lt=1)], ...] = (0.95,)
    series_limit: Count = 2_000
    max_page_bytes: Count = 20_000_000
    name: str = "prometheus"


BuiltInParams: TypeAlias = (
    AccessLogParams
    | LogParams
    | TcpClientParams
    | TcpListenerParams
    | UdpListenerParams
    | WebSocketParams
    | HeartbeatParams
    | PrometheusParams
    | SyntheticParams
)
