"""The tutorial and the how-to guides work: their Python runs, their configurations load, their commands parse."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import aiops_nb
from aiops_nb.cli.parser import build_parser
from aiops_nb.collect.synthetic import Fault
from aiops_nb.config import parse_config
from aiops_nb.tune.labels import COLUMNS
from tests.paths import ROOT

PAGES = {
    page.stem: page for page in [*(ROOT / "docs" / "howto").glob("*.md"), *(ROOT / "docs" / "tutorial").glob("*.md")]
}
FOREIGN = "# Prometheus"  # begins a block that shows another project's file


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(
        rf"^ *```{language}\n(.*?)^ *```", PAGES[page].read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [block for block in found if not block.startswith(FOREIGN)]


def run(page: str, names: dict[str, object], *, without: str = "\0", url: str = "") -> None:
    """Run the page's Python in one namespace, except blocks that contain `without`; `url` replaces the example's."""
    for number, block in enumerate(blocks(page, "python")):
        if without not in block:
            code = block.replace("https://example.org/health", url)
            exec(compile(code, f"{page}.md, block {number}", "exec"), names)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_its_configurations_load_and_its_commands_parse(page: str) -> None:
    for text in blocks(page, "yaml"):
        parse_config(text)
    for line in "\n".join(blocks(page, "sh")).splitlines():
        if line.startswith("aiops-nb"):
            build_parser().parse_args(shlex.split(line)[1:])


def test_every_guide_is_in_the_list() -> None:
    listed = set(re.findall(r"\]\(([\w-]+)\.md\)", (ROOT / "docs" / "howto" / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.stem for path in (ROOT / "docs" / "howto").glob("*.md")} - {"README"}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_tutorial_says_what_comes(folder: Path) -> None:
    names: dict[str, object] = {}
    exec(compile("\n".join(blocks("README", "python")), "tutorial", "exec"), names)
    text = (ROOT / "docs" / "tutorial" / "README.md").read_text(encoding="utf-8")
    assert len(names["alerts"]) == 1 and "One of the two faults was found" in text  # type: ignore[arg-type]
    assert names["threshold"] == 4 and len(names["tuned"].alerts()) == 2  # type: ignore[attr-defined]
    assert names["paths"].html.exists()  # type: ignore[attr-defined]


def test_the_middleware_sends_a_row_for_each_request(folder: Path) -> None:
    names: dict[str, object] = {}
    run("fastapi", names, without="from fastapi")

    async def app(scope, receive, send):
        scope["route"] = SimpleNamespace(path="/items/{id}")
        await send({"type": "http.response.start", "status": 404, "headers": []})

    async def broken(scope, receive, send):
        raise RuntimeError("a bug")

    async def send(message):
        pass

    scope = {"type": "http", "method": "GET", "path": "/items/7", "client": ("192.0.2.1", 5)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        good, bad = (names["RequestRows"](one, listener.getsockname()) for one in (app, broken))  # type: ignore[operator]
        asyncio.run(good(dict(scope), None, send))
        with pytest.raises(RuntimeError):
            asyncio.run(bad(dict(scope), None, send))
        rows = [json.loads(listener.recv(65_536)) for _ in range(2)]
        good.socket.close()
        bad.socket.close()
    assert [(row["target"], row["status_code"]) for row in rows] == [("/items/{id}", 404), ("unmatched", 500)]
    assert rows[0]["client_ip"] == "192.0.2.1" and rows[0]["duration_seconds"] >= 0


def test_the_patterns_for_nginx_read_its_lines(folder: Path) -> None:
    line = '10.0.0.9 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200 5 "-" "curl" "203.0.113.7, 198.51.100.2"\n'
    (folder / "access.log").write_text(line, encoding="utf-8")
    (code,) = [block for block in blocks("nginx-behind-a-proxy", "python") if "log = AccessLog" in block]
    names: dict[str, object] = {}
    exec(
        code.replace("/var/log/nginx/access.log", "access.log").replace("pattern=r", "from_start=True, pattern=r"),
        names,
    )
    log = names["log"]
    batch = log.poll(1.0)  # type: ignore[attr-defined]
    log.close()  # type: ignore[attr-defined]
    assert batch.column("client_ip").to_pylist() == ["198.51.100.2"]


def test_the_guide_to_your_own_data_runs(folder: Path) -> None:
    times = pd.date_range("2026-01-01", periods=600, freq="1min")
    values = np.random.default_rng(1).lognormal(-2, 0.2, 600)
    pd.DataFrame({"timestamp": times, "value": values}).to_csv("latency.csv", index=False)
    names: dict[str, object] = {}
    run("your-own-data", names)
    assert len(names["smooth"]) == 600 and len(names["scores"]) == 1200  # type: ignore[arg-type]


def test_the_guide_to_thresholds_runs(folder: Path) -> None:
    fault = Fault(kind="latency_shift", start_seconds=120, length_seconds=30, target="service-0")
    aiops_nb.from_synthetic(180, seed=7, targets=2, rate_hz=5, faults=[fault], record="recordings/today")
    names: dict[str, object] = {}
    run("tune-thresholds", names)
    page = PAGES["tune-thresholds"].read_text(encoding="utf-8")
    assert [name for name in names["table"].columns if name != "threshold" and f"`{name}`" not in page] == []  # type: ignore[attr-defined]
    assert Path("tuned.yaml").exists()
    (label,) = (json.loads(text) for text in blocks("tune-thresholds", "json"))
    assert set(label) == set(COLUMNS) - {"targets"}


def test_the_guide_to_sending_alerts_runs(folder: Path) -> None:
    names: dict[str, object] = {}
    try:
        run("send-alerts", names, url="http://127.0.0.1:9/")
        change = names["sink"].changes.get(timeout=20)  # type: ignore[attr-defined]
        assert change.labels["alertname"] == "request_failed"
    finally:
        names["monitor"].stop()  # type: ignore[attr-defined]
