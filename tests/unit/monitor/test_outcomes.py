"""Whatever sinks and collectors do, and however a process ends: the outcome is stated, and a stop returns."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

import aiops_nb
from aiops_nb.core.schemas import CLOCK_SOURCE, empty_batch, make_batch, table_of
from aiops_nb.engine.commands import SetThreshold, SourceEnded, Start, Stop, decode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor import live
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.tap import NullTap
from tests.unit.monitor.test_monitor import CLOSED_PORT, Reached, Rows

POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
NO_ERRORS = [SystemExit(3), asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()]


class Endless:
    """A row a poll, until it is closed."""

    def __init__(self, name="endless"):
        self.name, self._closed, self._number = name, threading.Event(), 0

    def poll(self, timeout_seconds):
        if self._closed.wait(0.005):
            return None
        self._number += 1
        columns = {"time": [time.time_ns()], "target": ["h"], "metric": ["m"], "value": [float(self._number)]}
        return make_batch("samples", self.name, columns)

    def close(self):
        self._closed.set()


class Raising:
    """A sink that raises at every step."""

    def __init__(self, problem):
        self._problem = problem

    def write(self, step):
        raise self._problem

    def close(self):
        pass


class Stuck:
    """A sink that does not return until it is let go."""

    def __init__(self):
        self.entered, self.release = threading.Event(), threading.Event()

    def write(self, step):
        if step.item.table == "samples":
            self.entered.set()
            self.release.wait(60)

    def close(self):
        pass


@contextmanager
def letting_go(sink):
    try:
        yield sink
    finally:
        sink.release.set()


def run_of(*collectors, tap=None, sinks=()):
    monitor = Monitor(lambda deliver: LiveRun(collectors, tap or NullTap(), PipelineParams(), deliver))
    for sink in sinks:
        monitor.add_sink(sink)
    return monitor


@pytest.mark.parametrize("problem", [*NO_ERRORS, MemoryError("none left")], ids=lambda one: type(one).__name__)
def test_whatever_a_sink_raises_the_stream_goes_on(problem):
    monitor = run_of(Rows(batches=5), sinks=[Raising(problem)])
    monitor.start()
    assert monitor.wait(15)
    monitor.stop()
    assert len(monitor.samples()) == 5 and monitor.counters.sink_errors_total >= 5
    assert any(line.startswith("sink Raising: ") for line in monitor.warnings())
    assert not any(line.startswith("engine") for line in monitor.warnings())


@pytest.mark.parametrize("problem", NO_ERRORS, ids=lambda one: type(one).__name__)
def test_whatever_a_collector_raises_it_is_polled_again(problem):
    monitor = run_of(Rows(problem))
    monitor.start()
    assert monitor.wait(15)
    monitor.stop()
    assert monitor.counters.poll_errors_total == 1 and len(monitor.samples()) == 3


def test_an_interrupt_of_a_replay_in_the_main_thread_reaches_the_caller(tmp_path):
    aiops_nb.from_synthetic(5, seed=1, targets=1, record=tmp_path / "r")
    with pytest.raises(KeyboardInterrupt):
        aiops_nb.replay(tmp_path / "r", sinks=[Raising(KeyboardInterrupt())])


def test_a_sink_that_never_returns_holds_no_stop_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "STOP_SECONDS", 2.0)
    with letting_go(Stuck()) as stuck:
        monitor = run_of(Endless(), tap=Recorder(tmp_path / "r"), sinks=[stuck])
        monitor.start()
        assert stuck.entered.wait(15)
        deadline = time.monotonic() + 15
        while monitor.counters.queued_batches < 5 and time.monotonic() < deadline:
            monitor.wait(0.02)
        while not any("Stuck: has not returned" in line for line in monitor.warnings()) and time.monotonic() < deadline:
            monitor.wait(0.05)
        assert any("Stuck: has not returned" in line for line in monitor.warnings())
        began = time.monotonic()
        monitor.stop()
        assert time.monotonic() - began < 6 and not monitor.running
        assert any("engine: stopped: it did not end within" in line for line in monitor.warnings())
        recording = aiops_nb.open_recording(tmp_path / "r")
        rows = recording.samples()
        assert len(rows) > 5 and recording.repairs == () and not recording.is_live
    assert rows.value.tolist() == [float(number) for number in range(1, len(rows) + 1)]


def test_collectors_that_never_end_are_left_behind_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "COLLECTOR_SECONDS", 1.0)
    release = threading.Event()

    class Hanging(Endless):
        def poll(self, timeout_seconds):
            release.wait(60)

        def close(self):
            release.wait(60)

    monitor = run_of(Hanging("hanging"), Endless("good"), tap=Recorder(tmp_path / "r"))
    monitor.start()
    monitor.wait(0.3)
    began = time.monotonic()
    monitor.stop()
    try:
        assert time.monotonic() - began < 8 and not monitor.running
        assert any("hanging: did not end within" in line for line in monitor.warnings())
        assert aiops_nb.open_recording(tmp_path / "r").repairs == ()
    finally:
        release.set()


def test_a_tap_that_breaks_ends_the_run_and_says_so():
    class Broken(NullTap):
        def write(self, batch):
            if table_of(batch) == "samples":
                raise RuntimeError("no descriptors left")
            return super().write(batch)

    monitor = run_of(Endless(), Endless("other"), tap=Broken())
    monitor.start()
    assert monitor.wait(15)
    began = time.monotonic()
    monitor.stop()
    assert time.monotonic() - began < 5
    assert any("engine: stopped: RuntimeError: no descriptors left" in line for line in monitor.warnings())


def test_commands_to_a_run_that_has_ended_return_at_once():
    run = LiveRun([Rows()], NullTap(), PipelineParams(), lambda step: None)
    run.start()
    assert run.wait(15)
    run.stop()
    for _ in range(600):
        run.command('{"type": "stop"}')
    assert run.queued_batches() == 0


def test_a_sink_may_stop_the_run():
    class Stopping:
        def write(self, step):
            if step.item.table == "samples":
                monitor.stop()

        def close(self):
            pass

    monitor = run_of(Endless(), sinks=[Stopping()])
    monitor.start()
    assert monitor.wait(15) and not monitor.running
    monitor.stop()


EXIT = """
import sys, threading, aiops_nb
seen = threading.Event()
class Look:
    def write(self, step):
        if step.item.table == "requests":
            seen.set()
    def close(self):
        pass
