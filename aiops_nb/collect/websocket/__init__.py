"""WebSocket feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.collect.websocket.client import WebSocketClient as WebSocketClient

__all__ = ["WebSocketClient"]
_HOMES = {
    "WebSocketClient": "aiops_nb.collect.websocket.client",
}
__getattr__, __dir__ = lazily(__name__, _HOMES)
