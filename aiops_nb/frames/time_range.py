"""Moments and ranges as users write them."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from aiops_nb.core.errors import ConfigError

Moment: TypeAlias = "str | datetime | None"


def moment_ns(value: Moment, where: str) -> int | None:
    """UTC nanoseconds of an RFC 3339 text, a datetime or a pandas Timestamp; without a zone it is taken as UTC.

    Raises
    ------
    ConfigError
        If it is not a time.

    Examples
    --------
    >>> moment_ns("1970-01-01T00:00:01.5Z", "start")
    1500000000
    >>> moment_ns("soon", "start")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: start: expected a time such as 2026-05-28T20:26:40Z, got 'soon'
    """
    if value is None or value == "":
        return None
    import pandas as pd

    try:
        stamp = pd.Timestamp(value)
        utc = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
        return int(utc.as_unit("ns").value)
    except (ValueError, TypeError, OverflowError):
        raise ConfigError.at(where, "a time such as 2026-05-28T20:26:40Z", value) from None


def range_ns(start: Moment, end: Moment) -> tuple[int | None, int | None]:
    """The half-open range [start, end) in UTC nanoseconds; None is open.

    Raises
    ------
    ConfigError
        If one is not a time, or the end is not after the start.
    """
    start_ns, end_ns = moment_ns(start, "start"), moment_ns(end, "end")
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        raise ConfigError.at("end", f"a time after start ({start})", str(end))
    return start_ns, end_ns
