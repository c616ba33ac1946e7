"""Numbers and times as people read them; the unit comes from the column's name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pandas as pd

from aiops_nb.core.types import ALL_TARGETS

UNKNOWN = "-"
ALL_WORDS = "all targets"


def in_words(name: str, value: object) -> str:
    """A cell as text.

    Examples
    --------
    >>> in_words("error_ratio", 0.0123), in_words("p95_seconds", 0.0456), in_words("count", 1234567)
    ('1.23 %', '45.6 ms', '1,234,567')
    >>> in_words("p95_seconds", float("nan")), in_words("target", "*")
    ('-', 'all targets')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return f"{value.tz_convert('UTC') if value.tzinfo else value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int | float):
        return _number(name, float(value))
    if name == "target" and value == ALL_TARGETS:
        return ALL_WORDS
    return UNKNOWN if value is None or value is pd.NaT or value is pd.NA or value == "" else str(value)


def _number(name: str, value: float) -> str:
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "infinite"
    for suffix, in_unit in UNITS.items():
        if name.endswith(suffix):
            return in_unit(value)
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.3g}"


def seconds_in_words(value: float) -> str:
    """A duration with three digits.

    Examples
    --------
    >>> [seconds_in_words(s) for s in (0.00123, 1.5, 75, 4000, 200_000)]
    ['1.23 ms', '1.5 s', '75 s', '66 min 40 s', '55 h 33 min']
    """
    if abs(value) < 1:
        return f"{value * 1e3:.3g} ms"
    if abs(value) < 120:
        return f"{value:.3g} s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def ratio_in_words(value: float) -> str:
    """A ratio in per cent; what is not quite 0 or 100 % never reads as if it were.

    Examples
    --------
    >>> [ratio_in_words(r) for r in (0, 0.5, 0.99999, 1)]
    ['0 %', '50 %', '99.999 %', '100 %']
    """
    percent = value * 100
    return f"{percent:.6g} %" if 99 < percent < 100 else f"{percent:.3g} %"


def bytes_in_words(value: float) -> str:
    """Bytes with a decimal prefix.

    Examples
    --------
    >>> bytes_in_words(1_234_567)
    '1.23 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


UNITS: Mapping[str, Callable[[float], str]] = {
    "_seconds": seconds_in_words,
    "_ratio": ratio_in_words,
    "_bytes": bytes_in_words,
    "_hz": lambda value: f"{value:.3g}/s",
}
