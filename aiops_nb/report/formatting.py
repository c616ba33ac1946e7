"""Table cells as people read them; the unit is the ending of the column's name."""

from __future__ import annotations

import math

import pandas as pd

from aiops_nb.core.readable import readable
from aiops_nb.core.types import ALL_TARGETS

UNKNOWN = "-"
ALL_TARGETS_TEXT = "all targets"


def cell_text(name: str, value: object) -> str:
    """One cell as text.

    Parameters
    ----------
    name
        Of the column; its ending says the unit: `_seconds`, `_ratio`, `_bytes`, `_hz`.
    value
        A number, a time (shown in UTC), a truth value or text.

    Examples
    --------
    >>> cell_text("error_ratio", 0.0123), cell_text("p95_seconds", 0.0456), cell_text("count", 1234567)
    ('1.23 %', '45.6 ms', '1,234,567')
    >>> cell_text("p95_seconds", float("nan")), cell_text("target", "*")
    ('-', 'all targets')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return f"{value.tz_convert('UTC') if value.tzinfo else value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int | float):
        return _number_text(name, float(value))
    if name == "target" and value == ALL_TARGETS:
        return ALL_TARGETS_TEXT
    return UNKNOWN if value is None or value is pd.NaT or value is pd.NA or value == "" else str(value)


def _number_text(name: str, value: float) -> str:
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "infinite"
    return ratio_text(value) if name.endswith("_ratio") else readable(value, name)


def ratio_text(value: float) -> str:
    """A ratio in per cent; one that is not quite 0 or 100 % never reads as if it were.

    Examples
    --------
    >>> [ratio_text(r) for r in (0, 0.5, 0.99999, 1)]
    ['0 %', '50 %', '99.999 %', '100 %']
    """
    percent = value * 100
    return f"{percent:.6g} %" if 99 < percent < 100 else readable(value, "_ratio")


def span_text(seconds: float) -> str:
    """A length of time in its two largest units.

    Examples
    --------
    >>> [span_text(seconds) for seconds in (0.00123, 1.5, 75, 4000, 200_000, 1e6)]
    ['1.23 ms', '1.5 s', '75 s', '66 min 40 s', '55 h 33 min', '11 d 13 h']
    """
    if seconds < 120:
        return readable(seconds, "_seconds")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 72 else f"{hours // 24} d {hours % 24} h"
