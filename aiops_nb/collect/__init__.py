"""Collectors: what brings rows into a monitor.

Importing this package is cheap: each public name loads its module on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.collect.access_log.collector import AccessLog as AccessLog
    from aiops_nb.collect.frame.source import from_frame as from_frame
    from aiops_nb.collect.host_metrics import HostMetrics as HostMetrics
    from aiops_nb.collect.http.probe import HttpProbe as HttpProbe
    from aiops_nb.collect.http.target import ProbeTarget as ProbeTarget
    from aiops_nb.collect.params import CollectorParams as CollectorParams
    from aiops_nb.collect.prometheus.scraper import PrometheusScraper as PrometheusScraper
    from aiops_nb.collect.registry import CollectorSpec as CollectorSpec
    from aiops_nb.collect.registry import collectors as collectors
    from aiops_nb.collect.sockets.tcp_client import TcpClient as TcpClient
    from aiops_nb.collect.sockets.tcp_listener import TcpListener as TcpListener
    from aiops_nb.collect.sockets.udp_listener import UdpListener as UdpListener
    from aiops_nb.collect.synthetic.stream import SyntheticStream as SyntheticStream
    from aiops_nb.collect.websocket.client import WebSocketClient as WebSocketClient

_MODULES = {
    "AccessLog": "access_log.collector",
    "CollectorParams": "params",
    "CollectorSpec": "registry",
    "HostMetrics": "host_metrics",
    "HttpProbe": "http.probe",
    "ProbeTarget": "http.target",
    "PrometheusScraper": "prometheus.scraper",
    "SyntheticStream": "synthetic.stream",
    "TcpClient": "sockets.tcp_client",
    "TcpListener": "sockets.tcp_listener",
    "UdpListener": "sockets.udp_listener",
    "WebSocketClient": "websocket.client",
    "collectors": "registry",
    "from_frame": "frame.source",
}
__all__ = [
    "AccessLog",
    "CollectorParams",
    "CollectorSpec",
    "HostMetrics",
    "HttpProbe",
    "ProbeTarget",
    "PrometheusScraper",
    "SyntheticStream",
    "TcpClient",
    "TcpListener",
    "UdpListener",
    "WebSocketClient",
    "collectors",
    "from_frame",
]
__getattr__, __dir__ = lazily(__name__, {name: f"aiops_nb.collect.{module}" for name, module in _MODULES.items()})
