"""Features of metric samples and counters."""

from __future__ import annotations
