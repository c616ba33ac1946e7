"""Durations on the command line."""

from __future__ import annotations

import argparse

from aiops_nb.core.durations import parse_duration


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
    seconds = parse_duration(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"expected a duration > 0 such as 500ms, 30s, 5m or 2h, got {text!r}")
    return seconds
