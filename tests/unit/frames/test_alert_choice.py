"""Alerts as a frame: what comes first, how it is shown, and how one of them is named."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

import aiops_nb
from aiops_nb.collect.synthetic import Fault
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import AlertChange
from aiops_nb.frames.build import alerts_frame
from aiops_nb.frames.html import alerts_html

S = 1_000_000_000


@pytest.fixture(scope="module")
def monitor():
    faults = [
        Fault(kind="outage", start_seconds=20, length_seconds=5),
        Fault(kind="outage", start_seconds=60, length_seconds=5),
    ]
    return aiops_nb.from_synthetic(120, seed=7, targets=1, faults=faults)


def test_what_happened_comes_first(monitor):
    first = ["state", "severity", "alertname", "target", "summary", "starts_at", "ends_at"]
    assert list(monitor.alerts().columns)[:7] == first


def test_every_way_to_name_an_alert_gives_the_same_evidence(monitor):
    alerts = monitor.alerts()
    assert len(alerts) >= 2
    last = alerts.iloc[-1]
    of_same = alerts[alerts.fingerprint == last.fingerprint]
    assert of_same.index[-1] == len(alerts) - 1
    rows = monitor.evidence(last)
    assert len(rows)
    change = AlertChange(time_ns=0, state="firing", labels={}, fingerprint=last.fingerprint, pending_at_ns=0)
    for choice in (-1, len(alerts) - 1, last.fingerprint, last.alertname, dict(last), alerts.tail(1), change):
        pd.testing.assert_frame_equal(monitor.evidence(choice), rows)
    assert not monitor.evidence(0).equals(rows)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (99, "alert: expected a row number from 0 to "),
        (-99, "alert: expected a row number from 0 to "),
        ("request_faild", "did you mean request_failed"),
        ("", "known here: "),
        (None, "the number of a row of alerts"),
        (True, "the number of a row of alerts"),
        (1.5, "the number of a row of alerts"),
        ({"alertname": "x"}, "a row has alertname, target"),
        (pd.DataFrame(), "a frame of one row, got '0 rows'"),
    ],
)
def test_an_alert_that_there_is_not_is_refused(monitor, choice, said):
    with pytest.raises(ConfigError, match="alert: ") as raised:
        monitor.evidence(choice)
    assert said in str(raised.value)


def test_without_alerts_the_message_says_so():
    quiet = aiops_nb.from_synthetic(5, seed=7, targets=1)
    for choice in (0, "http_5xx"):
        with pytest.raises(ConfigError, match="there is none yet"):
            quiet.evidence(choice)
    assert "No alerts" in quiet.alerts()._repr_html_()


def test_the_frame_is_a_frame(monitor):
    alerts = monitor.alerts()
    assert type(alerts[alerts.state == "resolved"]) is pd.DataFrame
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(alerts)), alerts)


def test_a_notebook_shows_whole_summaries_and_firing_ones_first():
    def change(name, state, at, summary, **more):
        labels = {"alertname": name, "severity": "error", "target": "<script>alert(1)</script>"}
        times = {"time_ns": at * S, "pending_at_ns": at * S, "starts_at_ns": at * S}
        return AlertChange(state=state, labels=labels, fingerprint=name, summary=summary, **times, **more)

    changes = [change("old", "firing", 5, "long " * 60), change("new", "resolved", 9, "<img src=x>", ends_at_ns=12 * S)]
    text = alerts_html(alerts_frame(changes))
    assert "long " * 60 in text and text.index("old") < text.index("new") and "3 s" in text
    assert "<script" not in text and "<img" not in text and "&lt;img" in text


def test_many_alerts_are_counted_not_dropped_in_silence():
    labels = {"alertname": "a", "severity": "info", "target": "t"}
    changes = [
        AlertChange(time_ns=n, state="firing", labels=labels, fingerprint=f"f{n}", pending_at_ns=n) for n in range(40)
    ]
    assert "10 more" in alerts_html(alerts_frame(changes))
