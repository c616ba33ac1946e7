"""From rows to features: event-time windows."""

from __future__ import annotations
