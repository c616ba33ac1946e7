"""What a page asks for, over a real monitor: targets, sources, the recording, files."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import aiops_nb
from aiops_nb.core.errors import ConfigError
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.view.page_requests import PageRequests

WAIT_SECONDS = 20.0
PLANTED = '=HYPERLINK("http://h/")'


class Page:
    """Keeps the answers and the files."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, str]] = []
        self.files: dict[str, bytes] = {}
        self._news = threading.Condition()

    def answer(self, field: str, problem: str = "", done: str = "") -> None:
        with self._news:
            self.answers.append((field, problem, done))
            self._news.notify_all()

    def offer_file(self, name: str, contents: bytes) -> None:
        self.files[name] = contents

    def ask(self, requests: PageRequests, **request: object) -> tuple[str, str]:
        """The problem and the success that a request is answered with."""
        with self._news:
            before = len(self.answers)
            requests.take({"field": "here", **request})
            assert self._news.wait_for(lambda: len(self.answers) > before, WAIT_SECONDS)
            field, problem, done = self.answers[-1]
        assert field == "here"
        return problem, done


def asking(source: Monitor, page: Page, bounds: tuple[int, int] | None = None) -> PageRequests:
    return PageRequests(source, lambda name: bounds if name == "shown" else None, page, lambda: None)


@pytest.fixture
def live() -> Iterator[tuple[Monitor, Callable[..., tuple[str, str]], Page]]:
    page = Page()
    config = {"host_metrics": False, "self_observation": None}
    with aiops_nb.watch("http://127.0.0.1:9/a", interval_seconds=5, config=config) as monitor:
        requests = asking(monitor, page)
        yield monitor, lambda **request: page.ask(requests, **request), page
        requests.close()
        requests.close()


def test_targets_and_sources_are_changed_and_refused_in_the_words_of_the_configuration(live) -> None:
    monitor, ask, page = live
    b = "http://127.0.0.1:9/b"
    assert ask(kind="add_target", url=b, interval="2 s") == ("", f"watching {b}")
    assert ask(kind="pause_target", name=b) == ("", "")
    assert ask(kind="set_interval", name=b, interval="3") == ("", "")
    assert monitor.targets().iloc[1].tolist() == [b, b, 3.0, "paused"]
    assert ask(kind="resume_target", name=b) == ("", "")
    assert ask(kind="remove_target", name=b) == ("", "")
    assert ask(kind="add_source", options={"type": "synthetic", "targets": "2"}) == ("", "collecting from synthetic")
    assert ask(kind="remove_source", name="synthetic") == ("", "")
    for request, problem in (
        ({"kind": "add_target", "url": "x://y", "interval": ""}, "url: expected http://host"),
        (
            {"kind": "add_target", "url": b, "interval": "often"},
            "interval: expected a duration > 0 such as 5 or 250ms",
        ),
        ({"kind": "set_interval", "name": b, "interval": "1"}, "target"),
        ({"kind": "add_source", "options": {"type": "tcp_client", "host": "h", "port": "x"}}, "port: expected"),
        ({"kind": "record", "path": "/dev/null/r"}, "/dev/null"),
        ({"kind": "add_target"}, "url"),
    ):
        assert problem in ask(**request)[0]
    assert monitor.running and len(monitor.targets()) == 1
    assert ask(kind="yaml")[0] == "" and b"http://127.0.0.1:9/a" in page.files["aiops_nb.yaml"]


def test_it_records_from_the_page(live, tmp_path: Path) -> None:
    monitor, ask, _ = live
    assert ask(kind="record", path=str(tmp_path / "r")) == ("", "")
    assert monitor.recording == str(tmp_path / "r")
    assert ask(kind="record", path="") == ("", "")
    assert monitor.recording is None


def test_downloads_are_what_is_shown_and_no_formula_for_a_spreadsheet() -> None:
    times = pd.date_range("2026-05-01", periods=60, freq="s", tz="UTC")
    rows = pd.DataFrame({"time": times, "target": PLANTED, "status_code": 200, "duration_seconds": 0.1})
    monitor, page = aiops_nb.from_frame(rows), Page()
    requests = asking(monitor, page, (times[10].value, times[20].value))
    try:
        for form in ("csv", "jsonl", "parquet"):
            problem, done = page.ask(requests, kind="download", table="requests", range="shown", format=form)
            assert (problem, done.partition(",")[0]) == ("", f"10 rows in requests.{form}")
        assert page.ask(requests, kind="download", table="features", range="all", format="csv")[0] == ""
        assert "no alerts" in page.ask(requests, kind="download", table="alerts", range="shown", format="csv")[0]
        assert "offered" in page.ask(requests, kind="download", table="passwords", range="all", format="csv")[0]
        assert "exist already" in page.ask(requests, kind="pause_target", name="x")[0]
    finally:
        requests.close()
    table = pd.read_csv(io.BytesIO(page.files["requests.csv"]))
    assert set(table["target"]) == {"'" + PLANTED}
    assert pd.to_datetime(table["time"]).tolist() == times[10:20].tolist()
    assert set(pd.read_parquet(io.BytesIO(page.files["requests.parquet"]))["target"]) == {PLANTED}
    assert len(pd.read_json(io.BytesIO(page.files["requests.jsonl"]), lines=True)) == 10


def test_what_no_page_of_ours_asks_is_ignored() -> None:
    page = Page()
    requests = asking(aiops_nb.from_synthetic(seconds=2, seed=1), page)
    requests.take({"kind": "__class__", "field": "here"})
    requests.close()
    requests.take({"kind": "yaml", "field": "here"})
    assert page.answers == []


def test_a_selected_range_gives_its_rows() -> None:
    from bokeh.events import SelectionGeometry

    times = pd.date_range("2026-05-01", periods=60, freq="s", tz="UTC")
    rows = pd.DataFrame({"time": times, "target": ["http://h/a", "http://h/b"] * 30, "status_code": 200})
    with aiops_nb.from_frame(rows.assign(duration_seconds=0.1)).dashboard() as dashboard:
        board = dashboard.screen().board
        assert dashboard.selection is None
        with pytest.raises(ConfigError, match="drawn over a chart"):
            dashboard.selected_frame()
        box = {"type": "rect", "x0": times[10].value / 1e6, "x1": times[20].value / 1e6, "y0": 0, "y1": 1}
        chart = next(root for root in board.roots if root.name == "latency-1")
        chart._trigger_event(SelectionGeometry(chart, geometry=box, final=False))
        assert dashboard.selection is None
        chart._trigger_event(SelectionGeometry(chart, geometry=box, final=True))
        assert dashboard.selection is not None and dashboard.selection.targets == ("http://h/b",)
        assert (dashboard.selection.start, dashboard.selection.end) == (times[10], times[20])
        frame = dashboard.selected_frame()
        assert frame["time"].tolist() == times[11:20:2].tolist() and set(frame["target"]) == {"http://h/b"}
        assert not dashboard.selected_frame("features").empty
        with pytest.raises(ConfigError, match="table"):
            dashboard.selected_frame("secrets")
        dashboard._draw()
        assert board._marks.selection.visible and dashboard.screen().controls.selection.startswith("00:00:10.0 to")
