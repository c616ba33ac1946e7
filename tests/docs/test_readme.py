"""The README says what is so: its Python runs, its commands parse, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import aiops_nb
from aiops_nb.cli.parser import build_parser
from aiops_nb.demo import start_demo_service
from tests.paths import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = {language: re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL) for language in ("python", "sh")}
README_URL = "https://example.org/health"


def test_it_opens_with_the_two_commands_a_screenshot_and_three_lines() -> None:
    assert [line.split("#")[0].strip() for line in BLOCKS["sh"][0].splitlines()] == ["make lab", "make test"]
    assert TEXT.index("make lab") < TEXT.index("docs/images/dashboard.png") < TEXT.index("```python")
    assert len([line for line in BLOCKS["python"][0].splitlines() if line]) == 3


@pytest.mark.slow
def test_its_python_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    labels = tmp_path / "recordings" / "today" / "labels.jsonl"
    with start_demo_service(labels_path=labels, first_fault_after_seconds=2.0, time_scale=10.0) as service:
        names = run_blocks(service.urls[0])
    assert labels.exists()
    assert (tmp_path / "tuned.yaml").exists()
    assert {path.suffix for path in (tmp_path / "reports").iterdir()} >= {".ipynb", ".html"}
    assert {path.name for path in (tmp_path / "exported").iterdir()} == {"requests.csv", "alerts.csv"}
    assert len(names["rows"]) > 0  # type: ignore[arg-type]


def run_blocks(url: str) -> dict[str, object]:
    """Run all blocks in one namespace, against a service of ours, and stop every monitor that they leave."""
    names: dict[str, object] = {}
    monitors: list[aiops_nb.Monitor] = []
    try:
        for block in BLOCKS["python"]:
            here = block.replace(README_URL, url).replace("timeout_seconds=60", "timeout_seconds=6")
            exec(compile(here, "README.md", "exec"), names)
            monitors += [value for value in names.values() if isinstance(value, aiops_nb.Monitor)]
    finally:
        for monitor in monitors:
            monitor.stop()
    return names


def test_its_commands_parse() -> None:
    commands = [line for block in BLOCKS["sh"] for line in block.splitlines() if line.startswith("aiops-nb")]
    assert commands
    for command in commands:
        build_parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/reference/cli.md"])
def test_its_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith(("http", "#"))]
    assert [link for link in links if not (ROOT / name).parent.joinpath(link.split("#")[0]).exists()] == []
