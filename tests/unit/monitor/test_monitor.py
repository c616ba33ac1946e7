"""A monitor's life: it starts, stops, starts again, and survives its parts."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

import aiops_nb
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.core.schemas import make_batch
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.record.tap import NullTap

CLOSED_PORT = "http://127.0.0.1:9/dead"


class Reached(threading.Event):
    """A sink that is set once a condition on a step holds."""

    def __init__(self, condition):
        super().__init__()
        self._condition = condition

    def write(self, step):
        if self._condition(step):
            self.set()

    def close(self):
        pass


def fires(alertname):
    return Reached(lambda step: any(c.state == "firing" and c.labels["alertname"] == alertname for c in step.changes))


class Rows:
    """A collector of a few rows, one fault on the way."""

    name = "rows"

    def __init__(self, fault=None, batches=3):
        self._left, self._fault, self.closed = batches, fault, 0

    def poll(self, timeout_seconds):
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        self._left -= 1
        columns = {"time": [1_780_000_000_000_000_000], "target": ["h"], "metric": ["m"], "value": [1.0]}
        return make_batch("samples", self.name, columns) if self._left >= 0 else None

    def close(self):
        self.closed += 1


def monitor_of(*collectors, tap=None):
    return Monitor(lambda deliver: LiveRun(collectors, tap or NullTap(), PipelineParams(), deliver))


def test_a_dead_target_fires_and_names_the_kind():
    fired = fires("request_failed")
    with aiops_nb.watch(CLOSED_PORT, interval_seconds=0.2, sinks=[fired]) as monitor:
        assert fired.wait(15)
        assert [c.labels["alertname"] for c in monitor.firing()] == ["request_failed"]
    alert = monitor.alerts().query("alertname == 'request_failed'").iloc[0]
    assert (
        (alert.state, alert.outcome) == ("resolved", "monitoring stopped")
        and alert.severity == "critical"
        and "connect" in alert.summary
    )
    evidence = monitor.evidence(alert)
    assert len(evidence) >= 3 and (evidence.error_type == "connect").all() and evidence.status_code.isna().all()
    assert monitor.firing() == []


def test_stop_and_start_continue_one_recording(tmp_path):
    path = tmp_path / "recording"
    seen = Reached(lambda step: step.item.table == "requests")
    with aiops_nb.watch(CLOSED_PORT, interval_seconds=0.2, record=path, sinks=[seen]) as monitor:
        assert seen.wait(15)
        monitor.stop()
        assert not monitor.running
        seen.clear()
        monitor.start()
        assert seen.wait(15)
    replayed = aiops_nb.replay(path)
    assert replayed.requests().equals(monitor.requests())
    assert replayed.features().equals(monitor.features())


def test_a_second_writer_is_refused(tmp_path):
    with aiops_nb.watch([], record=tmp_path / "r"), pytest.raises(RecordingError, match="r"):
        aiops_nb.watch([], record=tmp_path / "r")


@pytest.mark.parametrize("fault", [OSError("network down"), RuntimeError("a bug of a plugin")])
def test_a_collector_that_fails_is_shown_and_polled_again(fault):
    collector = Rows(fault)
    monitor = monitor_of(collector)
    monitor.start()
    assert monitor.wait(15)
    monitor.stop()
    assert monitor.counters.poll_errors_total == 1 and len(monitor.samples()) == 3 and collector.closed >= 1


def test_a_clock_set_back_starts_the_windows_anew():
    clock = ManualClock()

    class Stepping:
        name = "stepping"

        def __init__(self):
            self.moments = [0.0, 1.0, 2.0, 3.0, -3600.0, 1.0, 1.0, 1.0]

        def poll(self, timeout_seconds):
            if not self.moments:
                return None
            if not judged.wait(10):
                raise OSError("the engine fell asleep")
            judged.clear()
            clock.advance(self.moments.pop(0))
            columns = {"time": [clock.now_ns()], "target": ["h"], "metric": ["m"], "value": [1.0]}
            return make_batch("samples", self.name, columns)

        def close(self):
            pass

    judged = Reached(lambda step: step.item.table == "samples")
    judged.set()
    monitor = Monitor(lambda deliver: LiveRun([Stepping()], NullTap(), PipelineParams(), deliver, clock))
    monitor.add_sink(judged)
    monitor.start()
    assert monitor.wait(15)
    monitor.stop()
    assert monitor.counters.late_total == 0 and any("set back by 36" in line for line in monitor.warnings())
    assert monitor.features("samples").value.notna().sum() == 8


def test_a_sink_that_fails_is_counted_and_stops_nothing():
    class Broken:
        def write(self, step):
            raise ValueError("no")

        def close(self):
            pass

    monitor = monitor_of(Rows())
    monitor.add_sink(Broken())
    monitor.start()
    assert monitor.wait(15)
    monitor.stop()
    assert monitor.counters.sink_errors_total > 2 and len(monitor.samples()) == 3
    assert any("Broken: no" in line for line in monitor.warnings())


def test_a_batch_of_a_foreign_schema_is_refused_and_named():
    class Foreign(Rows):
        def poll(self, timeout_seconds):
            batch = super().poll(timeout_seconds)
            return batch if batch is None else batch.rename_columns([*batch.schema.names[:-1], "wert"])

    monitor = monitor_of(Foreign())
    monitor.start()
    assert monitor.wait(15)
    monitor.stop()
    assert any("expected the columns" in line for line in monitor.warnings())


def test_a_malformed_command_is_refused():
    with aiops_nb.watch([]) as monitor, pytest.raises(ConfigError, match=r"command: .*thresh"):
        monitor.command({"type": "set_thresh"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"targets": "example.org"}, r"targets\[0\].url: expected http"),
        ({"targets": "http://joe:pw@exa mple.org/?token=1"}, "expected"),
        ({"targets": 5}, "targets"),
        ({"targets": [], "interval_seconds": -1}, "interval_seconds: expected a number > 0, got -1"),
        ({"targets": [], "config": {"pipelines": {}}}, "expected a known key, got .pipelines."),
        ({"targets": [], "config": "/nowhere.yaml"}, "nowhere.yaml"),
        ({"targets": [], "config": {"pipeline": {"window": {"tick_seconds": "x"}}}}, "pipeline.window.tick_seconds"),
    ],
)
def test_a_mistake_is_named_and_starts_nothing(arguments, said):
    before = threading.active_count()
    with pytest.raises(ConfigError, match=said) as raised:
        aiops_nb.watch(**arguments)
    assert "pw" not in str(raised.value) and "token" not in str(raised.value)
    assert threading.active_count() == before


def test_a_password_in_a_url_is_nowhere_in_the_recording(tmp_path):
    fired = fires("request_failed")
    url = "http://joe:hunter2@127.0.0.1:9/a?token=s3cret"
    with aiops_nb.watch(url, interval_seconds=0.2, record=tmp_path / "r", sinks=[fired]) as monitor:
        assert fired.wait(15)
    written = b"".join(path.read_bytes() for path in (tmp_path / "r").rglob("*") if path.is_file())
    shown = repr(monitor) + monitor.alerts().to_csv() + monitor.requests().to_csv()
    assert b"hunter2" not in written and b"s3cret" not in written and b"127.0.0.1:9/a" in written
    assert "hunter2" not in shown and "s3cret" not in shown


DISK_FULL = """
import resource, signal, sys, threading
import aiops_nb
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
stopped, after = threading.Event(), threading.Event()
class Look:
    def write(self, step):
        if stopped.is_set() and step.ticks:
            after.set()
        if any(change.labels["alertname"] == "recording_stopped" for change in step.changes):
            stopped.set()
    def close(self):
        pass
