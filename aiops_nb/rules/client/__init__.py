"""Rules on the clients of traffic."""

from __future__ import annotations
