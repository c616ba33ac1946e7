"""`aiops-nb lab`: a real JupyterLab, and notebooks that are copied once and never written over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from aiops_nb.cli.commands import lab


def test_notebooks_are_copied_where_there_are_none(tmp_path: Path) -> None:
    notebooks = lab.ensure_notebooks(tmp_path)
    assert (notebooks / lab.FIRST_NOTEBOOK).read_bytes() == (lab.packaged_notebooks() / lab.FIRST_NOTEBOOK).read_bytes()
    assert {path.suffix for path in notebooks.iterdir()} == {".ipynb"}


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "notebooks" / "mine.ipynb"
    mine.parent.mkdir()
    mine.write_text("{}", encoding="utf-8")
    lab.ensure_notebooks(tmp_path)
    assert [path.name for path in mine.parent.iterdir()] == ["mine.ipynb"]


def test_it_serves_loopback_only_with_a_token_and_asks_nobody(tmp_path: Path) -> None:
    arguments = lab.server_arguments(tmp_path, tmp_path / "notebooks" / "a.ipynb", 8888, browser=False)
    assert "--ServerApp.ip=127.0.0.1" in arguments
    assert not [argument for argument in arguments if "token" in argument or "password" in argument]
    assert set(lab.QUIET) <= set(arguments)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to one process")
@pytest.mark.slow
def test_the_printed_address_answers(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "aiops_nb.cli", "lab", "--no-browser", "--dir", str(tmp_path)]
    with (
        (tmp_path / "log.txt").open("wb") as log,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        try:
            assert process.stdout is not None
            label, address = process.stdout.readline().decode().split()
            with urllib.request.urlopen(address, timeout=30) as answer:
                page = answer.read()
        finally:
            os.kill(process.pid, signal.SIGTERM)
    assert label == "JupyterLab:"
    assert address.startswith("http://127.0.0.1:") and f"/lab/tree/notebooks/{lab.FIRST_NOTEBOOK}?token=" in address
    assert b"JupyterLab" in page
    assert process.returncode == 0
