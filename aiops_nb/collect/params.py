"""Collectors as data: what a configuration says of each, and how one is made of it.

Each struct has the parameters of its collector, whose docstring explains them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.collect.synthetic.faults import Fault
from aiops_nb.collect.synthetic.shape import Shape
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.protocols import Collector
from aiops_nb.core.references import resolved, without_value

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]


class _Tagged(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    name: str


class AccessLogParams(_Tagged, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="access_log"):
    """Of `aiops_nb.collect.access_log.collector.AccessLog`."""

    path: str
    pattern: str = "combined"
    target: Literal["template", "path"] = "template"
    name: str = "access_log"
    from_start: bool = False
    max_targets: Count = 1000
    max_line_bytes: Count = 65_536
    unknown_fields: UnknownFields = "drop"


class TcpClientParams(_Tagged, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tcp_client"):
    """Of `aiops_nb.collect.sockets.tcp_client.TcpClient`."""

    host: str
    port: Port
    name: str = "tcp"
    host_label: str | None = None
    max_line_bytes: Count = 65_536
    first_backoff_seconds: Positive = 0.5
    longest_backoff_seconds: Positive = 30.0
    unknown_fields: UnknownFields = "drop"


class TcpListenerParams(_Tagged, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tcp_listener"):
    """Of `aiops_nb.collect.sockets.tcp_listener.TcpListener`."""

    port: Port
    listen_on: str = "127.0.0.1"
    name: str = "tcp"
    host_label: str = "host"
    max_connections: Count = 1000
    max_line_bytes: Count = 65_536
    unknown_fields: UnknownFields = "drop"


class UdpListenerParams(_Tagged, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="udp_listener"):
    """Of `aiops_nb.collect.sockets.udp_listener.UdpListener`."""

    port: Port
    listen_on: str = "127.0.0.1"
    name: str = "udp"
    host_label: str = "host"
    buffer_bytes: Count = 4 << 20
    unknown_fields: UnknownFields = "drop"


class WebSocketParams(_Tagged, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="websocket"):
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


class SyntheticParams(_Tagged, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="synthetic"):
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


CollectorParams: TypeAlias = (
    AccessLogParams | TcpClientParams | TcpListenerParams | UdpListenerParams | WebSocketParams | SyntheticParams
)
CLASSES: dict[type[Struct], tuple[str, str]] = {
    AccessLogParams: ("access_log.collector", "AccessLog"),
    TcpClientParams: ("sockets.tcp_client", "TcpClient"),
    TcpListenerParams: ("sockets.tcp_listener", "TcpListener"),
    UdpListenerParams: ("sockets.udp_listener", "UdpListener"),
    WebSocketParams: ("websocket.client", "WebSocketClient"),
    SyntheticParams: ("synthetic", "SyntheticStream"),
}
_BIND_AT_ONCE = (TcpListenerParams, UdpListenerParams)


def collector_class(params: type[Struct]) -> type[Any]:
    """The collector that such parameters are of; its module is loaded now."""
    module, name = CLASSES[params]
    cls: type[Any] = getattr(import_module(f"aiops_nb.collect.{module}"), name)
    return cls


def make_collector(params: CollectorParams, where: str) -> Collector:
    """The collector that these parameters describe, with what their references stand for.

    Raises
    ------
    ConfigError
        With the path of the fault below `where`.

    Examples
    --------
    >>> stream = make_collector(SyntheticParams(targets=2, rate_hz=50), "collectors[0]")
    >>> stream.name, stream.params.targets
    ('synthetic', ('service-0', 'service-1'))
    """
    arguments = msgspec.structs.asdict(resolved(params, where))
    if isinstance(params, SyntheticParams):
        arguments["clock"] = SystemClock()
    if isinstance(params, WebSocketParams):
        arguments["url"] = params.url  # it shows what is written, and resolves it by itself
    try:
        collector: Collector = collector_class(type(params))(**arguments)
    except ConfigError as problem:
        raise without_value(problem, params, where) from None
    return collector


def check_collector(params: CollectorParams, where: str) -> None:
    """Find what would keep the collector from being made, without touching the network.

    Raises
    ------
    ConfigError, MissingExtraError
        As `make_collector` does.
    """
    if isinstance(params, _BIND_AT_ONCE):
        resolved(params, where)
    else:
        make_collector(params, where).close()
