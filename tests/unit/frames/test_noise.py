"""The noise report counts what was sent, what flapped, what was silenced, and what `for` has kept quiet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from aiops_nb import open_recording
from aiops_nb.core.types import NS_PER_SECOND, AlertChange
from aiops_nb.frames.noise import Noise, noise_of
from aiops_nb.notify.params import NotifyParams, WebhookParams
from tests.paths import ROOT

DAY = 86_400


def at(second: int, state: str, alertname: str = "http_5xx", target: str = "shop", **fields: Any) -> AlertChange:
    time_ns = second * NS_PER_SECOND
    times: dict[str, Any] = {"pending_at_ns": time_ns, "starts_at_ns": time_ns, **fields}
    if state == "resolved":
        times["ends_at_ns"] = time_ns
    labels = {"alertname": alertname, "severity": "error", "target": target}
    return AlertChange(time_ns=time_ns, state=state, labels=labels, fingerprint=alertname + target, **times)  # type: ignore[arg-type]


def sent(second: int, alertname: str = "http_5xx", target: str = "shop", channel: str = "chat") -> dict[str, Any]:
    return {"channel": channel, "alertname": alertname, "target": target, "due_at": second * NS_PER_SECOND}


def report() -> Noise:
    def times(first: int) -> dict[str, int]:
        return {"pending_at_ns": first * NS_PER_SECOND, "starts_at_ns": first * NS_PER_SECOND}

    changes = [
        at(10, "firing"),
        at(100, "resolved", **times(10)),
        at(200, "firing"),  # again within 10 min: a flap
        at(230, "firing", update="flapping", **times(200)),
        at(300, "resolved", **times(200)),
        at(DAY, "firing"),  # the next day: no flap
        at(400, "pending", "cpu_spike", "host"),
        at(402, "inactive", "cpu_spike", "host", **times(400)),
        at(500, "firing", "latency", "shop", silenced_by=("s1",)),
        at(600, "firing", "request_failed", "till", inhibited_by="outage"),
        at(700, "firing", "latency", "till"),
        at(720, "firing", "latency", "till", acknowledged_at_ns=1, update="acknowledged", **times(700)),
    ]
    rows = [
        sent(10),
        sent(100),
        sent(200),
        sent(300),
        sent(DAY),
        sent(DAY, channel="mail"),
        sent(700, "latency", "till"),
    ]
    return noise_of(changes, rows)


def test_alerts_are_counted_the_noisiest_first() -> None:
    table = report().by_alert.set_index(["alertname", "target"])
    assert next(iter(table.index)) == ("http_5xx", "shop")
    counts = ["notifications", "fired", "flaps", "longest_seconds", "firing_seconds"]
    assert table.loc[("http_5xx", "shop"), counts].tolist() == [6, 3, 2, 100.0, 190.0]
    assert table.loc[("cpu_spike", "host"), ["notifications", "fired", "never_fired"]].tolist() == [0, 0, 1]
    assert table.loc[("latency", "shop"), "silenced"] == table.loc[("request_failed", "till"), "inhibited"] == 1
    assert table.loc[("latency", "till"), "acknowledged"] == 1


def test_notifications_are_counted_by_day_rule_target_and_channel() -> None:
    table = report().by_day
    assert table["notifications"].sum() == report().notified_total == 7
    second = table[table["day"] == pd.Timestamp("1970-01-02", tz="UTC")]
    assert second.set_index("channel")["notifications"].to_dict() == {"chat": 1, "mail": 1}


def test_it_says_how_many_would_have_notified_without_for() -> None:
    assert report().without_for == 6  # three of http_5xx, two of latency, the spike that never fired
    assert repr(report()) == "<Noise: 7 notifications of 6 alerts; 6 alerts without `for`>"


def test_the_chart_escapes_names_and_nothing_is_no_error() -> None:
    hostile = noise_of([at(1, "firing", "<script>", "<b>")], [sent(1, "<script>", "<b>")])
    page = hostile.plot().html
    assert "<script>" not in page and "&lt;script&gt;" in page and "<rect" in page
    assert "No alerts." in noise_of([], []).plot().html and noise_of([], []).without_for == 0
    many = [sent(day * DAY, f"rule{day % 12}") for day in range(60)]
    assert noise_of([], many).plot().html.count("<rect") == 31


def test_of_a_recording(demo_recording: Path = ROOT / "data" / "demo") -> None:
    recording = open_recording(demo_recording)
    quiet = recording.noise()
    channel = WebhookParams(url="http://127.0.0.1:9/", name="chat")
    loud = recording.noise(NotifyParams(channels=(channel,), min_severity="info"))
    assert quiet.notified_total == 0 < loud.notified_total
    assert loud.notified_total == len(recording.notifications(NotifyParams(channels=(channel,), min_severity="info")))
    assert loud.by_alert["fired"].sum() == quiet.by_alert["fired"].sum() > 0
