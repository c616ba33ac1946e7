"""Recordings: the tap, the format, recovery, replay."""

from __future__ import annotations
