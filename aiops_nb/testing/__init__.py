"""Contract tests that third-party collectors, detectors and notifiers inherit, and our own too."""

from __future__ import annotations
