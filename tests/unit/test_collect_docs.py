"""What docs/collectors.md shows works, and its tables are those of the code."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from aiops_nb.collect import access_log_lines
from aiops_nb.collect.access_log import AccessLog
from aiops_nb.collect.access_log_pattern import NAMED
from aiops_nb.collect.tcp_listener import TcpListener
from aiops_nb.collect.websocket_client import WebSocketClient

DOCS = Path(__file__).parents[2] / "docs" / "collectors.md"
TEXT = DOCS.read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
# What the examples name that is not on this machine.
STANDINS = {"/var/log/nginx": "logs", "9000": "9", "9001": "0", "9002": "0"}


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "access.log.2.gz").write_bytes(gzip.compress(b"\n"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEED_KEY", "k")
    code = SNIPPETS[number]
    for shown, standin in STANDINS.items():
        code = re.sub(rf"{shown}\b", standin, code)
    names: dict[str, object] = {}
    exec(compile(ast.parse(code), f"{DOCS.name}, snippet {number}", "exec"), names)
    made = [value for value in names.values() if hasattr(value, "poll") and not inspect.isclass(value)]
    for collector in made:
        collector.close()
    assert made or names["rows"] == 0


def test_the_named_patterns_and_reasons_are_all_there() -> None:
    patterns = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*`) \|", TEXT, re.MULTILINE))))
    assert {*NAMED, "json", *access_log_lines._DETAILS, "too_long", "too_deep", "invalid_json"} <= patterns


@pytest.mark.parametrize(
    ("collector", "parameter", "written"),
    [
        (AccessLog, "max_targets", "1,000"),
        (AccessLog, "max_line_bytes", "65,536"),
        (TcpListener, "max_connections", "1,000"),
        (TcpListener, "max_line_bytes", "65,536"),
        (WebSocketClient, "ping_seconds", "20"),
    ],
)
def test_the_defaults_are_those_of_the_code(collector: type, parameter: str, written: str) -> None:
    default = inspect.signature(collector).parameters[parameter].default
    assert f"{default:,g}" == written
    assert re.search(rf"`{parameter}` \({written}\)", TEXT)
