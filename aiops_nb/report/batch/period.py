"""The last whole hour, day, week or month, by the clock of a time zone: what a scheduled report covers."""

from __future__ import annotations

from typing import Literal, get_args
from zoneinfo import ZoneInfo

import pandas as pd

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.moments import Moment

Period = Literal["hour", "day", "week", "month"]
PERIODS: tuple[Period, ...] = get_args(Period)


def checked_zone(name: str, where: str = "timezone") -> ZoneInfo:
    """A time zone by its IANA name.

    Raises
    ------
    ConfigError
        If there is no such zone.

    Examples
    --------
    >>> checked_zone("Asia/Seoul").key
    'Asia/Seoul'
    >>> checked_zone("Seoul")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: timezone: expected the IANA name of a time zone, such as Europe/Berlin, ...
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigError.at(where, "the IANA name of a time zone, such as Europe/Berlin", name) from None


def last_period(period: Period, now: pd.Timestamp, timezone: str = "UTC") -> tuple[pd.Timestamp, pd.Timestamp]:
    """Its [start, end) in UTC. A day of a change of clocks has 23 or 25 hours; a week begins on Monday.

    Parameters
    ----------
    period
        Which.
    now
        The present; the period that contains it is not over.
    timezone
        Whose clock.

    Raises
    ------
    ConfigError
        If a name is not known.

    Examples
    --------
    >>> now = pd.Timestamp("2026-03-30T05:00:00Z")
    >>> start, end = last_period("day", now, "Europe/Berlin")
    >>> str(start), str(end - start)
    ('2026-03-28 23:00:00+00:00', '0 days 23:00:00')
    >>> [str(edge.date()) for edge in last_period("month", now)]
    ['2026-02-01', '2026-03-01']
    >>> str(last_period("hour", now, "Asia/Kolkata")[1])
    '2026-03-30 04:30:00+00:00'
    """
    if period not in PERIODS:
        raise ConfigError.at("last", f"one of {', '.join(PERIODS)}", period)
    zone = checked_zone(timezone)
    local = now.tz_convert(zone)
    if period == "hour":
        past = pd.Timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        end = local.tz_convert("UTC") - past - pd.Timedelta(local.nanosecond, "ns")
        return end - pd.Timedelta("1h"), end
    day = _first_day(local.tz_localize(None).normalize(), period)
    return _midnight(day - _LENGTHS[period], zone), _midnight(day, zone)


def last_range(period: Period, start: Moment, end: Moment, timezone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The same, seen from now, for an option that replaces a start and an end.

    Raises
    ------
    ConfigError
        If one of them is given, too.
    """
    if start is not None or end is not None:
        raise ConfigError("last: expected either a period or a start and an end, got both")
    return last_period(period, pd.Timestamp.now("UTC"), timezone)


_LENGTHS = {"day": pd.DateOffset(days=1), "week": pd.DateOffset(weeks=1), "month": pd.DateOffset(months=1)}


def _first_day(day: pd.Timestamp, period: Period) -> pd.Timestamp:
    if period == "week":
        return day - pd.Timedelta(day.day_of_week, "D")
    return day.replace(day=1) if period == "month" else day


def _midnight(day: pd.Timestamp, zone: ZoneInfo) -> pd.Timestamp:
    """Where the clocks skip it, the first moment of the day."""
    return day.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").tz_convert("UTC")
