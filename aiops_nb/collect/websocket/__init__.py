"""WebSocket feeds."""

from __future__ import annotations