with aiops_nb.watch("http://127.0.0.1:9/dead", interval_seconds=0.02, record=sys.argv[1], sinks=[Look()]) as monitor:
    assert stopped.wait(60) and after.wait(30), monitor.warnings()
print([line for line in monitor.warnings() if "recording stopped" in line][0])
print(len(aiops_nb.open_recording(sys.argv[1]).requests()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit there")
def test_a_full_disk_stops_the_recording_and_nothing_else(tmp_path):
    command = [sys.executable, "-c", DISK_FULL, str(tmp_path / "r")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    warning, rows = done.stdout.strip().splitlines()
    assert "recording stopped" in warning and int(rows) > 50


def test_a_monitor_says_what_it_is_and_how_it_does(tmp_path):
    live = monitor_of(Rows())
    assert (live.mode, live.state, live.progress_ratio) == ("live", "not started", None)
    live.start()
    assert live.wait(15)
    live.stop()
    assert live.state == "stopped" and repr(live) == "<Monitor live, stopped: 3 rows, 0 alerts firing>"
    assert aiops_nb.from_synthetic(5, seed=1, targets=1, record=tmp_path / "day").mode == "synthetic"
    replayed = aiops_nb.replay(tmp_path / "day")
    assert (replayed.mode, replayed.title, replayed.state, replayed.progress_ratio) == (
        "replay",
        "day",
        "finished",
        1.0,
    )
    assert repr(replayed).startswith("<Monitor replay of day, finished: ")
    assert "replay of day, finished" in replayed._repr_html_()
    assert "requests" in aiops_nb.open_recording(tmp_path / "day")._repr_html_()


def test_a_paced_replay_shows_how_far_it_is(tmp_path):
    aiops_nb.from_synthetic(30, seed=1, targets=1, record=tmp_path / "r")
    middle = Reached(lambda step: 0.3 < (replayed.progress_ratio or 0) < 0.9)
    replayed = aiops_nb.Monitor(lambda deliver: None)
    replayed = aiops_nb.replay(tmp_path / "r", speed=20)
    replayed.add_sink(middle)
    assert middle.wait(15) and replayed.wait(15)
    replayed.stop()
    assert replayed.progress_ratio == 1.0


def test_text_from_outside_is_escaped_in_a_notebook(tmp_path):
    class Named(Rows):
        name = "<script>alert(1)</script>"

        def poll(self, timeout_seconds):
            raise OSError("<img src=x onerror=alert(2)>")

    monitor = monitor_of(Named())
    monitor.start()
    deadline = threading.Event()
    while not monitor.counters.poll_errors_total:
        deadline.wait(0.01)
    html = monitor._repr_html_()
    monitor.stop()
    assert "<script" not in html and "<img" not in html and "&lt;img" in html


@pytest.mark.parametrize(
    ("rule", "value", "said"),
    [
        ("latency_p59_anomaly", 8.0, "did you mean latency_p95_anomaly"),
        ("http_5xx", 8.0, "http_5xx has no threshold that can be moved; these have one: "),
        ("latency_p95_anomaly", -1, "value: expected a number > 0, got -1"),
        ("latency_p95_anomaly", float("nan"), "value: expected a number > 0, got nan"),
        ("latency_p95_anomaly", "8", "value: expected a number > 0"),
        ("latency_p95_anomaly", True, "value: expected a number > 0"),
        ("client_flood", 0.5, "a number >= 1, got 0.5"),
        (None, 8.0, "expected a rule with a threshold, got None"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(rule, value, said):
    with aiops_nb.watch([]) as monitor:
        with pytest.raises(ConfigError) as raised:
            monitor.set_threshold(rule, value)
        assert said in str(raised.value)
        if isinstance(value, float) and rule:  # so is the same as a command
            with pytest.raises(ConfigError):
                monitor.command({"type": "set_threshold", "alertname": rule, "threshold": value})
        assert monitor.thresholds()["latency_p95_anomaly"] == 6.0


def test_a_threshold_is_moved_while_it_runs():
    with aiops_nb.watch([]) as monitor:
        monitor.set_threshold("latency_p95_anomaly", 9)
        assert monitor.thresholds()["latency_p95_anomaly"] == 9.0
    with pytest.raises(ConfigError, match="expected a running monitor, got one that is stopped"):
        monitor.set_threshold("latency_p95_anomaly", 9)
