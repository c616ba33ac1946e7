"""A start after a stop, and a continued recording, keep the baselines; live equals replay across both."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

import aiops_nb
from aiops_nb.config import load_config
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.schemas import make_batch
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from aiops_nb.session import watch as watch_module
from aiops_nb.session.earlier_run import pipeline_of
from aiops_nb.session.plan import plan_run
from tests.property.digests import StepDigest, digest_of
from tests.unit.monitor.test_monitor import CLOSED_PORT, Reached

S = 1_000_000_000
T0 = 1_780_000_000 * S


class Minutes:
    """Two targets a second on a clock that goes with the rows."""

    name = "web"

    def __init__(self, clock, seconds, seed):
        self._clock, self._left, self._rng = clock, seconds, np.random.default_rng(seed)

    def poll(self, timeout_seconds):
        if not self._left:
            return None
        self._left -= 1
        self._clock.advance(1.0)
        columns = {
            "time": [self._clock.now_ns() - 1000, self._clock.now_ns() - 500],
            "origin": "probe",
            "target": ["a", "b"],
            "status_code": [200, 200],
            "duration_seconds": self._rng.lognormal(-3, 0.1, 2),
        }
        return make_batch("requests", self.name, columns)

    def close(self):
        pass


def run_of(path, clock, seconds, seed, digest, earlier=None, params=None):
    params = params or PipelineParams()
    run = LiveRun([Minutes(clock, seconds, seed)], Recorder(path), params, digest.write, clock, earlier=earlier)
    run.start()
    assert run.wait(60) and not run.problems()
    run.stop()
    return run


@pytest.mark.parametrize("handed_over", ["in memory", "by the recording", "not at all"])
def test_live_equals_replay_across_a_stop_and_the_baseline_is_kept(tmp_path, handed_over):
    clock, digest = ManualClock(start_ns=T0), StepDigest()
    first = run_of(tmp_path / "r", clock, 90, 1, digest)
    clock.advance(20)
    earlier = {
        "in memory": lambda: first.pipeline_at_end,
        "by the recording": lambda: pipeline_of(plan_run([], {"host_metrics": True}, record=str(tmp_path / "r"))),
        "not at all": lambda: None,
    }[handed_over]()
    second_began = clock.now_ns()
    run_of(tmp_path / "r", clock, 30, 2, digest, earlier)
    assert digest_of(RecordingReader(tmp_path / "r").items())[0].result() == digest.result()
    recording = aiops_nb.open_recording(tmp_path / "r")
    scores = recording.scores(start=np.datetime64(second_began + 5 * S, "ns"))
    judged = scores[(scores.alertname == "latency_p95_anomaly") & scores.score.notna()]
    assert (len(judged) > 0) == (handed_over != "not at all")
    assert recording.alerts().empty


def test_other_parameters_begin_anew(tmp_path):
    clock, digest = ManualClock(start_ns=T0), StepDigest()
    first = run_of(tmp_path / "r", clock, 60, 1, digest)
    other = load_config({"pipeline": {"disable": ["http_4xx"]}}).pipeline
    clock.advance(5)
    run_of(tmp_path / "r", clock, 10, 2, digest, first.pipeline_at_end, other)
    assert digest_of(RecordingReader(tmp_path / "r").items())[0].result() == digest.result()


def test_a_restarted_watch_judges_at_once(tmp_path):
    seen = Reached(lambda step: step.item.table == "requests")
    with aiops_nb.watch(CLOSED_PORT, interval_seconds=0.2, record=tmp_path / "r", sinks=[seen]) as monitor:
        assert seen.wait(15)
        monitor.stop()
        seen.clear()
        monitor.start()
        assert seen.wait(15)
        assert monitor.thresholds()["latency_p95_anomaly"] == 6.0
    again = aiops_nb.replay(tmp_path / "r")
    assert again.features().equals(monitor.features()) and again.alerts().equals(monitor.alerts())


def test_a_long_recording_is_not_replayed_first(tmp_path):
    aiops_nb.from_synthetic(2_000, seed=1, targets=1, rate_hz=0.2, record=tmp_path / "r")
    began = time.monotonic()
    assert pipeline_of(plan_run([], {}, record=str(tmp_path / "r"))) is None
    assert time.monotonic() - began < 5 and threading.active_count() < 20


@pytest.mark.parametrize(("first", "second", "kept"), [(None, None, True), ("r", "r", True), ("r", "other", False)])
def test_a_rerun_cell_keeps_the_baselines_of_the_same_recording(tmp_path, monkeypatch, first, second, kept):
    def cell(run, record):
        request = {"metadata": {"cellId": "c1"}, "header": {"msg_id": run}}
        monkeypatch.setattr(watch_module, "running_request", lambda: request)
        seen = Reached(lambda step: step.item.table == "requests")
        path = None if record is None else tmp_path / record
        monitor = aiops_nb.watch(CLOSED_PORT, interval_seconds=0.2, record=path, sinks=[seen])
        assert seen.wait(15)
        return monitor

    earlier = cell("m1", first)
    again = cell("m2", second)
    again.stop()
    assert not earlier.running
    assert (again.last_run.pipeline_at_end is earlier.last_run.pipeline_at_end) == kept
