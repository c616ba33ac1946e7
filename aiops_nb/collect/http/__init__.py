"""HTTP probes: targets, assertions, transfers by pycurl or requests."""

from __future__ import annotations
