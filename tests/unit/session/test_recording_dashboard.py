"""A recording in the dashboard: it fills in the background, shows how far it is, and is replayed once."""

from __future__ import annotations

import threading

import aiops_nb
from aiops_nb.record.recorder import Recorder


class Gate:
    """A sink that holds the replay after some steps, until it is opened."""

    def __init__(self):
        self._left = 100
        self.reached, self.opened = threading.Event(), threading.Event()

    def write(self, step):
        self._left -= 1
        if self._left > 0:
            return
        self.reached.set()
        assert self.opened.wait(30)

    def close(self):
        pass


def test_a_recording_fills_a_dashboard_and_is_replayed_once(tmp_path):
    made = aiops_nb.from_synthetic(600, seed=1, targets=2, record=tmp_path / "r")
    recording, gate = aiops_nb.open_recording(tmp_path / "r"), Gate()
    with recording.dashboard() as dashboard:
        source = dashboard.source
        source.add_sink(gate)
        assert gate.reached.wait(30)
        screen = dashboard.screen()
        screen.draw(running=True)
        assert screen.progress.layout.display is None and 0 < screen.progress.value < 1
        assert screen.progress.description.endswith("% read") and screen.status.state == "replaying"
        gate.opened.set()
        assert source.wait(30)
        source.stop()
        dashboard._draw()
        assert screen.progress.layout.display == "none" and screen.status.state == "ended"
        assert source.alerts().equals(made.alerts())
        assert {key.target for key in dashboard.store.series.keys} == set(made.requests().target)
    with recording.dashboard() as again:
        assert again.source is source and "2 targets" in repr(again)
    assert source.counters.rows_total == made.counters.rows_total


def test_an_empty_recording_is_an_empty_dashboard(tmp_path):
    Recorder(tmp_path / "r").close()
    with aiops_nb.open_recording(tmp_path / "r").dashboard() as dashboard:
        assert dashboard.source.wait(30) and "0 targets" in repr(dashboard)
