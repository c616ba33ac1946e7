"""A run by its configuration alone, on real servers: what it watches, how often, and what it keeps of secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

import aiops_nb
from aiops_nb.cli import main
from aiops_nb.cli import process as codes
from aiops_nb.cli.commands.check import example_text
from aiops_nb.core.types import Step
from aiops_nb.demo import DemoService, start_demo_service
from tests.unit.monitor.test_monitor import Reached

SECRET = "s3cret-value-of-a-token"
LINE = '10.0.0.1 - - [{:%d/%b/%Y:%H:%M:%S +0000}] "GET /shop HTTP/1.1" 200 12 "-" "-"\n'


@pytest.fixture(scope="module")
def service() -> Iterator[DemoService]:
    """A healthy service."""
    with start_demo_service(kinds=()) as running:
        yield running


@pytest.fixture
def config(service: DemoService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two targets with intervals of their own, a log, a recording, and a secret in four places."""
    monkeypatch.setenv("BASE_URL", service.urls[0])
    monkeypatch.setenv("API_TOKEN", SECRET)
    monkeypatch.setenv("FOLDER", str(tmp_path))
    (tmp_path / "access.log").write_text(LINE.format(datetime.now(UTC)) * 5)
    told = {
        "interval": "100ms",
        "targets": [
            {
                "name": "often",
                "url": "${BASE_URL}?key=${API_TOKEN}",
                "headers": {"Authorization": "Bearer ${API_TOKEN}"},
            },
            {"name": "seldom", "url": "${BASE_URL}", "interval": "1s", "body": "env:API_TOKEN", "method": "POST"},
            "${BASE_URL}/${API_TOKEN}/",
        ],
        "collectors": [{"type": "access_log", "path": "${FOLDER}/access.log", "from_start": True}],
        "host_metrics": {"interval": "1s", "host_label": "web-1"},
        "record": "${FOLDER}/recording",
        "pipeline": {"window": {"lateness": "500ms"}},
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(told))
    return file


class Several:
    """True once each of several targets has sent so many rows."""

    def __init__(self, wanted: dict[str, int]) -> None:
        self.wanted = dict(wanted)

    def __call__(self, step: Step) -> bool:
        if step.item.table in ("requests", "samples"):
            for target in step.item.batch["target"].to_pylist():
                self.wanted[target] = self.wanted.get(target, 0) - 1
        return all(left <= 0 for left in self.wanted.values())


def test_a_file_is_all_that_watch_needs(config: Path, tmp_path: Path) -> None:
    seen = Reached(Several({"often": 15, "seldom": 2, "/shop": 5, "web-1": 1, "${BASE_URL}/${API_TOKEN}/": 2}))
    with aiops_nb.watch(config=config, sinks=[seen]) as monitor:
        assert seen.wait(30)
    rows = monitor.requests().groupby("target").size()
    assert rows["often"] >= 4 * rows["seldom"], "each at its own interval"
    recording = aiops_nb.open_recording(tmp_path / "recording")
    assert recording.config.probes[1].interval_seconds == 1.0
    assert aiops_nb.replay(recording).scores().equals(monitor.scores())


def test_no_byte_of_a_secret_is_kept_shown_or_logged(
    config: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    seen = Reached(Several({"often": 3, "seldom": 1, "${BASE_URL}/${API_TOKEN}/": 2}))
    with aiops_nb.watch(config=config, sinks=[seen]) as monitor:
        assert seen.wait(30)
        shown = f"{monitor!r} {monitor.warnings()} {monitor.requests().to_csv()} {monitor.alerts().to_csv()}"
    assert SECRET not in shown + caplog.text
    files = [path for path in (tmp_path / "recording").rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert [path.name for path in files if SECRET.encode() in path.read_bytes()] == []
    # Parquet is compressed: what it holds is looked at too.
    recording = aiops_nb.open_recording(tmp_path / "recording")
    assert SECRET not in recording.requests().to_csv() + str(recording.reader.table("control").to_pydict())
    kept = yaml.safe_load(recording.reader.config_yaml)
    assert kept["targets"][0]["headers"] == {"Authorization": "Bearer ${API_TOKEN}"}
    assert kept["interval_seconds"] == 0.1 and len(recording.manifest.config_hash) == 64


def test_watch_in_a_terminal_needs_no_url(config: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "aiops_nb.cli", "watch", "--config", str(config), "--for", "2s"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == codes.OK and "Traceback" not in done.stderr
    assert done.stdout.rstrip().endswith(f"recorded in {tmp_path}/recording")


def test_check_says_what_would_run_and_touches_no_network(config: Path) -> None:
    code = """
import sys
def refuse(event, _):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        raise SystemExit(f"network: {event}")
sys.addaudithook(refuse)
from aiops_nb.cli import main
sys.exit(main(["check", sys.argv[1]]))
"""
    argv = [sys.executable, "-c", code, str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (codes.OK, "")
    for line in (
        "  often: GET ${BASE_URL}, every 100 ms, timeout 90 ms; headers Authorization",
        "  seldom: POST ${BASE_URL}, every 1 s, timeout 900 ms",
        "  access_log: access_log, path ${FOLDER}/access.log, from start",
        "  ${FOLDER}/recording",
    ):
        assert line in done.stdout.splitlines()
    assert "\n  http_5xx                 error     condition status_5xx, for 3 rows, " in done.stdout
    assert "p95 latency, threshold 6 deviations" in done.stdout and "lateness 500 ms" in done.stdout
    assert SECRET not in done.stdout


def test_check_as_json_is_one_object(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(config), "--json"]) == codes.OK
    out = capsys.readouterr().out
    told = json.loads(out)
    assert out.count("\n") == 1 and told["ok"] is True and SECRET not in out
    often, seldom, _ = told["targets"]
    assert (often["url"], often["interval_seconds"], often["headers"]) == ("${BASE_URL}", 0.1, ["Authorization"])
    assert seldom["timeout_seconds"] == 0.9 and "body" not in seldom
    assert told["collectors"][0]["type"] == "access_log" and told["pipeline"]["row_rules"][0]["for_rows"] == 3


@pytest.mark.parametrize("text", ["interval: soon\n", "targets:\n- url: ${NOT_SET_ANYWHERE}\n", "a: ["])
def test_check_refuses_with_2_and_one_line(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    assert main(["check", str(file)]) == codes.USAGE
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith(f"aiops-nb: {file}:") and captured.err.count("\n") == 1
    assert main(["check", str(file), "--json"]) == codes.USAGE
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False and f"aiops-nb: {told['error']}\n" == captured.err


def test_check_of_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.yaml")]) == codes.USAGE
    assert "expected a readable YAML file" in capsys.readouterr().err
    assert main(["check"]) == codes.USAGE


def test_the_example_is_printed_and_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_URL", raising=False)
    assert main(["check", "--example"]) == codes.OK
    printed = capsys.readouterr().out
    assert printed == example_text()
    file = tmp_path / "config.yaml"
    file.write_text(printed)
    assert main(["check", str(file)]) == codes.OK
    assert "shop: POST" in capsys.readouterr().out
