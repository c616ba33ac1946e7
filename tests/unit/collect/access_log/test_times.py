"""Times of access logs: forms, zones, and the hours that clocks show twice or never."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pyarrow as pa
import pytest

from aiops_nb.collect.access_log.lines import AccessLogLines
from aiops_nb.collect.access_log.times import UNKNOWN_NS, LogTimes

NOON_NS = 1_795_694_400 * 1_000_000_000  # 2026-11-26 12:00:00 UTC


@pytest.fixture
def in_paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With this process in another zone."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "written",
    [
        "26/Nov/2026:12:00:00 +0000",
        "26/Nov/2026:12:00:00.000 +0000",
        "26/Nov/2026:13:00:00,000 +01:00",
        "26/Nov/2026 12:00:00",
        "26/nov/2026:12:00:00 GMT",
        "2026-11-26T12:00:00Z",
        "2026-11-26T12:00:00.000000000Z",
        "2026-11-26 13:00:00 +0100",
        "2026/11/26 - 12:00:00",
        "Thu, 26 Nov 2026 12:00:00 GMT",
        "Thu Nov 26 12:00:00 2026",
        "[26/Nov/2026:12:00:00 +0000]",
        "26/Nov/2026:11:59:60 +0000",
        "1795694400",
        "1795694400.000",
        "1795694400000",
        "1795694400000000",
        "1795694400000000000",
    ],
)
def test_forms(written: str) -> None:
    assert LogTimes().parse(pa.array([written.encode()])).tolist() == [NOON_NS]


@pytest.mark.parametrize("written", ["", "-", "noon", "31/Feb/2026:12:00:00", "26/Nov/2026:12:00:61", "17956944000000"])
def test_what_is_no_time(written: str) -> None:
    assert LogTimes().parse(pa.array([written.encode()])).tolist() == [UNKNOWN_NS]


def test_an_hour_that_the_clocks_show_twice_is_the_first_of_both() -> None:
    times = LogTimes(timezone="Europe/Paris").parse(pa.array([b"25/Oct/2026:02:30:00", b"25/Oct/2026:02:30:00 +0100"]))
    assert (times[1] - times[0]) / 1e9 == 3600


@pytest.mark.parametrize(
    ("line", "zone", "hour"),
    [
        ('::1 - - [26/Nov/2026 12:00:00] "GET / HTTP/1.1" 200 -', None, 11),
        ('::1 - - [26/Nov/2026 12:00:00] "GET / HTTP/1.1" 200 -', "UTC", 12),
        ('::1 - - [26/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 -', None, 12),
        ('{"time": "2026-11-26T12:00:00", "status": 200}', None, 12),
        ('{"time": "2026-11-26T12:00:00", "status": 200}', "local", 11),
        ('{"time": "2026-11-26T12:00:00", "status": 200}', "America/New_York", 17),
    ],
)
def test_times_without_an_offset(line: str, zone: str | None, hour: int, in_paris: None) -> None:
    lines = AccessLogLines("web", timezone=zone)
    assert lines.decode(line.encode() + b"\n")["time"].to_pylist()[0].hour == hour
    assert ("time zone" in lines.notices) == ("+0000" not in line)
