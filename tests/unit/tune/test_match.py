"""Alerts held against labels, on tiny literal streams with the answer beside them."""

import math

import pandas as pd
import pytest

from aiops_nb.tune import match


def at(second):
    return pd.Timestamp(second, unit="s", tz="UTC")


def labels(*rows):
    """Rows of (kind, target, start, end)."""
    table = pd.DataFrame(rows, columns=["kind", "target", "start", "end"])
    return table.assign(
        start=pd.to_datetime(table["start"], unit="s", utc=True), end=pd.to_datetime(table["end"], unit="s", utc=True)
    )


def alerts(*rows):
    """Rows of (second, target); None: it never fired."""
    table = pd.DataFrame(rows, columns=["starts_at", "target"])
    return table.assign(starts_at=pd.to_datetime(table["starts_at"], unit="s", utc=True), alertname="a")


SLOW = ("slow", "http://h/a", 100, 120)


@pytest.mark.parametrize(
    ("told", "true", "found", "false_alarms", "delays"),
    [
        pytest.param([], [], 0, 0, [], id="nothing at all"),
        pytest.param([], [SLOW], 0, 0, [math.nan], id="silence misses"),
        pytest.param([(50, "http://h/a")], [], 0, 1, [], id="an alert with nothing wrong"),
        pytest.param([(100, "http://h/a")], [SLOW], 1, 0, [0], id="at the very start"),
        pytest.param([(99, "http://h/a")], [SLOW], 0, 1, [math.nan], id="before it began"),
        pytest.param([(125, "http://h/a")], [SLOW], 1, 0, [25], id="at the end of the tolerance"),
        pytest.param([(126, "http://h/a")], [SLOW], 0, 1, [math.nan], id="after the tolerance"),
        pytest.param([(110, "http://h/a"), (104, "http://h/a")], [SLOW], 1, 0, [4], id="told twice counts once"),
        pytest.param([(110, "http://h/b")], [SLOW], 0, 1, [math.nan], id="another target"),
        pytest.param([(110, "http://h/ab")], [SLOW], 0, 1, [math.nan], id="a target that only begins alike"),
        pytest.param([(110, "http://h/a")], [("x", "http://h", 100, 120)], 1, 0, [10], id="a label of the whole host"),
        pytest.param([(110, "anything")], [("x", "", 100, 120)], 1, 0, [10], id="a label of everything"),
        pytest.param([(None, "http://h/a")], [SLOW], 0, 0, [math.nan], id="pending is not told"),
        pytest.param(
            [(110, "http://h/a")],
            [SLOW, ("y", "http://h", 105, 130)],
            2,
            0,
            [10, 5],
            id="one alert finds two faults that overlap",
        ),
    ],
)
def test_a_stream_is_judged_as_stated(told, true, found, false_alarms, delays):
    matches = match(alerts(*told), labels(*true))
    assert (matches.found, matches.missed, matches.false_alarms) == (found, len(true) - found, false_alarms)
    assert matches.labels["delay_seconds"].tolist() == pytest.approx(delays, nan_ok=True)


def test_a_fault_not_asked_for_is_neither_missed_nor_does_it_make_an_alert_false():
    true = labels(SLOW, ("http_5xx", "http://h/a", 200, 220))
    matches = match(alerts((205, "http://h/a"), (300, "http://h/a")), true, kinds=["slow"])
    assert matches.labels["kind"].tolist() == ["slow"]
    assert (matches.found, matches.missed, matches.false_alarms) == (0, 1, 1)


def test_the_alert_that_found_it_is_named():
    told = alerts((110, "http://h/a"), (105, "http://h/a")).assign(alertname=["late", "early"])
    assert match(told, labels(SLOW, ("x", "", 500, 501))).labels["alertname"].tolist() == ["early", ""]


def of_many(*, group_is_notified=True):
    """One target told by itself, then `*`, then a second target which that explains; as `alerts()` has them."""
    singles = alerts((104, "http://h/a"), (106, "http://h/b"))
    singles = singles.assign(
        detector="robust_z", inhibited_by=["", "a of several targets"], ends_at=at(118), pending_at=at(102)
    )
    many = alerts((105, "*")).assign(detector="grouping", ends_at=at(121), pending_at=at(102))
    return pd.concat(
        [singles, many.assign(inhibited_by="" if group_is_notified else "observer_offline")], ignore_index=True
    )


BOTH = SLOW, ("slow", "http://h/b", 100, 120)


def test_an_alert_of_many_finds_what_its_single_ones_would_and_is_one():
    matches = match(of_many(), labels(*BOTH))
    assert (matches.found, matches.missed, matches.false_alarms) == (2, 0, 0)
    assert matches.alerts["target"].tolist() == ["http://h/a", "*"]
    assert matches.labels["delay_seconds"].tolist() == [4, 6]


def test_an_alert_of_many_is_false_where_its_single_ones_are():
    matches = match(of_many(), labels(("slow", "http://h/c", 100, 120)))
    assert (matches.found, matches.false_alarms) == (0, 2)


def test_an_alert_of_many_that_another_explains_finds_nothing():
    matches = match(of_many(group_is_notified=False), labels(*BOTH))
    assert (matches.found, matches.missed, matches.false_alarms) == (1, 1, 0)
