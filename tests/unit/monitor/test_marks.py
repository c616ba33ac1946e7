"""Marks: commands of the stream that change nothing and are found again in frames, recordings and replays."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pandas as pd
import pytest

import aiops_nb
from aiops_nb.cli.app import main
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch
from aiops_nb.core.types import Item
from aiops_nb.engine.commands import Mark, encode_command
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.monitor.monitor import Monitor
from tests.ports import free_port

CONFIG = {"host_metrics": False, "self_observation": None, "interval": "200ms", "timeout": "100ms"}
HOSTILE = 'deploy <img src=x onerror=alert(1)>"},{"type":"stop'


def eventually(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Monitor, Path]:
    """A recorded run with three marks, one of them taken back."""
    folder = tmp_path_factory.mktemp("marks") / "r"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        with aiops_nb.watch(f"http://127.0.0.1:{free_port()}/health", record=folder, config=CONFIG) as monitor:
            path = monitor.listen()
            monitor.mark(HOSTILE, target="shop", author="anna")
            wrong = monitor.mark("wrong")
            monitor.unmark(wrong)
            assert (
                main(["mark", "rollout", "--at", "2026-01-01T00:00:00Z", "--author", "ci", "--socket", str(path)]) == 0
            )
            eventually(lambda: len(monitor.marks()) == 2 and "rollout" in set(monitor.marks().text))
    return monitor, folder


def test_marks_are_listed_by_time_with_target_and_author(marked: tuple[Monitor, Path]) -> None:
    marks = marked[0].marks()
    assert marks.text.tolist() == ["rollout", HOSTILE] and marks.target.tolist() == ["", "shop"]
    assert marks.author.tolist() == ["ci", "anna"] and marks.time[0] == pd.Timestamp("2026-01-01", tz="UTC")
    assert len(marked[0].marks(start="2026-01-02")) == 1


def test_a_recording_and_its_replay_have_the_same_marks(marked: tuple[Monitor, Path]) -> None:
    monitor, folder = marked
    pd.testing.assert_frame_equal(aiops_nb.open_recording(folder).marks(), monitor.marks())
    pd.testing.assert_frame_equal(aiops_nb.replay(folder).marks(), monitor.marks())


def test_what_moved_begins_with_the_marks_of_the_last_half_hour(marked: tuple[Monitor, Path]) -> None:
    moved = aiops_nb.open_recording(marked[1]).what_moved("-1s")
    assert moved.iloc[0].metric == HOSTILE and moved.iloc[0].change == "mark"
    assert (moved.table == "marks").sum() == 1 and "<img" not in moved._repr_html_()


def test_a_mark_changes_nothing_in_the_engine() -> None:
    body = encode_command(Mark(id="m", text="deploy"))
    step = Pipeline().push(Item(0, "control", "user", control_batch("user", "command", 1, body)))
    assert not step.ticks and not step.changes


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001])
def test_a_mark_needs_a_text(text: str) -> None:
    with (
        aiops_nb.watch(f"http://127.0.0.1:{free_port()}/", config=CONFIG) as monitor,
        pytest.raises(ConfigError, match="text: expected 1 to 2,000 characters"),
    ):
        monitor.mark(text)


def test_nothing_is_marked_where_nothing_runs() -> None:
    with pytest.raises(ConfigError, match="mark: expected a running monitor"):
        Monitor(make_run=lambda deliver: None).mark("deploy")
