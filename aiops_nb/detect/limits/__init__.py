"""Detectors that hold a value against a limit of their own; their scores need no calibration."""

from __future__ import annotations
