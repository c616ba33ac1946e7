"""A job that must report from time to time, as data."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from aiops_nb.core.errors import ConfigError, MissingExtraError
from aiops_nb.core.types import NS_PER_SECOND

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class HeartbeatJob(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job that must report at least once in each period, or after each moment of a cron expression.

    Attributes
    ----------
    name
        Its name in tables, in alerts and in the URL that it asks: letters, digits, `.`, `_` and `-`.
    period_seconds
        Longest expected time between two reports; None: `cron` says when.
    cron
        Five fields as in crontab, such as `30 3 * * mon-fri`: a report is expected after each of these moments. Needs
        pip install 'aiops-nb[cron]'.
    timezone
        Of `cron`. On the nights the clocks change, jobs run as Debian's cron runs them.
    grace_seconds
        How much later than that it may be.
    path
        A file whose modification time is the report; None: the job asks the URL, or sends a line.

    Raises
    ------
    ConfigError
        For a name that cannot be part of a URL, a cron expression or a zone that cannot be read, and unless it has
        either a period or a cron expression.
    MissingExtraError
        For a cron expression where the extra is missing.

    Examples
    --------
    >>> minute = 60 * NS_PER_SECOND
    >>> HeartbeatJob(name="backup", period_seconds=60, grace_seconds=10).overdue_seconds(75 * NS_PER_SECOND, last_ns=0)
    5.0
    >>> hourly = HeartbeatJob(name="backup", cron="0 * * * *", grace_seconds=60)
    >>> [hourly.overdue_seconds(now * minute, last_ns=5 * minute) for now in (60, 61, 62)]
    [0.0, 0.0, 60.0]
    """

    name: str
    period_seconds: Annotated[float, Meta(gt=0)] | None = None
    cron: str | None = None
    timezone: str = "UTC"
    grace_seconds: Annotated[float, Meta(ge=0)] = 60.0
    path: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError.at("name", "letters, digits, '.', '_' and '-' (at most 100)", self.name)
        if (self.period_seconds is None) == (self.cron is None):
            raise ConfigError.at("period", "either period or cron", "neither" if self.cron is None else "both")
        if self.cron is not None:
            next_moment_ns(self.cron, self.timezone, 0)

    def overdue_seconds(self, now_ns: int, last_ns: int) -> float:
        """How much too late the job is now, if it reported last then."""
        if self.cron is None:
            due_ns = last_ns + round((self.period_seconds or 0.0) * NS_PER_SECOND)
        else:
            due_ns = next_moment_ns(self.cron, self.timezone, last_ns)
        return max(0.0, (now_ns - due_ns) / NS_PER_SECOND - self.grace_seconds)


@lru_cache(maxsize=1024)  # asked each second for each job, and only its report changes the answer
def next_moment_ns(cron: str, timezone: str, after_ns: int) -> int:
    """The first moment of a cron expression after another one, UTC ns.

    Raises
    ------
    ConfigError
        If it cannot be read, or names no moment in the next 50 years.
    MissingExtraError
        If cronsim is not installed.

    Examples
    --------
    >>> moment = next_moment_ns("30 2 * * *", "Europe/Berlin", 1_774_740_000 * NS_PER_SECOND) // NS_PER_SECOND
    >>> str(datetime.fromtimestamp(moment, ZoneInfo("Europe/Berlin")))  # 02:30 is left out on that night
    '2026-03-29 03:00:00+02:00'
    """
    try:
        from cronsim import CronSim, CronSimError
    except ImportError:
        raise MissingExtraError("cron expressions", "cron") from None
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError.at("timezone", "a zone such as Europe/Berlin", timezone) from None
    try:
        moments = CronSim(cron, datetime.fromtimestamp(after_ns // NS_PER_SECOND, UTC).astimezone(zone))
        return round(next(moments).timestamp()) * NS_PER_SECOND
    except (CronSimError, StopIteration):
        raise ConfigError.at("cron", "a cron expression such as '30 3 * * mon-fri'", cron) from None
