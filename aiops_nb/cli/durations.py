"""Durations as people write them: `500ms`, `30s`, `5m`, `2h`, `1d`."""

from __future__ import annotations

import argparse
import re

UNITS_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)")


def duration_seconds(text: str) -> float:
    """Read a duration; a bare number is seconds.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not a duration greater than 0: argparse makes a usage error of it.

    Examples
    --------
    >>> duration_seconds("5m"), duration_seconds("500ms"), duration_seconds("1.5")
    (300.0, 0.5, 1.5)
    """
    match = _FORM.fullmatch(text.strip())
    seconds = float(match[1]) * UNITS_SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"expected a duration > 0 such as 500ms, 30s, 5m or 2h, got {text!r}")
    return seconds
