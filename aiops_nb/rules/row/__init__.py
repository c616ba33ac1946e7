"""Rules on single rows: parameters, consecutive counts, chance, sentences."""

from __future__ import annotations
