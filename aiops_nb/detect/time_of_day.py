"""Which part of the week and day a time belongs to, in a named zone: daylight saving moves with the people."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import NS_PER_SECOND, IntArray

DAY_NS = 86400 * NS_PER_SECOND
THURSDAY = 3  # was day 0 of 1970
FEWEST_BINS, MOST_BINS = 24, 288


def day_bins(interval_seconds: float | None) -> int:
    """Parts that a day is divided into: one a value, but between 24 (an hour) and 288 (five minutes).

    Examples
    --------
    >>> [day_bins(seconds) for seconds in (1, 300, 900, 3600, 86400)]
    [288, 288, 96, 24, 24]
    """
    if interval_seconds is None:
        return MOST_BINS
    return int(min(max(round(86400.0 / interval_seconds), FEWEST_BINS), MOST_BINS))


def week_bin(local_ns: IntArray, bins: int) -> IntArray:
    """The part of the week, from Monday on, of local times in ns; `% bins` is the part of the day.

    Examples
    --------
    >>> import numpy as np
    >>> week_bin(np.array([np.datetime64("2026-01-06T12:00", "ns").astype(int)]), 24)
    array([36])
    """
    weekday = (local_ns // DAY_NS + THURSDAY) % 7
    return weekday * bins + (local_ns % DAY_NS) * bins // DAY_NS


def zone(name: str) -> ZoneInfo | None:
    """The named zone; None for UTC, which needs no database.

    Examples
    --------
    >>> zone("Mars/Olympus")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: timezone: expected a name such as Europe/Berlin, got 'Mars/Olympus'
    """
    if name == "UTC":
        return None
    if not isinstance(name, str):
        raise ConfigError.at("timezone", "a name such as Europe/Berlin", name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError.at("timezone", "a name such as Europe/Berlin", name) from None


def local_ns(utc_ns: int, where: ZoneInfo | None) -> int:
    """A UTC time on the clocks of a zone, in ns."""
    if where is None:
        return utc_ns
    offset = datetime.fromtimestamp(utc_ns // NS_PER_SECOND, where).utcoffset()
    return utc_ns + (int(offset.total_seconds()) * NS_PER_SECOND if offset else 0)
