"""Alerts on the machine that the monitor runs on: apart from those on what it watches, lower, and silenceable."""

from __future__ import annotations

import threading

import pytest

import aiops_nb
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.commands import Start, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.frames.build import alerts_frame
from aiops_nb.view.data.alert_log import AlertLog
from tests.collect_servers import raw_server, read_request

START_NS = 1_780_000_000 * NS_PER_SECOND
SAME_METRICS = [("cpu_ratio", 0.99, "cpu_saturation"), ("disk_ratio", 0.97, "disk_nearly_full")]


def busy(mode, metric, value, hosts=("laptop", "db"), seconds=150):
    """Alert changes where these hosts are all busy, and `laptop` is the monitor's own."""
    pipeline = Pipeline()
    start = Start(pipeline=PipelineParams(own_host_alerts=mode), own_hosts=("laptop",))
    begin = control_batch("monitor", "command", START_NS, encode_command(start))
    changes = pipeline.push(Item(0, "control", "monitor", begin)).changes
    for second in range(seconds):
        columns = {"time": [START_NS + second * NS_PER_SECOND] * len(hosts), "target": list(hosts)}
        columns |= {"metric": [metric] * len(hosts), "value": [value] * len(hosts)}
        changes += pipeline.push(Item(1, "samples", "host", make_batch("samples", "host", columns))).changes
    return [change for change in changes if change.state == "firing" and not change.inhibited_by]


@pytest.mark.parametrize(("metric", "value", "alertname"), SAME_METRICS)
def test_the_own_machine_is_lower_than_another_that_does_the_same(metric, value, alertname):
    frame = alerts_frame(busy("lower", metric, value)).set_index("target")
    assert set(frame["alertname"]) == {alertname}
    assert frame["scope"].to_dict() == {"laptop": "own_host", "db": ""}
    order = ["info", "warning", "error", "critical"]
    assert order.index(frame.loc["laptop", "severity"]) < order.index(frame.loc["db", "severity"])


@pytest.mark.parametrize(("metric", "value", "alertname"), SAME_METRICS)
def test_it_can_be_as_severe_as_others_or_off(metric, value, alertname):
    same = alerts_frame(busy("same", metric, value)).set_index("target")
    assert same.loc["laptop", "severity"] == same.loc["db", "severity"] and same.loc["laptop", "scope"] == "own_host"
    assert [change.labels["target"] for change in busy("off", metric, value)] == ["db"]


def test_it_is_listed_after_what_is_watched_however_severe_and_new():
    log = AlertLog(lambda change: ())
    for change in busy("same", "disk_ratio", 0.97, hosts=("db",)) + busy("same", "disk_ratio", 0.97, hosts=("laptop",)):
        log.take(change)
    assert [episode.change.labels["target"] for episode in log.shown()] == ["db", "laptop"]


def _fails(connection):
    while read_request(connection):
        connection.sendall(b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n")


class Fired:
    """A sink that waits until alerts of these names fire."""

    def __init__(self, *names):
        self._missing, self.all = set(names), threading.Event()

    def write(self, step):
        self._missing -= {change.labels["alertname"] for change in step.changes if change.state == "firing"}
        if not self._missing:
            self.all.set()

    def close(self):
        pass


def test_live_the_notebooks_machine_has_its_scope_and_a_replay_says_the_same(tmp_path):
    rule = {"alertname": "memory_used", "table": "samples", "feature": "value", "metrics": ["memory_ratio"]}
    rule |= {"severity": "critical", "threshold": 1.0, "detector": {"type": "level", "limit": 1e-6}}
    rule |= {"hold": {"for_seconds": 0.0}}
    fired = Fired("memory_used", "http_5xx")
    with raw_server(_fails) as port:
        config = {"targets": [{"url": f"http://127.0.0.1:{port}/", "interval": "0.2s"}]}
        config |= {"host_metrics": {"interval": "0.2s"}, "pipeline": {"feature_rules": [rule]}}
        with aiops_nb.watch(config=config, record=tmp_path / "r", sinks=[fired]) as monitor:
            assert fired.all.wait(30), monitor.warnings()
    live = monitor.alerts()
    of_rule = live.set_index("alertname")
    assert (of_rule.loc["memory_used", "scope"], of_rule.loc["memory_used", "severity"]) == ("own_host", "warning")
    assert (of_rule.loc["http_5xx", "scope"], of_rule.loc["http_5xx", "severity"]) == ("", "error")
    replayed = aiops_nb.open_recording(tmp_path / "r").alerts()
    assert replayed.equals(live)
