"""The engine's detectors on data that is there already: series, frames, change points."""

from __future__ import annotations
