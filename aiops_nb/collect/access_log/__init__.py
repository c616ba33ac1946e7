"""Access logs: follow a file, parse its lines."""

from __future__ import annotations
