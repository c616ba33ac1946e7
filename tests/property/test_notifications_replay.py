"""What is sent live equals what a replay says would have been sent, and what the log holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb import open_recording, watch
from aiops_nb.core.types import NS_PER_SECOND, Step
from aiops_nb.monitor.notifications import Notifications
from aiops_nb.monitor.notifications.stream import events_of, notices_of, planned_rows
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.notify.dispatch import Dispatcher, Notice
from aiops_nb.notify.log import NotificationLog
from aiops_nb.notify.message import Message
from aiops_nb.notify.params import AlertmanagerParams, NotifyParams, RouteParams, WebhookParams
from tests.paths import ROOT
from tests.ports import free_port
from tests.unit.notify.receiver import change, heartbeat, receiving, step

WEBHOOK = WebhookParams(url="http://127.0.0.1:9/", name="hook")
ALERTMANAGER = AlertmanagerParams(url="http://127.0.0.1:9/")
SAME = ("channel", "kind", "alertname", "target", "severity", "summary", "group", "fingerprint", "episode_at", "due_at")


class Kept:
    """A channel that keeps what it is to send; the real one would post it."""

    max_single = 3
    max_batch = 50
    min_interval_seconds = 0.0

    def __init__(self, name: str, repeat_seconds: float | None) -> None:
        self.name = name
        self.repeat_seconds = repeat_seconds
        self.sent: list[str] = []
        self._lock = threading.Lock()

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        with self._lock:
            self.sent += [message.idempotency_key for message in messages]
        return {}

    def close(self) -> None: ...


WAITS = st.sampled_from([0.0, 0.5, 30.0])
GROUPS = st.sampled_from([("...",), (), ("target",), ("alertname", "severity")])
ROUTES = st.lists(
    st.builds(
        RouteParams,
        matchers=st.sampled_from([{"target": ("a", "b")}, {"severity": ("critical",)}, {"alertname": ("none",)}]),
        channels=st.sampled_from([("hook",), ("alertmanager",), ("hook", "alertmanager"), ()]),
        group_by=st.none() | GROUPS,
        group_wait_seconds=st.none() | WAITS,
        repeat_interval_seconds=st.none() | st.just(20.0),
    ),
    max_size=2,
).map(tuple)
CONFIGURATIONS = st.builds(
    NotifyParams,
    channels=st.just((WEBHOOK, ALERTMANAGER)),
    routes=ROUTES,
    default=st.sampled_from([None, ("hook",), ()]),
    min_severity=st.sampled_from(["info", "error"]),
    group_by=GROUPS,
    group_wait_seconds=WAITS,
    group_interval_seconds=WAITS,
    repeat_interval_seconds=st.none() | st.just(45.0),
    digest_interval_seconds=st.just(0.0),
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 1.0, 13.0]),
        st.sampled_from("abcd"),
        st.sampled_from(
            ["firing", "nodata", "error", "resolved", "silenced", "severity", "acknowledged", "comment", "beat", "beat"]
        ),
    ),
    max_size=40,
)


def steps_of(events: list[tuple[float, str, str]]) -> list[Step]:
    now, made = 0.0, []
    for passed, name, event in events:
        now += passed
        time_ns = round(now * NS_PER_SECOND)
        if event == "beat":
            made.append(heartbeat(time_ns))
            continue
        fields: dict[str, Any] = {"labels": {"target": name}, "time_ns": time_ns, "pending_at_ns": time_ns}
        if event in ("silenced", "acknowledged", "severity", "comment"):
            fields["update"] = event
            fields |= {"silenced": {"silenced_by": ("s",)}, "acknowledged": {"acknowledged_at_ns": 1}}.get(event, {})
        if event == "severity":
            fields["labels"] = {**fields["labels"], "severity": "critical"}
        state = event if event in ("resolved", "nodata", "error") else "firing"
        made.append(step(change(state, name, **fields)))
    return made


@settings(max_examples=25, deadline=None)
@given(CONFIGURATIONS, EVENTS)
def test_live_equals_replay_equals_the_log(params: NotifyParams, events: list[tuple[float, str, str]]) -> None:
    steps = steps_of(events)
    dispatcher = Dispatcher(params)
    notices = [notice for one in steps for notice in notices_of(dispatcher, events_of(one))]
    planned = planned_rows([*notices, *dispatcher.finish()], params)

    channels = Kept("hook", None), Kept("alertmanager", 60.0)
    live = Notifications(params, channels, NotificationLog(None))
    for one in steps:
        live.write(one)
    log = live._log
    closed, log.close = log.close, lambda: None  # type: ignore[method-assign]  # read once more after the end
    live.close()
    logged = log.rows()
    closed()
    assert [{name: row[name] for name in SAME} for row in logged] == planned
    assert all(row["state"] == "sent" for row in logged)
    for channel in channels:
        sent = [key for key in dict.fromkeys(channel.sent)]
        expected = [key_of(row) for row in planned if row["channel"] == channel.name]
        assert [one for one in sent if one in expected] == expected


def key_of(row: Mapping[str, object]) -> str:
    key = f"aiops_nb-{row['fingerprint']}-{row['episode_at']}-{row['kind']}"
    return f"{key}-{row['due_at']}" if row["kind"] in ("update", "repeat") else key


def test_a_recording_says_what_its_run_has_sent(tmp_path: Path) -> None:
    with receiving() as receiver:
        hook = {"type": "webhook", "url": receiver.url}
        targets = [f"http://127.0.0.1:{free_port()}/{name}" for name in ("a", "b")]
        config = {
            "targets": [{"url": url, "interval": "200ms"} for url in targets],
            "notify": {"channels": [hook], "group_by": ["alertname"], "group_interval": "1s"},
            "record": str(tmp_path / "run"),
        }
        with watch(config=config) as monitor:
            receiver.wait_for(1, timeout_seconds=30)
            began = time.monotonic()
        assert time.monotonic() - began < 10
        sent = monitor.notifications()
    planned = open_recording(tmp_path / "run").notifications()
    columns = list(planned.columns)
    assert len(planned) >= 2 and set(planned["kind"]) == {"firing", "resolved"}
    assert sent[columns].to_dict("records") == planned.to_dict("records")


def test_however_a_recording_is_cut_its_notifications_are_the_same() -> None:
    recording = open_recording(ROOT / "data" / "demo")
    params = NotifyParams(channels=(WEBHOOK,), min_severity="info", group_by=("target",), repeat_interval_seconds=60.0)
    rows = []
    for items in (recording.reader.items, recording.reader.joined_items):
        dispatcher = Dispatcher(params)
        notices: list[Notice] = []
        run = ReplayRun(items, None, lambda step, to=notices, by=dispatcher: to.extend(notices_of(by, events_of(step))))
        run.start()
        rows.append(planned_rows([*notices, *dispatcher.finish()], params))
    assert rows[0] == rows[1] and len(rows[0]) >= 4


def test_answers_of_people_reach_the_channels_and_the_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER_KEY", "planted-5ecret")
    with receiving() as receiver:
        channels = [
            {"type": "webhook", "url": f"{receiver.url}/hook"},
            {"type": "pagerduty", "routing_key": "env:PAGER_KEY", "api_url": f"{receiver.url}/pager"},
        ]
        loud, quiet = (f"http://127.0.0.1:{free_port()}/{name}" for name in ("loud", "quiet"))
        config = {
            "targets": [{"url": loud, "interval": "200ms"}],
            "notify": {"channels": channels},
            "record": str(tmp_path / "run"),
        }
        with watch(config=config) as monitor:
            receiver.wait_for(2, timeout_seconds=30)
            monitor.acknowledge("request_failed", note="on it", author="anna")
            receiver.wait_for(3)
            monitor.silence({"target": quiet}, duration="1h", author="anna")
            monitor.add_target(quiet, interval_seconds=0.2)
            deadline = time.monotonic() + 20
            while len(monitor.alerts().query("state == 'firing'")) < 2 and time.monotonic() < deadline:
                monitor.wait(0.2)
        sent = monitor.notifications()
    assert list(sent[sent["channel"] == "webhook"]["kind"]) == ["firing", "resolved"]
    assert list(sent[sent["channel"] == "pagerduty"]["kind"]) == ["firing", "update", "resolved"]
    events = [one.body["event_action"] for one in receiver.accepted if one.path == "/pager"]
    assert events == ["trigger", "acknowledge", "resolve"]
    assert not sent["target"].str.contains("quiet").any() and len(monitor.alerts()) == 2
    planned = open_recording(tmp_path / "run").notifications()
    assert sent[list(planned.columns)].to_dict("records") == planned.to_dict("records")
    table = monitor.noise().by_alert.set_index("target")
    assert (table.loc[quiet, "silenced"], table.loc[loud, "acknowledged"]) == (1, 1)
