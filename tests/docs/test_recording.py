"""The documented layout and snippets are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aiops_nb.core.clock import ManualClock
from aiops_nb.record.recorder import Recorder
from tests.paths import ROOT
from tests.record_rows import record, requests, samples, small_stream

DOCS = ROOT / "docs" / "reference" / "recording.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording of three segments under the name that the docs use."""
    monkeypatch.chdir(tmp_path)
    start_ns = ManualClock().now_ns()
    batches = [make(start_ns + 10**9 * place) for place in range(12) for make in (requests, samples)]
    record(tmp_path / "today", batches, segment_rows=24)
    return tmp_path / "today"


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(number: int, today: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(compile(SNIPPETS[number], f"{DOCS.name}, snippet {number}", "exec"), names)
    tables = [names[name] for name in ("requests", "failed", "errors", "samples") if name in names]
    assert len(tables) == 1
    assert len(tables[0]) > 0
    assert capsys.readouterr().out.count("\n") == (25 if "reader" in names else 0)


def test_the_drawn_files_are_the_real_ones(tmp_path: Path) -> None:
    drawn = set(re.findall(r"[├└]── ([\w./]+)", DOCS.read_text(encoding="utf-8")))
    with Recorder(tmp_path, config_yaml="a: 1", segment_rows=21) as recorder:
        for batch in small_stream(25):
            recorder.write(batch)
        recorder.seal_pending()
        real = {path.name + "/" * path.is_dir() for path in tmp_path.rglob("*")}
    assert drawn - real == {"labels.jsonl", "messages/"}
    assert real <= drawn
