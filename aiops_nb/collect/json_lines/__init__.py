"""JSON lines to rows, for sockets, WebSockets and logs."""

from __future__ import annotations
