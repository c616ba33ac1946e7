"""What a live run does to its stream is in the recording: commands, and the end of each source."""

from __future__ import annotations

import json

import aiops_nb
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.record.recorder import Recorder
from tests.unit.monitor.test_monitor import CLOSED_PORT, Reached

START_NS = 1_780_000_000 * NS_PER_SECOND


def commands(path):
    table = aiops_nb.open_recording(path).reader.table("control")
    kinds, bodies = table["kind"].to_pylist(), table["body"].to_pylist()
    return [json.loads(body) for kind, body in zip(kinds, bodies, strict=True) if kind == "command"]


class Once:
    """A collector that ends after one batch."""

    def __init__(self, name: str) -> None:
        self.name, self._done = name, False

    def poll(self, timeout_seconds):
        if self._done:
            return None
        self._done = True
        rows = {"time": [START_NS], "origin": "probe", "target": ["a"], "status_code": [200]}
        return make_batch("requests", self.name, rows)

    def close(self) -> None:
        self._done = True


def test_the_end_of_each_source_is_recorded_before_the_stop(tmp_path):
    recorder = Recorder(tmp_path / "r")
    monitor = Monitor(lambda deliver: LiveRun([Once("one"), Once("two")], recorder, PipelineParams(), deliver))
    monitor.start()
    assert monitor.wait(20)
    monitor.stop()
    found = commands(tmp_path / "r")
    assert [one["type"] for one in found] == ["start", "source_ended", "source_ended", "stop"]
    assert sorted(one["source"] for one in found[1:3]) == ["one", "two"] and found[0]["sources"] == ["one", "two"]


def test_a_command_is_recorded_in_its_place(tmp_path):
    seen = Reached(lambda step: step.item.table == "requests")
    with aiops_nb.watch(CLOSED_PORT, interval_seconds=0.2, record=tmp_path / "r", sinks=[seen]) as monitor:
        assert seen.wait(20)
        monitor.set_threshold("latency_p95_anomaly", 9.0)
    moved = {"type": "set_threshold", "alertname": "latency_p95_anomaly", "threshold": 9.0}
    found = commands(tmp_path / "r")
    assert found.count(moved) == 1 and 0 < found.index(moved) < len(found) - 1
