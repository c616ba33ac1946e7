"""What docs/reference/collectors.md shows works, and its tables are those of the code."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from aiops_nb.collect.access_log import lines as access_log_lines
from aiops_nb.collect.access_log.collector import AccessLog
from aiops_nb.collect.access_log.formats import NAMES
from aiops_nb.collect.sockets.tcp_listener import TcpListener
from aiops_nb.collect.synthetic import KINDS, Shape
from aiops_nb.collect.synthetic.clients import FLOOD_CLIENTS
from aiops_nb.collect.synthetic.effects import PROBED_PATHS
from aiops_nb.collect.websocket.client import WebSocketClient
from tests.paths import ROOT

DOCS = ROOT / "docs" / "reference" / "collectors.md"
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
    assert made or names.get("rows") == 0 or len(names["table"])  # type: ignore[arg-type]


def test_the_named_patterns_and_reasons_are_all_there() -> None:
    patterns = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*`) \|", TEXT, re.MULTILINE))))
    assert {*NAMES, *access_log_lines._DETAILS, "too_long", "too_deep", "invalid_json"} <= patterns


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


def test_the_table_of_faults_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (service|host|either) \|([^|]*)\|([^|]*)\|", TEXT, re.MULTILINE)
    documented = {kind: (affects, unit.strip(), size.strip()) for kind, affects, unit, size in rows}
    sizes = {name: "" if kind.size is None else f"{kind.size:g}" for name, kind in KINDS.items()}
    assert documented == {name: (kind.suffers, kind.unit, sizes[name]) for name, kind in KINDS.items()}
    assert f"{PROBED_PATHS} paths" in TEXT and f"{FLOOD_CLIENTS:,} addresses" in TEXT


def test_the_documented_shape_is_the_default_one() -> None:
    shape = Shape()
    assert f"{1 + shape.day_swing_ratio:g} times the day's mean at {shape.peak_hour:.0f}:00" in TEXT
    assert f"{1 - 0.8 * shape.day_swing_ratio:g} times at night; weekends have {shape.weekend_ratio:g} times" in TEXT
    assert (
        f"{shape.wander_ratio:.0%}".replace("%", " %") in TEXT and f"{shape.tail_ratio:.0%}".replace("%", " %") in TEXT
    )
    assert f"{shape.regular_clients:,} clients" in TEXT and f"of {shape.newcomer_clients:,} altogether" in TEXT
