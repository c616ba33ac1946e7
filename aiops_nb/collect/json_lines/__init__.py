"""JSON lines to rows, for sockets, WebSockets and logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.collect.json_lines.decoder import JsonLines as JsonLines

__all__ = ["JsonLines"]
_HOMES = {
    "JsonLines": "aiops_nb.collect.json_lines.decoder",
}
__getattr__, __dir__ = lazily(__name__, _HOMES)
