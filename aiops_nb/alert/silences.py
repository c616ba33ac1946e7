"""What silences alerts: silences that people set, and weekly maintenance windows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.matchers import Matcher, matches_all, parse_matchers
from aiops_nb.core.types import NS_PER_SECOND

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_SILENCES = 1_000
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSilence:
    """Alerts that nobody is notified of for a time. They are measured, judged and recorded all the same.

    Parameters
    ----------
    id
        Unique in the stream.
    matchers
        Conditions on the labels, all of which must hold.
    fingerprint
        The one alert that is snoozed; empty: the matchers decide.
    starts_at_ns, ends_at_ns
        UTC ns; it holds in [start, end).
    author, reason
        Who set it, and why.
    ended_by
        Who ended it early; empty: nobody has.
    """

    id: str
    matchers: tuple[Matcher, ...] = ()
    fingerprint: str = ""
    starts_at_ns: int
    ends_at_ns: int
    author: str = ""
    reason: str = ""
    ended_by: str = ""

    def holds_at(self, time_ns: int) -> bool:
        """Whether it holds at a moment."""
        return self.starts_at_ns <= time_ns < self.ends_at_ns

    def covers(self, labels: Mapping[str, str], fingerprint: str) -> bool:
        """Whether it is about an alert."""
        return fingerprint == self.fingerprint if self.fingerprint else matches_all(self.matchers, labels)


class MaintenanceParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A weekly maintenance window: its alerts notify nobody while it is open.

    As in Alertmanager's time intervals the wall clock of the zone decides: an hour that occurs twice is covered twice,
    one that is left out is not covered.

    Attributes
    ----------
    name
        Shown as what silences an alert.
    weekdays
        Days on which it begins; none: every day.
    start, end
        Times of day, `22:00`; an end that is not after the start is on the next day.
    timezone
        A name such as Europe/Berlin.
    matchers
        Labels of the alerts, such as `target=~"shop.*"`; none: all alerts.

    Raises
    ------
    ConfigError
        For a time of day, a zone or matchers that cannot be read.

    Examples
    --------
    >>> window = MaintenanceParams(name="backup", weekdays=("sunday",), start="23:00", end="01:00")
    >>> monday_0030 = 1_780_272_000 * NS_PER_SECOND + 1800 * NS_PER_SECOND
    >>> window.holds_at(monday_0030), window.holds_at(monday_0030 + 3600 * NS_PER_SECOND)
    (True, False)
    """

    name: str
    start: str
    end: str
    weekdays: tuple[Weekday, ...] = ()
    timezone: str = "UTC"
    matchers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if not _CLOCK_TIME.fullmatch(getattr(self, name)):
                raise ConfigError.at(name, "a time of day such as 22:00", getattr(self, name))
        _zone(self.timezone)
        parse_matchers(self.matchers)

    def holds_at(self, time_ns: int) -> bool:
        """Whether it is open at a moment, UTC ns."""
        local = datetime.fromtimestamp(time_ns // NS_PER_SECOND, _zone(self.timezone))
        begin, end = _minutes(self.start), _minutes(self.end)
        minute = local.hour * 60 + local.minute
        if begin < end:
            return begin <= minute < end and self._begins_on(local)
        return (minute >= begin and self._begins_on(local)) or (
            minute < end and self._begins_on(datetime.combine(local.date() - timedelta(days=1), time()))
        )

    def _begins_on(self, day: datetime) -> bool:
        return not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays


def _minutes(clock_time: str) -> int:
    hours, minutes = clock_time.split(":")
    return int(hours) * 60 + int(minutes)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError.at("timezone", "a name such as Europe/Berlin", name) from None


@dataclass(slots=True)
class Silences:
    """All silences of a stream, by id, and the maintenance windows.

    Parameters
    ----------
    maintenance
        Weekly windows.
    """

    maintenance: tuple[MaintenanceParams, ...] = ()
    by_id: dict[str, HeldSilence] = field(default_factory=dict)
    _matchers: dict[str, tuple[Matcher, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._matchers = {window.name: parse_matchers(window.matchers) for window in self.maintenance}

    def add(self, silence: HeldSilence, now_ns: int) -> None:
        """Take one more, or another version of one with the same id; those that are over make room.

        Beyond `MOST_SILENCES` that still hold no further ones are taken.
        """
        if len(self.by_id) >= MOST_SILENCES and silence.id not in self.by_id:
            self.by_id = {id_: one for id_, one in self.by_id.items() if one.ends_at_ns > now_ns}
        if len(self.by_id) < MOST_SILENCES or silence.id in self.by_id:
            self.by_id[silence.id] = silence

    def end(self, id_: str, now_ns: int, author: str = "") -> None:
        """End one now; unknown ones, and those that are over, are left alone."""
        silence = self.by_id.get(id_)
        if silence is not None and silence.ends_at_ns > now_ns:
            start_ns = min(silence.starts_at_ns, now_ns)
            self.by_id[id_] = replace(silence, starts_at_ns=start_ns, ends_at_ns=now_ns, ended_by=author or "unknown")

    def holding(self, time_ns: int) -> tuple[str, ...]:
        """Ids and names of all that hold at a moment, whatever they are about."""
        if not self.by_id and not self.maintenance:
            return ()
        ids = [id_ for id_, silence in self.by_id.items() if silence.holds_at(time_ns)]
        return (*ids, *(window.name for window in self.maintenance if window.holds_at(time_ns)))

    def of(self, labels: Mapping[str, str], fingerprint: str, holding: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the holding ones that silence an alert."""
        return tuple(one for one in holding if self._covers(one, labels, fingerprint))

    def _covers(self, one: str, labels: Mapping[str, str], fingerprint: str) -> bool:
        if one in self.by_id:
            return self.by_id[one].covers(labels, fingerprint)
        return matches_all(self._matchers[one], labels)
