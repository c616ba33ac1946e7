"""The last whole period by a clock, on days when it is changed, and where midnight is skipped."""

import pandas as pd
import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.report.batch.period import last_period, last_range


def hours(period, now, timezone):
    start, end = last_period(period, pd.Timestamp(now), timezone)
    assert end <= pd.Timestamp(now)
    return (end - start) / pd.Timedelta("1h")


@pytest.mark.parametrize(
    ("period", "now", "timezone", "expected"),
    [
        ("day", "2026-10-25T23:30:00Z", "Europe/Berlin", 25),
        ("day", "2026-03-29T23:30:00Z", "Europe/Berlin", 23),
        ("day", "2026-11-02T00:00:00Z", "UTC", 24),
        ("hour", "2026-10-25T01:30:00Z", "Europe/Berlin", 1),
        ("hour", "2026-11-02T10:29:59.999999999Z", "Asia/Kathmandu", 1),
        ("week", "2026-10-26T12:00:00Z", "Europe/Berlin", 7 * 24 + 1),
        ("month", "2026-03-01T12:00:00Z", "UTC", 28 * 24),
        ("day", "2026-09-07T12:00:00Z", "America/Santiago", 23),  # the clocks skipped midnight
    ],
)
def test_a_period_is_whole_by_the_clock_of_its_zone(period, now, timezone, expected):
    assert hours(period, now, timezone) == expected


def test_a_week_begins_on_monday():
    start, end = last_period("week", pd.Timestamp("2026-12-01T00:00:00Z"))
    assert [edge.day_name() for edge in (start, end)] == ["Monday", "Monday"]


def test_the_period_of_now_is_not_over():
    _, end = last_period("day", pd.Timestamp("2026-12-01T00:00:00Z"))
    assert str(end) == "2026-12-01 00:00:00+00:00"


def test_a_period_replaces_a_start_and_an_end():
    with pytest.raises(ConfigError, match="expected either a period or a start and an end, got both"):
        last_range("day", "-1h", None, "UTC")


def test_a_period_that_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="last: expected one of hour, day, week, month, got 'year'"):
        last_period("year", pd.Timestamp("2026-12-01T00:00:00Z"))
