"""The ways in through a whole monitor: rows become alerts, a gap becomes a warning, an end is an end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from aiops_nb import replay, watch
from aiops_nb.collect.access_log.collector import AccessLog
from aiops_nb.collect.frame.source import from_frame
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.sockets.tcp_client import TcpClient
from aiops_nb.collect.sockets.tcp_listener import TcpListener
from aiops_nb.core.protocols import Collector
from aiops_nb.core.types import Step
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.record.tap import NullTap
from tests import collect_servers as servers
from tests.ports import free_port

DEADLINE_SECONDS = 20


class Signal:
    """A sink that wakes whoever waits for a step."""

    def __init__(self) -> None:
        self.stepped = threading.Event()

    def write(self, step: Step) -> None:
        self.stepped.set()

    def close(self) -> None:
        """Nothing to release."""


@contextmanager
def monitoring(*collectors: Collector) -> Iterator[Callable[[Callable[[Monitor], object]], None]]:
    """A running monitor, as a wait until something is so of it."""
    monitor = Monitor(lambda deliver: LiveRun(collectors, NullTap(), PipelineParams(), deliver))
    with monitor:
        yield lambda done: wait_for(monitor, done)
    assert not monitor.running


def wait_for(monitor: Monitor, done: Callable[[Monitor], object]) -> None:
    """Wait until something is so of a monitor."""
    signal = Signal()
    monitor.add_sink(signal)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not done(monitor):
        assert time.monotonic() < deadline, (monitor.counters, monitor.warnings())
        signal.stepped.wait(1.0)
        signal.stepped.clear()
    monitor.remove_sink(signal)


def alertnames(monitor: Monitor) -> set[str]:
    return {change.labels["alertname"] for change in monitor.firing()}


def lines(status: int, count: int) -> bytes:
    rows = [{"time": time.time(), "target": "checkout", "status_code": status} for _ in range(count)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_lines_over_tcp_become_an_alert() -> None:
    listener = TcpListener()
    with monitoring(listener) as wait_until, socket.create_connection(listener.address) as sender:
        sender.sendall(lines(200, 10) + b"not a row\n" + lines(503, 5))
        wait_until(lambda monitor: "http_5xx" in alertnames(monitor))
        wait_until(lambda monitor: monitor.counters.rows_total == 15)
    assert listener.counters["rejected_invalid_json_total"] == 1


def test_an_access_log_becomes_an_alert(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "access.log", pattern='$msec $remote_addr "$request" $status')
    with monitoring(log) as wait_until, log.path.open("a", encoding="utf-8") as file:
        for status in (200, 502, 502, 502, 502):
            file.write(f'{time.time():.3f} 10.0.0.7 "GET /pay/17 HTTP/1.1" {status}\n')
        file.flush()
        wait_until(lambda monitor: "http_5xx" in alertnames(monitor))
        wait_until(lambda monitor: set(monitor.requests()["target"]) == {"/pay/{id}"})


def test_an_alert_of_a_probe_says_what_was_required_and_what_came(tmp_path: Path) -> None:
    required = ("status in 200..299", 'json $.status == "UP"')
    shop = ProbeTarget(url="http://127.0.0.1:9/", name="shop", timeout_seconds=0.1)
    with servers.raw_server(servers.reply_ok) as port:
        asked = [msgspec.structs.replace(shop, url=f"http://127.0.0.1:{port}/", assertions=required)]
        with watch(asked, interval_seconds=0.2, record=tmp_path / "seen", config={"host_metrics": False}) as monitor:
            wait_for(monitor, lambda monitor: "request_failed" in alertnames(monitor))
    [alert] = monitor.alerts().to_dict("records")
    assert alert["summary"] == 'shop: response check failed: json $.status == "UP", got no JSON (3 consecutive probes)'
    assert set(monitor.evidence(alert)["error_detail"]) == {'json $.status == "UP", got no JSON'}
    pd.testing.assert_frame_equal(replay(tmp_path / "seen").alerts(), monitor.alerts())


def test_a_server_that_is_away_is_a_warning_until_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    caplog.set_level("INFO", "aiops_nb")
    client = TcpClient("127.0.0.1", port, name="feed", first_backoff_seconds=0.01)
    with monitoring(client) as wait_until:
        wait_until(lambda monitor: any("refused" in line for line in monitor.warnings()))
        with socket.create_server(("127.0.0.1", port)) as server:
            server.settimeout(DEADLINE_SECONDS)
            connection, _ = server.accept()
            with connection:
                connection.sendall(lines(200, 7))
                wait_until(lambda monitor: monitor.counters.rows_total == 7 and not monitor.warnings())
        wait_until(lambda monitor: any("collector feed" in line for line in monitor.warnings()))
    assert "collector feed works again" in caplog.text


def test_a_frame_ends_and_all_of_it_was_judged() -> None:
    rows = 20_000
    status = np.where(np.arange(rows) > rows // 2, 500, 200)
    source = from_frame(
        pd.DataFrame({"time": time.time() - 60 + np.arange(rows) / rows, "target": "a"}).assign(status_code=status)
    )
    with monitoring(source) as wait_until:
        wait_until(lambda monitor: not monitor.running)
        wait_until(lambda monitor: monitor.counters.rows_total == rows)
        wait_until(lambda monitor: "http_5xx" in set(monitor.alerts()["alertname"]))


def test_a_stop_while_many_send_leaves_nothing_behind() -> None:
    listener, stopped = TcpListener(), threading.Event()

    def send() -> None:
        with suppress(OSError), socket.create_connection(listener.address) as sender:
            while not stopped.is_set():
                sender.sendall(lines(200, 100))

    senders = [threading.Thread(target=send) for _ in range(4)]
    with monitoring(listener) as wait_until:
        for sender in senders:
            sender.start()
        wait_until(lambda monitor: monitor.counters.rows_total > 2_000)
    stopped.set()
    for sender in senders:
        sender.join(5)
        assert not sender.is_alive()
