"""Contract tests that third-party collectors and detectors inherit, and our own too."""

from __future__ import annotations
