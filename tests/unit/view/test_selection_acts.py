"""What a page does with a selected range: commands of the stream, files, code; each command can be taken back."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from bokeh.models.tools import HoverTool

import aiops_nb
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch
from aiops_nb.core.types import NS_PER_SECOND, Item, Step
from aiops_nb.engine.commands import Mark, Silence, decode_command, encode_command
from aiops_nb.view.charts.board import Selection
from aiops_nb.view.dashboard import Dashboard
from aiops_nb.view.selection_acts import SelectionActs
from tests.unit.view.rows import T0, HandSource, alert, heartbeat_step, request_step, requests_tick
from tests.unit.view.test_dashboard import column, eventually

TARGETS = ("http://h/a.b", 'x"{}|\\')


class Rows(HandSource):
    """A source with rows, and maybe a recording."""

    recording: str | None = None

    def requests(self, **bounds: object) -> pd.DataFrame:
        """Two rows."""
        self.asked = bounds
        return pd.DataFrame({"target": ["http://h/a.b", "other"], "status_code": [200, 500]})


@dataclass
class Files:
    """Where files go."""

    name: str = ""
    contents: bytes = b""

    def answer(self, field: str, problem: str = "", done: str = "") -> None:
        """Nothing."""

    def offer_file(self, name: str, contents: bytes) -> None:
        """Keep it."""
        self.name, self.contents = name, contents


def acts_of(source: Rows, targets: tuple[str, ...] = TARGETS) -> tuple[SelectionActs, Files]:
    selection, files = Selection(start_ns=T0, end_ns=T0 + NS_PER_SECOND, targets=targets), Files()
    return SelectionActs(source, lambda: selection, files), files


def decoded(command: dict[str, object]) -> object:
    import msgspec

    return decode_command(msgspec.json.encode(command).decode())


@pytest.mark.parametrize("targets", [TARGETS, TARGETS[:1], TARGETS[1:]])
def test_a_silence_covers_exactly_the_targets_of_the_chart_and_can_be_undone(targets: tuple[str, ...]) -> None:
    source = Rows()
    acts, _ = acts_of(source, targets)
    acts.acts["silence_selection"]({"seconds": 7200})
    silence = decoded(source.commands[0])
    assert isinstance(silence, Silence) and silence.hold_seconds == 7200
    [matcher] = silence.from_moment(0).matchers
    assert [matcher.matches({"target": one}) for one in TARGETS] == [one in targets for one in TARGETS]
    assert not matcher.matches({"target": "http://h/aXb"})
    assert acts.undo_text.startswith("silenced ")
    acts.acts["undo"]({})
    assert source.commands[1]["type"] == "end_silence" and source.commands[1]["id"] == silence.id
    assert acts.undo_text == "" and acts.acts["undo"]({}) == "nothing to undo"


def test_a_mark_is_set_at_the_start_of_the_range_and_taken_back() -> None:
    source = Rows()
    acts, _ = acts_of(source, TARGETS[:1])
    assert acts.acts["mark_selection"]({"text": " deploy <v42> "}).startswith("marked deploy")
    mark = decoded(source.commands[0])
    assert isinstance(mark, Mark) and (mark.text, mark.target, mark.at_ns) == ("deploy <v42>", TARGETS[0], T0)
    acts.acts["undo"]({})
    assert source.commands[1] == {"type": "unmark", "id": mark.id, "author": mark.author}


def test_rows_of_the_targets_are_exported_with_their_range() -> None:
    source = Rows()
    acts, files = acts_of(source)
    assert acts.acts["export_selection"]({}) == "1 rows in selection.csv"
    assert b"other" not in files.contents and b"a.b" in files.contents
    assert source.asked["start"] == pd.Timestamp(T0, tz="UTC")


def test_the_code_of_a_replay_is_code() -> None:
    source = Rows()
    acts, _ = acts_of(source)
    with pytest.raises(ConfigError, match="not recorded"):
        acts.acts["replay_selection"]({})
    source.recording = "folder with ' and \\"
    code = acts.acts["replay_selection"]({})
    assert repr(source.recording) in code and "2026-05-28T20:26:40" in code
    ast.parse(code)


@pytest.mark.parametrize(
    ("kind", "request_", "problem"),
    [
        ("silence_selection", {"seconds": 0}, "seconds"),
        ("silence_selection", {"seconds": 1e9}, "at most"),
        ("mark_selection", {"text": "  "}, "write what was done"),
        ("mark_selection", {"text": "x" * 3000}, "write what was done"),
    ],
)
def test_what_cannot_be_done_is_said(kind: str, request_: dict[str, object], problem: str) -> None:
    acts, _ = acts_of(Rows())
    with pytest.raises(ConfigError, match=problem):
        acts.acts[kind](request_)
    assert acts.undo_text == ""


def test_without_a_range_or_a_running_monitor_nothing_is_done() -> None:
    source = Rows()
    with pytest.raises(ConfigError, match="expected a range"):
        SelectionActs(source, lambda: None, Files()).acts["silence_selection"]({"seconds": 60})
    source.stop()
    with pytest.raises(ConfigError, match="stopped"):
        acts_of(source)[0].acts["silence_selection"]({"seconds": 60})


def mark_step(text: str, at_ns: int) -> Step:
    body = encode_command(Mark(id="m1", text=text, target="http://h/a"))
    return Step(Item(0, "control", "user", control_batch("user", "command", at_ns, body)))


def test_marks_are_drawn_in_every_chart_and_those_that_were_taken_back_are_not() -> None:
    steps = [heartbeat_step(T0, [requests_tick(T0, ["http://h/a"], [0.1])]), mark_step("deploy <b>v42</b>", T0)]
    source = HandSource([request_step([T0], ["http://h/a"], [0.1]), *steps])
    with Dashboard(source) as dashboard:
        board = dashboard.screen().board
        assert column(board, "marks", "time") == [T0 / 1e6]
        for root in board.roots:
            assert len(root.select({"name": "marks"})) == 1
            for tool in root.select({"type": HoverTool}):  # of a mark it would show columns that a mark has not
                columns = [set(renderer.data_source.column_names) for renderer in tool.renderers]
                asked = {name.strip("{}") for _, row in tool.tooltips for name in re.findall(r"@(\w+)", row)}
                assert all(asked <= known for known in columns)
        text = board._marks.placed.data["text"][0]
        assert "v42" in text and "<" not in text
        unmark = control_batch("user", "command", T0 + 1, '{"type":"unmark","id":"m1"}')
        source.deliver(Step(Item(0, "control", "user", unmark)))
        assert eventually(lambda: column(board, "marks", "time") == [])


def test_a_label_is_kept_next_to_the_recording_drawn_and_taken_back(tmp_path: Path) -> None:
    aiops_nb.from_synthetic(30, seed=3, targets=["/a", "/b"], record=tmp_path / "r")
    replayed = aiops_nb.replay(tmp_path / "r")
    with replayed.dashboard() as dashboard:
        screen = dashboard.screen()
        first = screen.board.start_ns
        screen.board.select(Selection(start_ns=first, end_ns=first + NS_PER_SECOND, targets=("/a",)))
        dashboard._draw()
        assert screen.selection.can_label and screen.selection.can_replay and not screen.selection.can_command
        request = {"kind": "label_selection", "field": "selection", "kind_of_label": "slow", "text": "<b>deploy</b>"}
        screen._take_of_selection(request)
        assert eventually(lambda: screen.selection.undo == "labelled slow")
        [label] = aiops_nb.open_recording(tmp_path / "r").labels.to_frame().to_dict("records")
        assert (label["kind"], label["target"], label["note"]) == ("slow", "/a", "<b>deploy</b>")
        assert label["start"].value == first
        assert column(screen.board, "labels", "start") == [first / 1e6]
        assert "<" not in screen.board._marks.labels.data["note"][0]
        screen._take_of_selection({"kind": "undo", "field": "selection"})
        assert eventually(lambda: column(screen.board, "labels", "start") == [])
        assert len(aiops_nb.open_recording(tmp_path / "r").labels) == 0


class Asked(HandSource):
    """A source that knows what else moved."""

    def alerts(self) -> pd.DataFrame:
        """One alert."""
        pending_at = pd.to_datetime(pd.Series([T0]), utc=True)
        return pd.DataFrame({"fingerprint": ["f-http://h/a"], "pending_at": pending_at})

    def also_moved(self, _alert: object) -> object:
        """The frame of a stream in which one series moved."""
        from aiops_nb.frames.moved_frame import MovedFrame

        row = {"table": "samples", "target": "<db>", "metric": "cpu_ratio", "change": "up", "before": 0.2}
        row |= {"during": 0.9, "distance": 12.0, "onset": pd.Timestamp(T0, tz="UTC"), "is_clear": True}
        frame = MovedFrame([row])
        frame.attrs["verdict"] = "1 of 1 series clearly left their baseline"
        return frame


def test_selecting_an_alert_shows_what_else_moved() -> None:
    source = Asked([heartbeat_step(T0, [], [alert("firing", "http://h/a")])])
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        screen._select(screen.alerts.alerts[0]["id"])
        assert eventually(lambda: bool(screen.alerts.moved.get("rows")))
        assert screen.alerts.moved["verdict"].startswith("1 of 1")
        [row] = screen.alerts.moved["rows"]
        assert row["moved"] == "20 % -> 90 %" and row["since"] == "20:26:40" and "<" not in row["target"]
