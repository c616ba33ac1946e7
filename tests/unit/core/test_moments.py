"""One parser of moments, ranges and targets: what it takes, and what it refuses with a hint."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.moments import covered_range_ns, known_targets, moment_ns, range_ns

S = 1_000_000_000
DAY = 86_400 * S
NOW = 20_000 * DAY + 3_600 * S  # 2024-10-04 01:00 UTC
RECORDED = (19_000 * DAY, 19_001 * DAY)


def ns(value):
    return moment_ns(value, "start", lambda: RECORDED, NOW)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1970-01-02", DAY),
        ("19700102", DAY),
        ("1970-01-02T00:00:00Z", DAY),
        ("1970-01-02t00:00:00z", DAY),
        ("1970-01-02 00:00", DAY),
        ("1970-01-02T02:00:00.000000001+02:00", DAY + 1),
        ("19700102T000000Z", DAY),
        (" 1970-01-02 00:00:00 UTC ", DAY),
        (date(1970, 1, 2), DAY),
        (datetime(1970, 1, 2), DAY),
        (datetime(1970, 1, 2, 2, tzinfo=timezone(timedelta(hours=2))), DAY),
        (pd.Timestamp("1970-01-02", tz="UTC"), DAY),
        (np.datetime64("1970-01-02"), DAY),
        ("now", NOW),
        ("now-1h", NOW - 3_600 * S),
        ("now - 1h30m", NOW - 5_400 * S),
        ("now+90s", NOW + 90 * S),
        ("today", NOW - 3_600 * S),
        ("Yesterday", NOW - 3_600 * S - DAY),
        ("yesterday+12h", NOW - 3_600 * S - DAY // 2),
        ("@1.5", S * 3 // 2),
        ("@1780000000123ms", 1_780_000_000_123_000_000),
        ("-24h", RECORDED[0]),
        ("-1d", RECORDED[0]),
        ("-0s", RECORDED[1]),
        ("5m", RECORDED[0] + 300 * S),
        ("+5m", RECORDED[0] + 300 * S),
        ("1h 30min", RECORDED[0] + 5_400 * S),
        (pd.Timedelta("-30min"), RECORDED[1] - 1_800 * S),
        (timedelta(minutes=5), RECORDED[0] + 300 * S),
        (np.timedelta64(-1, "h"), RECORDED[1] - 3_600 * S),
        (None, None),
        ("", None),
        ("  ", None),
    ],
)
def test_a_moment_is_read(value, expected):
    assert ns(value) == expected


@pytest.mark.parametrize("value", [1795727280, 1795727280.5, 0, True, np.int64(5), "1795727280", "0", "1e9", "-3"])
def test_a_number_without_its_unit_is_refused(value):
    with pytest.raises(ConfigError, match="start: expected a number with its unit"):
        ns(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "soon",
            "5",
            "may",
            "10:30",
            "2026-13-01",
            "2026-02-30",
            "2026-05-28T25:00",
            "--5m",
            "+-5m",
            "-5",
            "5 parsecs",
        ),
        *("now-", "now 1h", "yesterday-ish", "nan", "NaT", "2026", "2026-05", "last week", "-5m-", "@", "@5h"),
        *(pd.NaT, np.datetime64("NaT"), object(), [1], b"2026-05-28", ("2026",), pd.Timedelta("NaT")),
        *("9999-01-01", "-400y", "-999999w", "@99999999999999999999"),
    ],
)
def test_what_is_no_moment_is_refused_and_says_what_is(value):
    with pytest.raises(ConfigError, match=r"^start: expected "):
        ns(value)


def test_a_duration_needs_data_that_it_refers_to():
    with pytest.raises(ConfigError, match="no data that it could refer to"):
        moment_ns("-5m", "start")
    with pytest.raises(ConfigError, match="there is no data yet"):
        moment_ns("-5m", "start", lambda: None)


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.sampled_from(["Z", "+00:00", " UTC", ""]))
def test_every_printed_moment_is_read_back(moment, zone):
    expected = pd.Timestamp(moment, tz="UTC").as_unit("ns").value
    assert moment_ns(moment.isoformat() + zone, "start") == expected
    assert moment_ns(moment.replace(tzinfo=UTC), "start") == expected


def test_an_end_before_the_start_is_refused():
    with pytest.raises(ConfigError, match=r"end: expected a time after start \(2026-05-28T00:00:00Z\)"):
        range_ns("2026-05-28", "2026-05-27")
    with pytest.raises(ConfigError, match="after start"):
        range_ns("-1h", "-2h", lambda: RECORDED)


@pytest.mark.parametrize(
    ("start", "end"), [("now", None), ("2100-01-01", None), (None, "1999-01-01"), ("2d", None), (None, "-2d")]
)
def test_a_range_without_data_names_what_is_recorded(start, end):
    with pytest.raises(ConfigError, match="recorded: 2022-01-08T00:00:00Z to 2022-01-09T00:00:00Z"):
        covered_range_ns(start, end, RECORDED, NOW)


def test_a_range_with_data_is_kept():
    assert covered_range_ns("-1h", None, RECORDED) == (RECORDED[1] - 3_600 * S, None)
    assert covered_range_ns(None, None, RECORDED) == (None, None)
    with pytest.raises(ConfigError, match="nothing is recorded yet"):
        covered_range_ns(None, None, None)


KNOWN = ("http://127.0.0.1/checkout", "http://127.0.0.1/cart", "db[1]", "db2")


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, []),
        ([], []),
        ("db2", ["db2"]),
        ("db[1]", ["db[1]"]),
        (["db2", "*/c*"], ["db2", "http://127.0.0.1/checkout", "http://127.0.0.1/cart"]),
        (["db2", "db2"], ["db2"]),
    ],
)
def test_known_targets_are_chosen_by_name_and_pattern(wanted, chosen):
    assert known_targets(wanted, KNOWN) == chosen


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("checkout", "did you mean http://127.0.0.1/checkout?"),
        ("http://127.0.0.1/chekout", "did you mean http://127.0.0.1/checkout"),
        ("nosuch", "known: http://127.0.0.1/checkout, "),
        (["db2", "*nosuch"], "known: "),
        ("", "known: "),
    ],
)
def test_an_unknown_target_is_refused_with_near_names(wanted, hint):
    with pytest.raises(ConfigError, match="targets: expected a known target") as raised:
        known_targets(wanted, KNOWN)
    assert hint in str(raised.value)


def test_targets_that_are_no_names_are_refused():
    with pytest.raises(ConfigError, match="the name of a target, got 5"):
        known_targets([5], KNOWN)
