"""Jobs that must report: by a request to a local port, or by writing a file."""

from __future__ import annotations

from aiops_nb.collect.heartbeat.collector import Heartbeats
from aiops_nb.collect.heartbeat.jobs import HeartbeatJob

__all__ = ["HeartbeatJob", "Heartbeats"]
