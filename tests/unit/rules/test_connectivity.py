"""One alert when this host is offline: on tiny literal streams, and with real servers that are closed."""

from __future__ import annotations

import http.server
import threading

import aiops_nb
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.params import ConnectivityParams, PipelineParams
from aiops_nb.engine.pipeline import Pipeline

PARAMS = PipelineParams(feature_rules=(), connectivity=ConnectivityParams(targets=("r1", "r2")))


def changes_of(outcomes, params=PARAMS):
    """`outcomes` by target: a letter a second from second 100 on, `.` answered, `x` failed, blank not probed."""
    pipeline, seen = Pipeline(params), []
    seconds = max(map(len, outcomes.values()))
    for second in range(seconds + 40):
        rows = [
            (place, target, text[second])
            for place, (target, text) in enumerate(outcomes.items())
            if second < len(text) and text[second] != " "
        ]
        time = [(100 + second) * NS_PER_SECOND + place for place, _, _ in rows]
        batch = (
            make_batch(
                "requests",
                "probe",
                {
                    "time": time,
                    "origin": "probe",
                    "target": [target for _, target, _ in rows],
                    "status_code": [200 if mark == "." else None for _, _, mark in rows],
                    "error_type": [None if mark == "." else "connect" for _, _, mark in rows],
                },
            )
            if rows
            else control_batch("probe", "heartbeat", (100 + second) * NS_PER_SECOND)
        )
        item = Item(second, "requests" if rows else "control", "probe", batch)
        seen += pipeline.push(item).changes
    return [
        (c.labels["alertname"], c.labels["target"], c.state, c.time_ns // NS_PER_SECOND, c.inhibited_by) for c in seen
    ]


def states(changes, alertname, target=None):
    return [(c[2], c[3], c[4]) for c in changes if c[0] == alertname and target in (None, c[1])]


def test_all_dead_is_one_alert():
    changes = changes_of({"shop": "..xxxx", "r1": "..xxxx", "r2": "..xxxx"})
    assert states(changes, "observer_offline") == [("pending", 102, ""), ("firing", 103, "")]
    assert [change for change in changes if change[2] == "firing" and not change[4]] == [
        ("observer_offline", "observer", "firing", 103, "")
    ]
    assert ("request_failed", "shop", "firing", 104, "observer_offline") in changes


def test_one_dead_target_is_its_own_alert():
    changes = changes_of({"shop": "..xxxx", "r1": "......", "r2": "......"})
    assert states(changes, "observer_offline") == []
    assert ("firing", 104, "") in states(changes, "request_failed", "shop")


def test_one_dead_reference_is_no_alert():
    changes = changes_of({"shop": "......", "r1": "xxxxxx", "r2": "......"})
    assert [change for change in changes if change[2] == "firing" and not change[4]] == []


def test_a_blip_of_the_references_hides_nothing_for_long():
    changes = changes_of({"shop": "..xxxxx", "r1": "....x.", "r2": "....x."})
    assert states(changes, "observer_offline") == [("pending", 104, ""), ("inactive", 105, "")]
    assert [c for c in states(changes, "request_failed", "shop") if c[0] == "firing"][-1][2] == ""


def test_what_still_fails_when_we_are_connected_again_is_told_then():
    changes = changes_of({"shop": "..xxxx" + "x" * 60, "r1": "..xxxx" + "." * 60, "r2": "..xxxx" + "." * 60})
    assert [c[0] for c in states(changes, "observer_offline")] == ["pending", "firing", "resolved"]
    firing = [c for c in states(changes, "request_failed", "shop") if c[0] == "firing"]
    assert [c[2] for c in firing] == ["observer_offline", ""] and firing[1][1] >= 106 + 10 + 30


def test_without_references_nothing_is_explained():
    changes = changes_of({"shop": "..xxxx", "r1": "..xxxx"}, PipelineParams(feature_rules=()))
    assert {change[4] for change in changes if change[2] == "firing"} == {""}


class Server:
    """A real one on a free port of this host."""

    def __init__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Silent(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Ear:
    """Hears what fires."""

    def __init__(self, targets):
        self.answered, self.failed, self.fired = threading.Event(), threading.Event(), []
        self._targets = set(targets)
        self._heard = set()

    def write(self, step):
        if step.item.table == "requests":
            self._heard |= set(step.item.batch.column("target").to_pylist())
        if self._heard >= self._targets:
            self.answered.set()
        self.fired += [change for change in step.changes if change.state == "firing"]
        failed = {change.labels["target"] for change in self.fired if change.labels["alertname"] == "request_failed"}
        if failed >= self._targets:
            self.failed.set()

    def close(self):
        pass


def test_real_servers_that_all_go_away_make_one_alert():
    servers = [Server() for _ in range(4)]
    urls = [server.url for server in servers]
    ear = Ear(urls)
    config = {"host_metrics": False, "connectivity": urls[2:]}
    with aiops_nb.watch(urls[:2], interval_seconds=0.3, config=config, sinks=[ear]) as monitor:
        answered = ear.answered.wait(20)
        for server in servers:
            server.stop()
        assert answered and ear.failed.wait(20)
        alerts = monitor.alerts()
    assert [change.labels["alertname"] for change in ear.fired if not change.inhibited_by] == ["observer_offline"]
    assert set(alerts[alerts.alertname == "request_failed"].inhibited_by) == {"observer_offline", "connectivity"}