monitor = aiops_nb.watch("http://127.0.0.1:9/dead", interval_seconds=0.2, record=sys.argv[1], sinks=[Look()])
assert seen.wait(30)
"""


def test_an_exit_without_a_stop_seals_the_recording(tmp_path):
    folder = tmp_path / "r"
    done = subprocess.run([sys.executable, "-c", EXIT, str(folder)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    recording = aiops_nb.open_recording(folder)
    assert recording.repairs == () and len(recording.requests()) and list(folder.rglob("*.arrows")) == []
    last = list(recording.reader.items())[-1]
    assert isinstance(decode_command(last.batch.column("body")[0].as_py()), Stop)


FORK = """
import os, sys, threading, aiops_nb
seen = threading.Event()
class Look:
    def write(self, step):
        if step.item.table == "requests":
            seen.set()
    def close(self):
        pass
monitor = aiops_nb.watch("http://127.0.0.1:9/dead", interval_seconds=0.2, record=sys.argv[1], sinks=[Look()])
assert seen.wait(30)
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    assert not monitor.running and monitor.wait(1)
    monitor.command({"type": "stop"})
    monitor.stop()
    os.close(writing)
    os.read(reading, 1)  # until the parent is done: the child is alive all the while
    sys.exit(0)  # with its atexit handlers
