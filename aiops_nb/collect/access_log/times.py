"""Times as access logs write them; a string that comes again is not parsed again.

No library serves: `dateutil` guesses the order of day and month, and costs ten times as much.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import IntArray

UNKNOWN_NS = -1
LOCAL = "local"
_NS = 1_000_000_000
_LAST_NS = 9_200_000_000 * _NS  # the year 2261; int64 nanoseconds end in 2262
_MAX_CACHED = 10_000
_MAX_TIME_BYTES = 64  # no form is as long; what a client can write must not be held
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}  # whatever the language of this machine
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9})\d*)?"
_OFFSET = r"(?: ?(?P<offset>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
_FORMS = (
    # 10/Oct/2000:13:55:36 -0700, with a space for the colon, with a fraction, without an offset
    re.compile(rf"(?P<day>\d\d?)[/ -](?P<month>[A-Za-z]{{3}})[/ -](?P<year>\d{{4}})[: ]{_CLOCK}{_OFFSET}"),
    # 2000-10-10T13:55:36.123456789+02:00, 2000/10/10 - 13:55:36
    re.compile(rf"(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)(?:[Tt_ ]| - ){_CLOCK}{_OFFSET}"),
    # Tue, 10 Oct 2000 13:55:36 GMT
    re.compile(rf"[A-Za-z]{{3}}, (?P<day>\d\d?) (?P<month>[A-Za-z]{{3}}) (?P<year>\d{{4}}) {_CLOCK}{_OFFSET}"),
    # Tue Oct 10 13:55:36 2000, Tue Oct 10 13:55:36 UTC 2000
    re.compile(rf"[A-Za-z]{{3}} (?P<month>[A-Za-z]{{3}}) +(?P<day>\d\d?) {_CLOCK}{_OFFSET} (?P<year>\d{{4}})"),
)
_NUMBER = re.compile(r"(\d{1,10})(?:\.(\d{1,9})\d*)?")
_LONG_NUMBER = re.compile(r"\d{12,19}(?:\.\d*)?")
_NS_OF_DIGITS = {13: 1_000_000, 16: 1_000, 19: 1}  # of 2001 to 2286: no year is written so in two units
_NS_OF_UNIT = {"s": _NS, "ms": 1_000_000, "us": 1_000, "ns": 1}
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class LogTimes:
    """Column of strings -> nanoseconds since 1970 UTC.

    Read are `10/Oct/2000:13:55:36 -0700` (also with a fraction, a space before the hour, no offset), ISO 8601, RFC
    2822, `Tue Oct 10 13:55:36 2000`, and seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by
    their 10, 13, 16 or 19 digits; from the years 1970 to 2261. Anything else is -1. The leap second 60 is the
    next minute's beginning.

    Parameters
    ----------
    time_format
        Of `datetime.strptime`, for any other form; or `s`, `ms`, `us`, `ns`: numbers since 1970.
    timezone
        Of times without an offset: a name such as `Europe/Paris`, or `local`, this machine's. An hour that the clocks
        showed twice is the first of both.

    Raises
    ------
    ConfigError
        If the time zone or the format is not valid.

    Examples
    --------
    >>> LogTimes().parse(pa.array([b"10/Oct/2000:13:55:36 -0700", b"1.5", b"1970-01-01T00:00:02Z", b"noon"])).tolist()
    [971211336000000000, 1500000000, 2000000000, -1]
    >>> LogTimes(time_format="%d.%m.%Y %H:%M", timezone="Europe/Paris").parse(pa.array([b"01.01.1970 01:02"])).tolist()
    [120000000000]
    """

    def __init__(self, time_format: str | None = None, timezone: str = "UTC") -> None:
        self._zone = _zone(timezone)
        self._time_format = _checked_format(time_format)
        self._known: dict[bytes, int] = {}
        self.without_offset_total = 0

    def parse(self, texts: pa.Array) -> IntArray:
        """Nanoseconds of each string, (n,)."""
        coded = texts.dictionary_encode()
        if len(self._known) > _MAX_CACHED:
            self._known.clear()
        times = np.array([self._time_ns(text) for text in coded.dictionary.to_pylist()], np.int64)
        chosen: IntArray = times[coded.indices.to_numpy()] if len(times) else np.zeros(0, np.int64)
        return chosen

    def _time_ns(self, text: bytes) -> int:
        if len(text) > _MAX_TIME_BYTES:
            return UNKNOWN_NS
        time_ns = self._known.get(text)
        if time_ns is None:
            time_ns = self._known[text] = self._parsed(text)
        return time_ns

    def _parsed(self, text: bytes) -> int:
        try:
            time_ns = self._parsed_text(text.decode("ascii").strip(" []"))
        except (ValueError, OverflowError, KeyError):
            return UNKNOWN_NS
        return time_ns if 0 <= time_ns < _LAST_NS else UNKNOWN_NS

    def _parsed_text(self, text: str) -> int:
        if self._time_format in _NS_OF_UNIT:
            unit_ns = _NS_OF_UNIT[self._time_format]
            return int(text) * unit_ns if text.isdigit() else round(float(text) * unit_ns)
        if self._time_format is not None:
            return self._utc_ns(datetime.datetime.strptime(text, self._time_format), 0)
        for form in _FORMS:
            found = form.fullmatch(text)
            if found is not None:
                return self._moment_ns(found)
        return _number_ns(text)

    def _moment_ns(self, found: re.Match[str]) -> int:
        month = found["month"]
        second = int(found["second"])
        moment = datetime.datetime(
            int(found["year"]),
            int(month) if month.isdigit() else _MONTHS[month.lower()],
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(second, 59),
        )
        if second > 60:
            raise ValueError(second)
        offset = found["offset"]
        if offset is not None:
            moment = moment.replace(tzinfo=_offset(offset))
        nanoseconds = int((found["fraction"] or "0").ljust(9, "0"))
        return self._utc_ns(moment, nanoseconds + (second == 60) * _NS)

    def _utc_ns(self, moment: datetime.datetime, more_ns: int) -> int:
        if moment.tzinfo is None:
            self.without_offset_total += 1
            moment = self._zone(moment)
        return (moment - _EPOCH) // datetime.timedelta(microseconds=1) * 1000 + more_ns


def _number_ns(text: str) -> int:
    if _LONG_NUMBER.fullmatch(text):
        digits = text.partition(".")[0]
        return int(digits) * _NS_OF_DIGITS[len(digits)]
    found = _NUMBER.fullmatch(text)
    return UNKNOWN_NS if found is None else int(found[1]) * _NS + int((found[2] or "0").ljust(9, "0"))


def _offset(text: str) -> datetime.tzinfo:
    if text[0] not in "+-":
        return datetime.UTC
    hours, minutes = int(text[1:3]), int(text[3:].strip(":") or 0)
    offset = datetime.timedelta(hours=hours, minutes=minutes)
    return datetime.timezone(-offset if text[0] == "-" else offset)


def _zone(name: str) -> Callable[[datetime.datetime], datetime.datetime]:
    """What makes a moment of such a clock one of UTC."""
    if name == LOCAL:
        return lambda moment: moment.astimezone(datetime.UTC)
    try:
        zone = zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigError.at("timezone", "a name such as Europe/Paris, or local", name) from None
    return lambda moment: moment.replace(tzinfo=zone).astimezone(datetime.UTC)


def _checked_format(time_format: str | None) -> str | None:
    if time_format is None or time_format in _NS_OF_UNIT:
        return time_format
    try:
        if "%" not in time_format:
            raise ValueError
        datetime.datetime.strptime(
            datetime.datetime(2026, 11, 26, tzinfo=datetime.UTC).strftime(time_format), time_format
        )
    except ValueError:
        expected = f"a format of strptime such as %d/%b/%Y:%H:%M:%S, or {', '.join(_NS_OF_UNIT)}"
        raise ConfigError.at("time_format", expected, time_format) from None
    return time_format
