"""The documentation site builds without warnings, has every public name, and asks no other host for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import aiops_nb
from tests.paths import ROOT

FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"(?:https?:)?//[^\"]*\"")
PAGES = ("docs/index", "docs/reference/alerts", "docs/reference/generated/aiops_nb.watch", "notebooks/05_tune")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_builds_without_warnings_and_works_offline(tmp_path: Path) -> None:
    out = tmp_path / "site"
    command = [
        sys.executable,
        "docs/build.py",
        "--skip-notebooks",
        "--source",
        str(tmp_path / "source"),
        "--out",
        str(out),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert [page for page in PAGES if not (out / f"{page}.html").exists()] == []
    api = (out / "docs" / "reference" / "api.html").read_text(encoding="utf-8")
    assert [name for name in aiops_nb.__all__ if f"aiops_nb.{name}" not in api] == ["__version__"]
    fetched = {path.name: FETCHED.findall(path.read_text(encoding="utf-8")) for path in out.rglob("*.html")}
    assert {name: found for name, found in fetched.items() if found} == {}
