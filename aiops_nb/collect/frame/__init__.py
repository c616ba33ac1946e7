"""A DataFrame as a collector."""

from __future__ import annotations
