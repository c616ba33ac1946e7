"""Templates of log messages: mined from a stream, one row after the other."""

from __future__ import annotations
