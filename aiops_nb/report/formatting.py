"""Table cells as people read them; the unit is the ending of the column's name."""

from __future__ import annotations

import math

import pandas as pd

from aiops_nb.core.quantities import readable
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
        A number, a time (shown by the clock of its zone), a truth value or text.

    Examples
    --------
    >>> cell_text("error_ratio", 0.0123), cell_text("p95_seconds", 0.0456), cell_text("count", 1234567)
    ('1.23 %', '46 ms', '1,234,567')
    >>> cell_text("p95_seconds", float("nan")), cell_text("target", "*")
    ('-', 'all targets')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M:%S}"
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
    return readable(value, name)
