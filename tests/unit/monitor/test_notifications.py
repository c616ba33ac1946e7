"""Firing once, resolved once, in order: over failing receivers, restarts and `kill -9`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aiops_nb.monitor.notifications import Notifications
from aiops_nb.monitor.notifications import sink as sink_module
from aiops_nb.notify.dispatch import RESTARTED
from aiops_nb.notify.log import NotificationLog
from aiops_nb.notify.params import NotifyParams, PagerDutyParams, RouteParams, WebhookParams
from aiops_nb.notify.registry import make_notifier
from tests.ports import free_port
from tests.unit.notify.receiver import Receiver, change, heartbeat, receiving, step


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def webhook(url: str, name: str = "hook", timeout_seconds: float = 5.0) -> WebhookParams:
    return WebhookParams(url=f"{url}/hook", name=name, timeout_seconds=timeout_seconds)


def notifications(
    *channels: WebhookParams | PagerDutyParams, log: Path | None = None, **options: object
) -> Notifications:
    waits = {"group_wait_seconds": 0.0, "group_interval_seconds": 0.0, "digest_interval_seconds": 0.0}
    params = NotifyParams(channels=channels, **{**waits, **options})  # type: ignore[arg-type]
    made = [make_notifier(channel) for channel in channels]
    return Notifications(params, made, NotificationLog(log), jitter=lambda: 0.1)


def kinds(requests: list) -> list[tuple[str, str]]:
    return [(alert["status"], alert["fingerprint"]) for one in requests for alert in one.body["alerts"]]


def test_firing_and_resolved_arrive_once_and_in_order(receiver: Receiver) -> None:
    sink = notifications(webhook(receiver.url))
    sink.write(step(change("pending"), change("firing"), change("firing")))
    receiver.wait_for(1)
    sink.write(step(change("resolved", time_ns=9 * 10**9), change("resolved", time_ns=9 * 10**9)))
    receiver.wait_for(2)
    sink.close()
    assert kinds(receiver.accepted) == [("firing", "f"), ("resolved", "f")]
    keys = [one.headers["Idempotency-Key"] for one in receiver.accepted]
    assert len(set(keys)) == 2


def test_inhibited_alerts_and_resolves_without_a_firing_notify_nobody(receiver: Receiver) -> None:
    sink = notifications(webhook(receiver.url))
    sink.write(
        step(change("firing", "a", inhibited_by="request_failed"), change("resolved", "a"), change("resolved", "b"))
    )
    sink.write(step(change("firing", "c")))
    receiver.wait_for(1)
    sink.close()
    assert kinds(receiver.accepted) == [("firing", "c")]


@pytest.mark.parametrize("failure", [(500, {}), (503, {"Retry-After": "0"}), (429, {"Retry-After": "0"}), (408, {})])
def test_a_receiver_that_fails_for_a_while_gets_each_once(
    receiver: Receiver, failure: tuple[int, dict[str, str]]
) -> None:
    receiver.answers = [(*failure, {}), (*failure, {}), (200, {}, {})]
    sink = notifications(webhook(receiver.url))
    sink.write(step(change("firing")))
    receiver.wait_for(1)
    sink.write(step(change("resolved")))
    receiver.wait_for(2)
    sink.close()
    assert kinds(receiver.accepted) == [("firing", "f"), ("resolved", "f")]
    assert sink.problems() == {}


def test_a_receiver_that_asks_to_wait_is_not_asked_before(receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "1"}, {}), (200, {}, {})]
    sink = notifications(webhook(receiver.url))
    began = time.monotonic()
    sink.write(step(change("firing")))
    receiver.wait_for(1)
    sink.close()
    assert time.monotonic() - began >= 1.0
    assert len(receiver.requests) == 2


def test_what_is_refused_for_good_is_shown_and_its_resolve_is_not_sent(receiver: Receiver) -> None:
    receiver.answers = [(403, {}, {"error": "no access"}), (200, {}, {})]
    sink = notifications(webhook(receiver.url))
    sink.write(step(change("firing", "a")))
    receiver.wait_for(1, "requests")
    sink.write(step(change("resolved", "a"), change("firing", "b")))
    receiver.wait_for(1)
    states = {(row["kind"], row["state"]) for row in sink.rows() if row["problem"] or row["state"] == "dropped"}
    assert ("firing", "failed") in states
    sink.close()
    assert kinds(receiver.accepted) == [("firing", "b")]
    assert sink.problems() == {"notify hook": "1 message could not be delivered"}


def test_a_channel_that_does_not_deliver_is_reported_through_another(receiver: Receiver) -> None:
    dead = webhook(f"http://127.0.0.1:{free_port()}", "dead")
    sink = notifications(dead, webhook(receiver.url, "alive"), escalate_seconds=0.01)
    sink.write(step(change("firing")))
    receiver.wait_for(2)
    sink.close()
    names = sorted(alert["labels"]["alertname"] for one in receiver.accepted for alert in one.body["alerts"])
    assert names == ["http_5xx", "notification_failed"]


def test_routes_decide_by_labels_and_severity(receiver: Receiver) -> None:
    routes = (
        RouteParams(matchers={"target": ("shop",)}, channels=("one",)),
        RouteParams(matchers={"target": ("quiet",)}),
    )
    channels = webhook(receiver.url, "one"), webhook(receiver.url, "two")
    sink = notifications(*channels, routes=routes, default=("two",))
    labels = [{"target": "shop"}, {"target": "quiet"}, {"target": "other"}, {"severity": "info"}]
    sink.write(step(*(change("firing", str(i), labels=one) for i, one in enumerate(labels))))
    receiver.wait_for(2)
    sink.close()
    assert sorted(
        (one.body["receiver"], a["labels"]["target"]) for one in receiver.accepted for a in one.body["alerts"]
    ) == [
        ("one", "shop"),
        ("two", "other"),
    ]


def test_many_at_once_become_few_messages_with_true_counts(receiver: Receiver) -> None:
    receiver.hold = threading.Event()
    sink = notifications(webhook(receiver.url))
    for first in range(0, 10_000, 500):
        sink.write(step(*(change("firing", f"f{number}") for number in range(first, first + 500))))
    receiver.hold.set()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and sum(row["state"] == "sent" for row in sink.rows()) < 10_000:
        with receiver.changed:
            receiver.changed.wait(0.5)
    sink.close()
    sent = kinds(receiver.accepted)
    assert len(sent) == len(set(sent)) == 10_000
    assert len(receiver.accepted) <= 120


def test_a_write_never_waits_for_a_channel_that_hangs(receiver: Receiver) -> None:
    receiver.hold = threading.Event()
    sink = notifications(webhook(receiver.url, timeout_seconds=0.2))
    began = time.monotonic()
    for number in range(1000):
        sink.write(step(change("firing", str(number))))
    assert time.monotonic() - began < 1.0
    receiver.hold.set()
    sink.close()


def test_many_channels_that_hang_are_closed_in_the_time_of_one(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink_module, "CLOSE_SECONDS", 0.5)
    receiver.hold = threading.Event()
    sink = notifications(*(webhook(receiver.url, f"hook{number}", timeout_seconds=2.0) for number in range(8)))
    sink.write(step(change("firing")))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and sum(row["state"] == "sending" for row in sink.rows()) < 8:
        time.sleep(0.02)
    began = time.monotonic()
    sink.close()
    assert time.monotonic() - began < 2.0
    receiver.hold.set()


def test_a_change_that_cannot_be_understood_ends_no_others(receiver: Receiver) -> None:
    sink = notifications(webhook(receiver.url))
    sink.write(step(replace(change("firing", "broken"), labels=None)))
    sink.write(step(change("firing", "whole")))
    receiver.wait_for(1)
    sink.close()
    assert kinds(receiver.accepted) == [("firing", "whole")]


def test_a_restart_sends_nothing_twice_and_what_was_queued(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "notifications.sqlite"
    dead = webhook(f"http://127.0.0.1:{free_port()}")
    first = notifications(dead, log=path)
    first.write(step(change("firing")))
    first.close()
    second = notifications(webhook(receiver.url), log=path)  # the same channel, whose receiver is there again
    receiver.wait_for(1)
    second.write(step(change("firing", pending_at_ns=7 * 10**9)))  # the alert fires again after the restart
    second.write(step(change("resolved", pending_at_ns=7 * 10**9)))
    receiver.wait_for(2)
    second.close()
    assert kinds(receiver.accepted) == [("firing", "f"), ("resolved", "f")]


def test_an_alert_that_does_not_fire_again_after_a_restart_is_resolved(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "notifications.sqlite"
    first = notifications(webhook(receiver.url), log=path)
    first.write(step(change("firing", "a"), change("firing", "b")))
    receiver.wait_for(1)
    first.close()
    second = notifications(webhook(receiver.url), log=path, adopt_seconds=30.0)
    second.write(step(change("firing", "b", time_ns=5 * 10**9, pending_at_ns=5 * 10**9)))
    second.write(heartbeat(40 * 10**9))
    deadline = time.monotonic() + 20
    while ("resolved", "a") not in kinds(receiver.accepted) and time.monotonic() < deadline:
        with receiver.changed:
            receiver.changed.wait(1.0)
    second.close()
    assert sorted(kinds(receiver.accepted)) == [("firing", "a"), ("firing", "b"), ("resolved", "a")]
    outcome = receiver.accepted[-1].body["alerts"][0]["annotations"]["outcome"]
    assert outcome == RESTARTED


def test_pagerduty_takes_the_episode_as_its_key(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER_KEY", "planted-secret")
    receiver.answers = [(202, {}, {"status": "success"})]
    sink = notifications(PagerDutyParams(routing_key="env:PAGER_KEY", api_url=f"{receiver.url}/v2/enqueue"))
    sink.write(step(change("firing"), change("resolved", time_ns=4 * 10**9)))
    first, second = receiver.wait_for(2)
    sink.close()
    assert [first.body["event_action"], second.body["event_action"]] == ["trigger", "resolve"]
    assert first.body["dedup_key"] == second.body["dedup_key"] == "aiops_nb-f-1000000000"
    assert first.body["routing_key"] == "planted-secret"


KILLED = """
import sys
from pathlib import Path
from aiops_nb.notify.params import NotifyParams
from tests.unit.monitor.test_notifications import notifications, webhook
from tests.unit.notify.receiver import change, step

