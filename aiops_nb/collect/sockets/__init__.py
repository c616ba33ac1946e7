"""TCP and UDP collectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.collect.sockets.tcp_client import TcpClient as TcpClient
    from aiops_nb.collect.sockets.tcp_listener import TcpListener as TcpListener
    from aiops_nb.collect.sockets.udp_listener import UdpListener as UdpListener

__all__ = ["TcpClient", "TcpListener", "UdpListener"]
__getattr__, __dir__ = lazily(
    __name__,
    {
        "TcpClient": "aiops_nb.collect.sockets.tcp_client",
        "TcpListener": "aiops_nb.collect.sockets.tcp_listener",
        "UdpListener": "aiops_nb.collect.sockets.udp_listener",
    },
)
