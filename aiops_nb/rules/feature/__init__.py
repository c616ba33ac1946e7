"""Rules on features: parameters, selection, verdicts, sentences."""

from __future__ import annotations
