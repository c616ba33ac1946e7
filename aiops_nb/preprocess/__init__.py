"""Preprocessing steps of a series before it is scored: resample, smooth, clip."""

from __future__ import annotations
