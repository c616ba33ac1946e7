"""The buttons of a replay, over a real one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import aiops_nb
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.view.charts.board import Selection
from aiops_nb.view.widgets.replay_tools import ReplayTools


def eventually(condition: Callable[[], bool]) -> bool:
    waited = threading.Event()
    return any(condition() or waited.wait(0.05) for _ in range(200))


def test_a_replay_is_paused_stepped_and_sped_up_from_the_dashboard(tmp_path: Path) -> None:
    aiops_nb.from_synthetic(60, seed=3, record=tmp_path / "r")
    replay: Monitor = aiops_nb.replay(tmp_path / "r", speed=0.7)
    try:
        with replay.dashboard() as dashboard:
            screen = dashboard.screen()
            assert replay.recording == str(tmp_path / "r")
            screen.board.select(Selection(start_ns=1, end_ns=2, targets=()))
            dashboard._draw()
            assert screen.selection.can_replay and not screen.selection.can_command
            tools = screen.replay
            assert tools.speed.value == 0.7 and tools.pause.layout.display is None and tools.step.disabled
            tools.pause.click()
            assert replay.pace is not None and replay.pace.paused
            dashboard._draw()
            assert (screen.status.state, tools.pause.description, tools.step.disabled) == ("paused", "Resume", False)
            assert not screen.figure._live  # or the page would say that the kernel sends nothing
            before = replay.counters.ticks_total
            tools.step.click()
            tools.step.click()
            tools.step.click()
            assert eventually(lambda: replay.counters.ticks_total > before)
            tools.speed.value = 300.0
            assert replay.pace.speed == 300.0
            tools.pause.click()
            assert replay.wait(20)
            dashboard._draw()
            assert screen.status.state == "ended" and tools.pause.layout.display == "none"
    finally:
        replay.stop()


def test_what_is_no_replay_has_no_such_buttons() -> None:
    tools = ReplayTools(aiops_nb.from_synthetic(3))
    tools.report(running=True)
    tools.pause.click()
    assert {widget.layout.display for widget in tools.widgets} == {"none"}
