"""Jobs that must report: over a real port, by a real file, and through a monitor to an alert."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from aiops_nb import watch
from aiops_nb.collect.heartbeat import HeartbeatJob, Heartbeats
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError
from tests.ports import free_port

TOKEN = "a-token-of-this-test"
JOBS = [HeartbeatJob(name="nightly", period_seconds=60, grace_seconds=10)]


@pytest.fixture
def beats():
    made = Heartbeats(JOBS, port=0, token=TOKEN, interval_seconds=0.2)
    yield made
    made.close()


def ask(beats, path="/heartbeat/nightly", method="POST", token=TOKEN):
    """The status of one request, which the poll of another thread answers."""
    batches = []
    poller = threading.Thread(target=lambda: batches.append(beats.poll(2.0)))
    connection = http.client.HTTPConnection(*beats.address, timeout=5)
    beats._due_seconds = time.monotonic() + 1.0
    poller.start()
    try:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
        poller.join()


def values(batch):
    names = zip(batch["target"].to_pylist(), batch["metric"].to_pylist(), strict=True)
    return dict(zip(names, batch["value"].to_pylist(), strict=True))


@pytest.mark.parametrize(
    ("changed", "status", "reports"),
    [
        ({}, 204, 1),
        ({"method": "GET"}, 204, 1),
        ({"method": "DELETE"}, 400, 0),
        ({"token": None}, 401, 0),
        ({"token": TOKEN[:-1]}, 401, 0),
        ({"path": "/heartbeat/other"}, 404, 0),
        ({"path": "/nightly"}, 404, 0),
    ],
)
def test_only_a_known_job_with_the_token_reports(beats, changed, status, reports):
    assert ask(beats, **changed) == status
    assert beats.counters == {"reports_total": reports, "refused_total": 1 - reports}


def test_a_request_that_does_not_end_holds_up_nobody(beats):
    beats._due_seconds = time.monotonic() + 3.0
    with socket.create_connection(beats.address) as slow, socket.create_connection(beats.address) as wrong:
        slow.sendall(b"POST /heartbeat/nightly HTTP/1.1\r\nAuthorization: Bea")
        wrong.sendall(b"\x16\x03\x01" + bytes(30_000))
        began = time.monotonic()
        beats.poll(2.5)
        assert time.monotonic() - began < 4.0
    assert beats.counters["refused_total"] == 2
    assert ask(beats) == 204


def test_ages_and_what_is_overdue(tmp_path):
    clock = ManualClock()
    file = tmp_path / "report"
    jobs = [*JOBS, HeartbeatJob(name="file", period_seconds=30, grace_seconds=0, path=str(file))]
    beats = Heartbeats(jobs, port=0, token=TOKEN, clock=clock)
    clock.advance(75)
    assert values(beats.poll(0)) == {
        ("nightly", "heartbeat_overdue_seconds"): 5.0,
        ("file", "heartbeat_overdue_seconds"): 45.0,
    }
    file.touch()
    os.utime(file, ns=(clock.now_ns(), clock.now_ns()))
    clock.advance(20)
    assert values(beats.poll(0)) == {
        ("nightly", "heartbeat_overdue_seconds"): 25.0,
        ("file", "heartbeat_age_seconds"): 20.0,
        ("file", "heartbeat_overdue_seconds"): 0.0,
    }
    beats.close()
    assert beats.poll(0) is None


@pytest.mark.parametrize(
    ("jobs", "more", "message"),
    [
        ([], {}, "jobs: expected at least one job"),
        (JOBS, {}, r"jobs\[0\]: expected a path, or a port"),
        (JOBS, {"port": 0}, "token: expected what requests must carry"),
        (JOBS * 2, {"port": 0, "token": "t"}, r"jobs\[1\].name: expected another than jobs\[0\]"),
    ],
)
def test_what_could_not_work_is_refused(jobs, more, message):
    with pytest.raises(ConfigError, match=message):
        Heartbeats(jobs, **more)


def say(beats, line):
    """The answer to a line that is sent to the port."""
    poller = threading.Thread(target=lambda: beats.poll(2.0))
    beats._due_seconds = time.monotonic() + 1.0
    poller.start()
    try:
        with socket.create_connection(beats.address, timeout=5) as connection:
            connection.sendall(line)
            return connection.makefile().readline().split()[0]
    finally:
        poller.join()


@pytest.mark.parametrize(
    ("line", "status", "reports"),
    [
        (f'{{"heartbeat": "nightly", "token": "{TOKEN}"}}\n', "204", 1),
        (f'{{"heartbeat": "nightly", "token": "{TOKEN}"}}\r\nmore', "204", 1),
        ('{"heartbeat": "nightly", "token": "x"}\n', "401", 0),
        ('{"heartbeat": "nightly"}\n', "401", 0),
        (f'{{"heartbeat": "other", "token": "{TOKEN}"}}\n', "404", 0),
        ('{"heartbeat": 7}\n', "400", 0),
        ("{]\n", "400", 0),
        ("{" * 20_000, "400", 0),
    ],
)
def test_a_job_reports_by_a_json_line(beats, line, status, reports):
    assert say(beats, line.encode()) == status
    assert beats.counters["reports_total"] == reports


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("cron", "last", "now", "overdue"),
    [
        ("30 6 * * mon-fri", "2026-11-27 06:31", "2026-11-30 06:31", 0),  # from Friday to Monday, within the grace
        ("30 6 * * mon-fri", "2026-11-27 06:31", "2026-11-30 06:45", 300),
        ("30 6 * * mon-fri", "2026-11-30 06:31", "2026-11-30 23:00", 0),
        ("30 2 * * *", "2026-03-28 02:31", "2026-03-29 03:09", 0),  # 02:30 is left out: it runs at 03:00
        ("30 2 * * *", "2026-03-28 02:31", "2026-03-29 03:20", 600),
        ("30 2 * * *", "2026-10-25 02:31", "2026-10-26 02:35", 0),  # the hour that occurs twice: once
        ("0 0 29 2 *", "2026-01-01 00:00", "2027-12-31 00:00", 0),
    ],
)
def test_a_cron_schedule_in_a_zone(cron, last, now, overdue):
    job = HeartbeatJob(name="job", cron=cron, timezone="Europe/Berlin", grace_seconds=600)
    last_ns, now_ns = (
        round(datetime.fromisoformat(one).replace(tzinfo=BERLIN).timestamp()) * 10**9 for one in (last, now)
    )
    assert job.overdue_seconds(now_ns, last_ns) == overdue


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "period: expected either period or cron, got 'neither'"),
        ({"cron": "0 3 * * *", "period_seconds": 60}, "period: expected either period or cron, got 'both'"),
        ({"cron": "0 25 * * *"}, "cron: expected a cron expression"),
        ({"cron": "0 0 30 2 *"}, "cron: expected a cron expression"),
        ({"cron": "@daily"}, "cron: expected a cron expression"),
        ({"cron": "0 3 * * *", "timezone": "Mars/Base"}, "timezone: expected a zone"),
        ({"cron": "0 3 * * *", "timezone": "../../etc/passwd"}, "timezone: expected a zone"),
    ],
)
def test_schedules_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        HeartbeatJob(name="job", **wrong)


def test_a_name_is_part_of_a_url():
    with pytest.raises(ConfigError, match="name: expected letters, digits"):
        HeartbeatJob(name="a/b", period_seconds=1)


def test_a_missed_heartbeat_is_an_alert_that_a_late_one_resolves(monkeypatch):
    monkeypatch.setenv("BEAT_TOKEN", TOKEN)
    port = free_port()
    job = {"name": "nightly", "period": "1s", "grace": "500ms"}
    collector = {"type": "heartbeat", "port": port, "token": "env:BEAT_TOKEN", "jobs": [job], "interval": "200ms"}
    config = {"host_metrics": False, "self_observation": None, "collectors": [collector]}
    report = (
        "import urllib.request as u;"
        f"u.urlopen(u.Request('http://127.0.0.1:{port}/heartbeat/nightly', method='POST',"
        f" headers={{'Authorization': 'Bearer {TOKEN}'}}))"
    )
    with watch(config=config) as monitor:
        deadline = time.monotonic() + 20
        while not monitor.firing() and time.monotonic() < deadline:
            time.sleep(0.05)
        (alert,) = monitor.firing()
        assert (alert.labels["alertname"], alert.labels["target"]) == ("heartbeat_missed", "nightly")
        subprocess.run([sys.executable, "-c", report], check=True, timeout=20)
        while monitor.firing() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not monitor.firing()
    assert monitor.alerts()["state"].iloc[0] == "resolved"


def test_a_literal_token_is_refused_without_being_shown():
    collector = {"type": "heartbeat", "port": 8900, "token": "s3cret", "jobs": [{"name": "a", "period": "1m"}]}
    with pytest.raises(ConfigError, match=r"collectors\[0\].token: expected a reference") as refused:
        watch(config={"collectors": [collector]})
    assert "s3cret" not in str(refused.value)
