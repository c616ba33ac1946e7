"""Running a cell again ends what it had begun; another cell does not."""

from __future__ import annotations

import aiops_nb
from aiops_nb.session import watch as session
from aiops_nb.view.notebook_cell import running_cell


def request(cell, run):
    return {"metadata": {"cellId": cell}, "header": {"msg_id": run}}


def watched(monkeypatch, cell, run, **options):
    monkeypatch.setattr(session, "running_request", lambda: request(cell, run))
    return aiops_nb.watch([], **options)


def test_a_re_run_cell_replaces_its_monitor_and_takes_over_its_recording(monkeypatch, tmp_path):
    first = watched(monkeypatch, "cell", "run 1", record=tmp_path / "r")
    second = watched(monkeypatch, "cell", "run 2", record=tmp_path / "r")
    assert not first.running and second.running
    second.stop()


def test_one_run_may_begin_several_and_another_cell_stops_none(monkeypatch):
    monitors = [watched(monkeypatch, *at) for at in (("a", "1"), ("a", "1"), ("b", "2"))]
    assert all(monitor.running for monitor in monitors)
    for monitor in monitors:
        monitor.stop()


def test_outside_of_a_notebook_nothing_is_replaced():
    assert running_cell({}) == ("", "")
    with aiops_nb.watch([]) as first, aiops_nb.watch([]) as second:
        assert first.running and second.running
