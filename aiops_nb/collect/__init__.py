"""Collectors: one file per source."""

from __future__ import annotations