seen.clear()
assert seen.wait(30) and monitor.running
monitor.stop()
again = aiops_nb.watch([], record=sys.argv[1])  # the child does not keep the writer's lock
again.stop()
os.close(writing)
assert os.waitpid(child, 0)[1] == 0
"""


@POSIX
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_touches_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path / "r")], capture_output=True, text=True, timeout=90
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert aiops_nb.open_recording(tmp_path / "r").repairs == ()


def commands_of(recording):
    bodies = [
        body
        for item in recording.reader.items()
        if item.table == "control"
        for kind, body in zip(item.batch.column("kind").to_pylist(), item.batch.column("body").to_pylist(), strict=True)
        if kind == "command"
    ]
    return [decode_command(body) for body in bodies]


def test_everything_that_changes_an_alert_is_recorded(tmp_path):
    seen = Reached(lambda step: step.item.table == "requests")
    with aiops_nb.watch(CLOSED_PORT, interval_seconds=0.2, record=tmp_path / "r", sinks=[seen]) as monitor:
        assert seen.wait(15)
        monitor.set_threshold("latency_p95_anomaly", 9.0)
        monitor.wait(2.5)
    recording = aiops_nb.open_recording(tmp_path / "r")
    commands = commands_of(recording)
    assert isinstance(commands[0], Start) and isinstance(commands[-1], Stop)
    assert SetThreshold(alertname="latency_p95_anomaly", threshold=9.0) in commands
    assert {"http", "host"} & {one.source for one in commands if isinstance(one, SourceEnded)}
    beats = [item for item in recording.reader.items() if item.table == "control" and item.source == CLOCK_SOURCE]
    assert len(beats) >= 2


def test_a_silent_collector_still_moves_the_time():
    class Silent(Endless):
        def poll(self, timeout_seconds):
            return None if self._closed.wait(0.1) else empty_batch("samples")

    beats = Reached(lambda step: step.item.source == CLOCK_SOURCE and next(count) >= 2)
    count = iter(range(100))
    monitor = run_of(Silent(), sinks=[beats])
    monitor.start()
    assert beats.wait(15)
    monitor.stop()


def test_the_switch_interval_is_short_while_a_run_is_live():
    before = sys.getswitchinterval()
    first, second = run_of(Endless()), run_of(Endless("second"))
    first.start()
    second.start()
    assert first.wait(0.1) is False and sys.getswitchinterval() == pytest.approx(1e-3)
    first.stop()
    assert sys.getswitchinterval() == pytest.approx(1e-3)
    second.stop()
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize("speed", [5.0, 20.0])
def test_a_replay_keeps_its_speed(tmp_path, speed):
    aiops_nb.from_synthetic(20, seed=1, targets=1, record=tmp_path / "r")
    began = time.monotonic()
    replayed = aiops_nb.replay(tmp_path / "r", speed=speed)
    assert replayed.running and replayed.wait(60)
    assert time.monotonic() - began >= 18 / speed
    assert len(replayed.requests()) == len(aiops_nb.replay(tmp_path / "r").requests())


SUSPENDED = """
import os, signal, subprocess, sys, threading, time, aiops_nb
rows = []
class Look:
    def write(self, step):
        if step.item.table == "requests":
            rows.append(time.time())
    def close(self):
        pass
def waited(count):
    deadline = time.monotonic() + 40
    while len(rows) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(rows) >= count
url = "http://127.0.0.1:9/dead"
with aiops_nb.watch(url, interval_seconds=0.2, record=sys.argv[1], sinks=[Look()]) as monitor:
    assert waited(10)
    sleeper = subprocess.Popen([sys.executable, "-c", (
        "import os, signal, sys, time; os.kill(int(sys.argv[1]), signal.SIGSTOP); time.sleep(8); "
        "os.kill(int(sys.argv[1]), signal.SIGCONT)"), str(os.getpid())])
    before = len(rows)
    sleeper.wait()
    assert waited(before + 10), (before, len(rows), monitor.warnings())
    assert monitor.running
assert max(b - a for a, b in zip(rows, rows[1:])) > 6
print(*sorted(set(monitor.alerts().alertname)))
print(*monitor.warnings(), sep="; ")
"""


@POSIX
def test_a_suspended_process_goes_on_and_invents_no_alert(tmp_path):
    command = [sys.executable, "-c", SUSPENDED, str(tmp_path / "r")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    alerts, warnings = done.stdout.splitlines()
    assert set(alerts.split()) <= {"request_failed", "error_ratio_anomaly", "error_ratio_overall"}
    assert "engine" not in warnings
    recording = aiops_nb.open_recording(tmp_path / "r")
    assert recording.repairs == () and set(recording.alerts().alertname) == set(alerts.split())
