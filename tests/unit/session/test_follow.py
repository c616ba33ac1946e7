"""`follow`: a second view of a recording that another process writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import aiops_nb
from aiops_nb.core.errors import AiopsError, ConfigError, RecordingError
from aiops_nb.monitor.answering.control import Obey, ask
from tests.ports import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no Unix sockets on Windows")
CONFIG = {"host_metrics": False, "self_observation": None, "interval": "200ms", "timeout": "100ms"}
WRITER = """
import sys, threading, aiops_nb
with aiops_nb.watch(sys.argv[1], record=sys.argv[2], config={"host_metrics": False, "interval": "200ms"}) as monitor:
    monitor.listen()
    print("up", flush=True)
    sys.stdin.read()
"""
SAID_WITHIN_SECONDS = 5.0


@pytest.fixture(scope="module", autouse=True)
def own_runtime_folder(tmp_path_factory):
    """A runtime folder of this file alone; short, because the path of a socket is limited to 107 bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        yield


def wait_for(condition, seconds=20.0):
    """Seconds until the condition held."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + seconds
        time.sleep(0.02)
    return time.monotonic() - begun


class Bytes:
    """A sink: every change of an alert as text, and the rows."""

    def __init__(self):
        self.changes, self.rows, self.probed = [], 0, threading.Event()

    def write(self, step):
        self.changes += [repr(change) for change in step.changes]
        self.rows += step.item.batch.num_rows if step.item.table == "requests" else 0

    def close(self):
        pass


@pytest.fixture(scope="module")
def target():
    return f"http://127.0.0.1:{free_port()}/<img/src=x/onerror=alert(1)>"


def test_alerts_are_those_of_the_monitor_to_the_byte_and_answers_reach_it(tmp_path, target):
    live, followed = Bytes(), Bytes()
    with aiops_nb.watch(target, record=tmp_path / "r", config=CONFIG, sinks=[live]) as monitor:
        wait_for(monitor.firing)
        with aiops_nb.follow(tmp_path / "r", sinks=[followed]) as follower:
            assert follower.mode == "follow" and follower.watched is None
            wait_for(follower.firing)
            assert follower.writer == "writing" and follower.warnings() == []
            with pytest.raises(ConfigError, match=r"cannot be reached: it must run.*monitor\.listen"):
                follower.acknowledge("request_failed")
            monitor.listen()
            follower.acknowledge("request_failed", note="<img src=x onerror=alert(2)>", author="ann")
            silence = follower.silence('severity="info"', duration="1h", author="ben")
            wait_for(lambda: follower.firing()[0].acknowledged)
            assert monitor.firing()[0].acknowledged_by == "ann"
            wait_for(lambda: silence in set(follower.silences()["id"]))
            with pytest.raises(ConfigError, match="a fingerprint or an alertname"):
                follower.acknowledge("nothing_like_it")
            monitor.stop()
            wait_for(lambda: follower.writer == "gone" and followed.rows == live.rows)
            assert any("has stopped" in line for line in follower.warnings())
            wait_for(lambda: not follower.firing())
        assert follower.state == "finished"
    assert followed.changes == live.changes and len(live.changes) > 2
    alerts = aiops_nb.open_recording(tmp_path / "r").alerts()
    assert follower.alerts().equals(alerts) and aiops_nb.replay(tmp_path / "r").alerts().equals(alerts)


def test_a_writer_that_hangs_or_dies_is_reported_and_following_goes_on(tmp_path, target):
    command = [sys.executable, "-c", WRITER, target, str(tmp_path / "r")]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdout.readline() == "up\n"
    with aiops_nb.follow(tmp_path / "r") as follower:
        wait_for(lambda: follower.progress_ratio is None and follower.firing())
        os.kill(first.pid, signal.SIGSTOP)
        assert wait_for(lambda: follower.writer == "silent") <= SAID_WITHIN_SECONDS
        assert "does not respond: no heartbeat for" in follower.warnings()[0]
        os.kill(first.pid, signal.SIGCONT)
        wait_for(lambda: follower.writer == "writing" and not follower.warnings())
        first.kill()
        first.communicate()
        assert wait_for(lambda: follower.writer == "gone") <= SAID_WITHIN_SECONDS
        with aiops_nb.watch(target, record=tmp_path / "r", config=CONFIG):
            wait_for(lambda: follower.writer == "writing" and follower.firing())
        wait_for(lambda: follower.writer == "gone" and not follower.firing())
        rows = aiops_nb.open_recording(tmp_path / "r").requests()
        assert len(follower.requests()) == len(rows)
        assert follower.alerts().equals(aiops_nb.replay(tmp_path / "r").alerts())


def test_what_only_the_monitor_may_say_is_refused(tmp_path, target):
    with aiops_nb.watch(target, config=CONFIG) as monitor:
        for command in ({"type": "stop"}, {"type": "remove_target", "target": "x"}, {"type": "nonsense"}):
            with pytest.raises(AiopsError):
                ask(monitor.listen(), Obey(command=command))
        assert monitor.running


def test_a_recording_that_ended_is_read_and_waited_for(tmp_path, target):
    with aiops_nb.watch(target, record=tmp_path / "r", config=CONFIG) as monitor:
        wait_for(monitor.firing)
    with aiops_nb.follow(aiops_nb.open_recording(tmp_path / "r")) as follower:
        wait_for(lambda: follower.progress_ratio is None)
        assert follower.writer == "gone" and len(follower.alerts()) == 1


def test_a_recording_that_is_removed_ends_it(tmp_path, target):
    import shutil

    with aiops_nb.watch(target, record=tmp_path / "r", config=CONFIG) as monitor:
        wait_for(monitor.firing)
    follower = aiops_nb.follow(tmp_path / "r")
    wait_for(lambda: follower.progress_ratio is None)
    shutil.rmtree(tmp_path / "r")
    wait_for(lambda: not follower.running)
    assert any("the recording was removed" in line for line in follower.warnings())


def test_no_recording_is_one_sentence(tmp_path):
    with pytest.raises(RecordingError, match="not a recording"):
        aiops_nb.follow(tmp_path)
