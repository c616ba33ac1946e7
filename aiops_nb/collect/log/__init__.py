"""Logs: text or JSON lines, stack traces joined, to rows of `messages`."""

from __future__ import annotations
