"""A ping while the stream goes on: to a real server, and none from a monitor that hangs."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from aiops_nb import watch
from aiops_nb.config import load_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch
from aiops_nb.core.types import Item, Step
from aiops_nb.monitor.ping import Ping
from aiops_nb.notify.params import PingParams
from tests.ports import free_port

STEP = Step(Item(0, "control", "clock", control_batch("clock", "heartbeat", 0)))


@pytest.fixture
def server():
    """Counts what is asked; `status` is what it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            made.asked.append(self.path)
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    made.asked, made.status = [], 200
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def eventually(condition, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_it_pings_only_while_steps_come(server):
    url = f"http://127.0.0.1:{server.server_port}"
    ping = Ping(PingParams(url=f"{url}/ping/uuid?x=1", interval_seconds=0.05))
    other = Ping(PingParams(url=f"{url}/other", interval_seconds=0.05))
    asked = server.asked.count
    try:
        ping.write(STEP)
        assert eventually(lambda: asked("/ping/uuid?x=1") == 1)
        for times in range(1, 7):  # its neighbour pings six times, so as many of its intervals passed with no step
            other.write(STEP)
            assert eventually(lambda times=times: asked("/other") == times)
        assert asked("/ping/uuid?x=1") == 1
        ping.write(STEP)
        assert eventually(lambda: asked("/ping/uuid?x=1") == 2)
    finally:
        other.close()
        ping.close()


def test_a_monitor_pings_and_its_failure_is_shown_without_the_secret(server, monkeypatch):
    monkeypatch.setenv("PING_URL", f"http://127.0.0.1:{server.server_port}/s3cret")
    config = {"host_metrics": False, "self_observation": None, "ping": {"url": "env:PING_URL", "interval": "100ms"}}
    with watch(f"http://127.0.0.1:{free_port()}/", config=config) as monitor:
        assert eventually(lambda: server.asked)
        server.status = 404
        assert eventually(lambda: any("ping: env:PING_URL: answered 404" in one for one in monitor.warnings()))
        server.status = 200
        assert eventually(lambda: not any(one.startswith("ping: ") for one in monitor.warnings()))
        assert "s3cret" not in "".join(monitor.warnings())
    assert "aiops-ping" not in [thread.name for thread in threading.enumerate()]


def test_nobody_there_is_shown():
    ping = Ping(PingParams(url=f"http://127.0.0.1:{free_port()}/", interval_seconds=0.05))
    try:
        ping.write(STEP)
        assert eventually(lambda: "ConnectionRefusedError" in ping.problem)
    finally:
        ping.close()


def test_what_is_no_url_is_refused():
    with pytest.raises(ConfigError, match="ping"):
        load_config({"ping": {"url": "ftp://127.0.0.1/"}})
