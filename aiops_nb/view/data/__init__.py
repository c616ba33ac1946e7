"""What the dashboard reads: ring buffers, the alert log, monitor health."""

from __future__ import annotations
