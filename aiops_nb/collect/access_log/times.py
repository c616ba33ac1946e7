"""Times as access logs write them; a text that comes again is not parsed again."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pyarrow as pa

from aiops_nb.core.types import IntArray

UNKNOWN_NS = -1
_LAST_NS = 9_200_000_000 * 1_000_000_000  # the year 2261; int64 nanoseconds end in 2262
_MAX_CACHED = 10_000
_MAX_TIME_BYTES = 64  # no form is as long; what a client can write must not be held
_MONTHS = {name: n for n, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)}
_LOCAL = re.compile(rb"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_NUMBER = re.compile(rb"(\d{1,10})(?:\.(\d{1,9})\d*)?")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class LogTimes:
    """Column of texts -> nanoseconds since 1970 UTC.

    Read are `10/Oct/2000:13:55:36 -0700`, ISO 8601 (without an offset: UTC) and seconds since 1970, from the years 1970
    to 2261; what is none of them is -1.

    Examples
    --------
    >>> LogTimes().parse(pa.array([b"10/Oct/2000:13:55:36 -0700", b"1.5", b"1970-01-01T00:00:02Z", b"noon"])).tolist()
    [971211336000000000, 1500000000, 2000000000, -1]
    """

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}

    def parse(self, texts: pa.Array) -> IntArray:
        """Nanoseconds of each text, (n,)."""
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
            time_ns = self._known[text] = _time_ns(text)
        return time_ns


def _time_ns(text: bytes) -> int:
    try:
        time_ns = _local_ns(text) or _number_ns(text) or _iso_ns(text)
    except (ValueError, OverflowError, KeyError):
        return UNKNOWN_NS
    return time_ns if 0 <= time_ns < _LAST_NS else UNKNOWN_NS


def _local_ns(text: bytes) -> int | None:
    found = _LOCAL.fullmatch(text)
    if found is None:
        return None
    day, year, hour, minute, second = (int(found[n]) for n in (1, 3, 4, 5, 6))
    moment = datetime.datetime(year, _MONTHS[found[2]], day, hour, minute, second, tzinfo=datetime.UTC)
    offset = datetime.timedelta(hours=int(found[8]), minutes=int(found[9]))
    return _ns(moment + offset if found[7] == b"-" else moment - offset)


def _number_ns(text: bytes) -> int | None:
    found = _NUMBER.fullmatch(text)
    return int(found[1]) * 1_000_000_000 + int((found[2] or b"0").ljust(9, b"0")) if found else None


def _iso_ns(text: bytes) -> int:
    moment = datetime.datetime.fromisoformat(text.decode("ascii"))
    return _ns(moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC))


def _ns(moment: datetime.datetime) -> int:
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1) * 1000
