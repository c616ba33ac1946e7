"""The dashboard: store, charts, live figure."""

from __future__ import annotations
