"""What a notebook shows of a user's mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import aiops_nb
from aiops_nb.core.errors import AiopsError


def test_a_notebook_shows_the_callers_line_and_the_message() -> None:
    with pytest.raises(AiopsError) as caught:
        aiops_nb.watch("htp:/nonsense")
    line, message = caught.value._render_traceback_()
    assert line.endswith('aiops_nb.watch("htp:/nonsense")')
    assert message.startswith("ConfigError: targets[0].url: expected http")


def test_ipython_shows_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_cell("import aiops_nb\naiops_nb.open_recording('/nowhere/at/all')")
    shown = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert len(shown) == 2, shown
    assert "line 2: aiops_nb.open_recording('/nowhere/at/all')" in shown[0]
    assert "RecordingError: " in shown[1]
