"""Durations as people write them: `250ms`, `30s`, `5m`, `2h`, `14d`."""

from __future__ import annotations

import re

UNITS_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)")


def parse_duration(text: str) -> float | None:
    """Seconds; a bare number is seconds; None if it is no duration.

    Examples
    --------
    >>> parse_duration("5m"), parse_duration("250ms"), parse_duration("1.5"), parse_duration("0s")
    (300.0, 0.25, 1.5, 0.0)
    >>> parse_duration("soon"), parse_duration("-1s")
    (None, None)
    """
    match = _FORM.fullmatch(text.strip())
    return float(match[1]) * UNITS_SECONDS[match[2]] if match else None


def duration_text(seconds: float) -> str:
    """The shortest way to write it, in one unit.

    Examples
    --------
    >>> duration_text(300), duration_text(0.25), duration_text(90), duration_text(1209600), duration_text(0)
    ('5 m', '250 ms', '90 s', '14 d', '0 s')
    """
    if seconds and seconds < 1:
        return f"{seconds * 1000:.12g} ms"
    for unit in ("d", "h", "m"):
        if seconds >= UNITS_SECONDS[unit] and seconds % UNITS_SECONDS[unit] == 0:
            return f"{seconds / UNITS_SECONDS[unit]:.12g} {unit}"
    return f"{seconds:.12g} s"
