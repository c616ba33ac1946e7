"""A watch that is killed (SIGKILL) goes on in the same recording: nothing twice, every alert ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

import aiops_nb
from aiops_nb.core.errors import RecordingError
from aiops_nb.record.reader import RecordingReader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signal on Windows")
DEAD = "http://127.0.0.1:9/dead"
WATCH_UNTIL_KILLED = """
import sys, threading, aiops_nb
class Fired:
    def write(self, step):
        if any(change.state == "firing" for change in step.changes):
            print("fired", flush=True)
    def close(self):
        pass
with aiops_nb.watch(sys.argv[1], interval_seconds=0.1, record=sys.argv[2], sinks=[Fired()]):
    threading.Event().wait()
"""


class Seen:
    """A sink: an event when rows come."""

    def __init__(self):
        self.rows = threading.Event()

    def write(self, step):
        if step.item.table == "requests":
            self.rows.set()

    def close(self):
        pass


def kill_while_firing(path):
    command = [sys.executable, "-c", WATCH_UNTIL_KILLED, DEAD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "fired\n"
        with pytest.raises(RecordingError, match="writer"):  # while it lives there is no second one
            aiops_nb.watch(DEAD, record=path)
        os.kill(child.pid, signal.SIGKILL)


def test_it_goes_on_in_the_same_recording_twice(tmp_path):
    path = tmp_path / "r"
    for _ in range(2):
        kill_while_firing(path)
    assert "firing" in set(aiops_nb.open_recording(path).alerts().state)  # nobody has ended it yet
    seen = Seen()
    with aiops_nb.watch(DEAD, interval_seconds=0.1, record=path, sinks=[seen]) as monitor:
        assert seen.rows.wait(30)
        assert any("recording" in line for line in monitor.warnings())  # what had to be repaired
    seqs = [item.seq for item in RecordingReader(path).items()]
    assert seqs == list(range(len(seqs)))
    recording = aiops_nb.open_recording(path)
    alerts, rows = recording.alerts(), recording.requests()
    assert len(alerts) >= 2 and alerts.ends_at.notna().all() and set(alerts.outcome) == {"monitoring stopped"}
    assert not rows.duplicated(["time", "target"]).any() and rows.time.is_monotonic_increasing
    assert recording.unreadable == ()
    assert aiops_nb.replay(path).alerts().equals(alerts)