url, path, first, last = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
sink = notifications(webhook(url), log=path)
for number in range(first, last):
    sink.write(step(change("firing", f"f{number}")))
    if number >= 3:
        sink.write(step(change("resolved", f"f{number - 3}")))
print("written", flush=True)
sys.stdin.readline()
sink.close()
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX")
def test_kill_9_loses_nothing_and_doubles_at_most_what_was_in_flight(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "notifications.sqlite"
    kills = 6
    for run in range(kills):
        arguments = [receiver.url, str(path), str(run * 40), str(run * 40 + 40)]
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        receiver.wait_for(len(receiver.accepted) + 1)  # somewhere in the middle of its sends
        assert child.stdout is not None and child.stdout.readline() == "written\n"
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert child.stdin is not None
        child.stdin.close()
    rest = notifications(webhook(receiver.url), log=path)
    deadline = time.monotonic() + 30
    while any(row["state"] in ("queued", "sending") for row in rest.rows()) and time.monotonic() < deadline:
        with receiver.changed:
            receiver.changed.wait(0.5)
    logged = [(str(row["kind"]), json.dumps(row["state"])) for row in rest.rows()]
    rest.close()
    assert all(state == '"sent"' for _, state in logged)
    by_key = {one.headers["Idempotency-Key"]: one for one in receiver.accepted}  # what a receiver keeps
    repeated = len(receiver.accepted) - len(by_key)
    arrived = kinds(list(by_key.values()))
    assert len(arrived) == len(set(arrived)) == len(logged)  # nothing is missing, and nothing came under two keys
    first_seen: dict[str, int] = {}
    for place, (kind, fingerprint) in enumerate(arrived):
        first_seen.setdefault(f"{kind} {fingerprint}", place)
    for name, place in first_seen.items():
        kind, _, fingerprint = name.partition(" ")
        assert kind == "firing" or first_seen[f"firing {fingerprint}"] < place
    assert repeated <= kills  # at most the one send in flight at each kill


def test_a_log_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "log.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.commit()
    database.close()
    with pytest.raises(Exception, match="expected log version 2, got 99; install a newer aiops-nb"):
        NotificationLog(path)
    (tmp_path / "text.sqlite").write_text("this is no database at all, but a text of some length\n" * 50)
    with pytest.raises(Exception, match="expected a notification log that can be written"):
        NotificationLog(tmp_path / "text.sqlite")
