"""The commands for real: a demo service, recordings on disk, signals, closed pipes, and users' mistakes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

import aiops_nb
from aiops_nb.cli import main
from aiops_nb.cli import process as codes
from aiops_nb.cli.commands import export
from aiops_nb.cli.follow import follow
from aiops_nb.cli.output import ChangePrinter, ChangeQueue
from aiops_nb.cli.process import StopWish
from aiops_nb.demo import DemoService, start_demo_service
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from tests.ports import free_port

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to one process")


@pytest.fixture(scope="module")
def service() -> Iterator[DemoService]:
    """A healthy service."""
    with start_demo_service(kinds=()) as running:
        yield running


@pytest.fixture(scope="module")
def dead_url() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}/"


@pytest.fixture(scope="module")
def recorded(service: DemoService, dead_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A recording of five seconds with a dead target, and what `watch --json` printed meanwhile."""
    folder = tmp_path_factory.mktemp("cli") / "recording"
    argv = [service.urls[0], dead_url, "--for", "5s", "--interval", "250ms", "--record", str(folder), "--json"]
    done = subprocess.run(command("watch", *argv), capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    return folder, done.stdout


def command(*argv: str) -> list[str]:
    """The command line in a process of its own."""
    return [sys.executable, "-m", "aiops_nb.cli", *argv]


def printed(*argv: str) -> bytes:
    """Standard output of a command that must succeed."""
    return subprocess.run(command(*argv), capture_output=True, timeout=60, check=True).stdout


def states(lines: bytes) -> list[str]:
    return [json.loads(line)["state"] for line in lines.splitlines()]


def test_a_dead_target_fires_and_the_output_is_nothing_but_changes(recorded: tuple[Path, bytes]) -> None:
    assert states(recorded[1])[:2] == ["pending", "firing"]


@pytest.mark.parametrize("speed", [[], ["--speed", "40"]], ids=["at once", "paced"])
def test_replay_prints_the_same_bytes(recorded: tuple[Path, bytes], speed: Sequence[str]) -> None:
    folder, live = recorded
    assert printed("replay", str(folder), "--json", *speed) == live


def test_another_config_judges_the_same_rows_otherwise(recorded: tuple[Path, bytes], tmp_path: Path) -> None:
    config = tmp_path / "quiet.yaml"
    config.write_text("pipeline: {row_rules: []}\n", encoding="utf-8")
    assert printed("replay", str(recorded[0]), "--json", "--config", str(config)) == b""


def test_people_get_aligned_lines_and_a_summary(
    recorded: tuple[Path, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(recorded[0])]) == codes.OK
    lines = capsys.readouterr().out.splitlines()
    changes, targets, summary = lines[:-3], lines[-3:-1], lines[-1]
    assert len(changes) == len(states(recorded[1]))
    assert "firing    critical  request_failed" in changes[1]
    assert ", 100 % errors" in targets[0] and ", 0 % errors, p50 " in targets[1]
    assert re.fullmatch(r"\d+ s, \d+ probes of 2 targets; 1 alert, 0 resolved, 1 still firing", summary)


@pytest.mark.parametrize("speed", [[], ["--speed", "40"]], ids=["at once", "paced"])
def test_fail_on_alert(recorded: tuple[Path, bytes], speed: Sequence[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recorded[0]), "--fail-on-alert", *speed]) == codes.ALERTED
    assert main(["replay", str(recorded[0]), *speed]) == codes.OK


@pytest.mark.parametrize("speed", [[], ["--speed", "40"]], ids=["at once", "paced"])
def test_a_damaged_segment_is_named_and_the_rest_replayed(
    recorded: tuple[Path, bytes], speed: Sequence[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damaged = Path(shutil.copytree(recorded[0], tmp_path / "damaged"))
    segment = next(damaged.glob("samples/*.parquet"))
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole) // 2] + bytes(64) + whole[len(whole) // 2 + 64 :])
    assert main(["replay", str(damaged), "--json", *speed]) == codes.MISTAKE  # what could be replayed was
    captured = capfd.readouterr()
    assert captured.out.encode() == recorded[1]  # the requests, of which the alerts are made, are whole
    assert str(segment) in captured.err and "Traceback" not in captured.err


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_seals_the_recording(number: int, code: int, dead_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    argv = command("watch", dead_url, "--interval", "200ms", "--json", "--record", str(folder))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        process.send_signal(number)
        rest, problems = process.stdout.read(), process.stderr.read()
    assert (process.returncode, problems) == (code, b"")
    assert list(folder.rglob("*.arrows")) == []
    assert aiops_nb.open_recording(folder).repairs == ()
    assert printed("replay", str(folder), "--json") == first + rest


@POSIX
def test_a_signal_ends_a_paced_replay(recorded: tuple[Path, bytes]) -> None:
    argv = command("replay", str(recorded[0]), "--speed", "0.01", "-v")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == codes.INTERRUPTED


@pytest.mark.parametrize(
    "argv", [["watch", "--interval", "200ms", "--for", "30s"], ["replay"]], ids=["watch", "replay"]
)
def test_a_reader_that_leaves_is_no_mistake(argv: list[str], recorded: tuple[Path, bytes], dead_url: str) -> None:
    argv = [*argv, dead_url if argv[0] == "watch" else str(recorded[0]), "--json"]
    with subprocess.Popen(command(*argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        problems = process.stderr.read()
        process.wait(timeout=60)
    assert (process.returncode, problems) == (codes.OK, b"")


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["watch", "example.org"], "got 'example.org'"),
        (["watch", "http://joe:secret@[::1/"], "expected http://host[:port]/path"),
        (
            ["watch", "http://127.0.0.1/", "--config", "{unknown}"],
            "unknown.yaml:1: every: expected a known key",
        ),
        (["watch", "http://127.0.0.1/", "--config", "{here}/absent.yaml"], "absent.yaml"),
        (["watch", "http://127.0.0.1/", "--record", "{unknown}"], "unknown.yaml"),
        (["watch", "http://127.0.0.1/", "--log-file", "{here}"], "directory"),
        (["replay", "{here}"], "{here}"),
        (["export", "{here}/absent", "--out", "{here}/out"], "absent"),
        (["export", "{recorded}", "--out", "{here}/out", "--start", "soon"], "start: expected a time"),
        (["report", "{here}/absent", "--out", "{here}/out"], "absent"),
        (["lab", "absent.ipynb", "--dir", "{here}"], "01_live_monitor.ipynb"),
        (["demo-service", "--port", "70000"], "port: expected 0 (any free one) to 65535, got 70000"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_code_1(
    argv: list[str], told: str, recorded: tuple[Path, bytes], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    unknown = tmp_path / "unknown.yaml"
    unknown.write_text("every: 1s\n", encoding="utf-8")
    names = {"unknown": str(unknown), "here": str(tmp_path), "recorded": str(recorded[0])}
    filled = [argument.format(**names) for argument in argv]
    assert main(filled) == codes.MISTAKE
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("aiops-nb: ") and captured.err.count("\n") == 1
    assert told.format(**names) in captured.err
    assert "secret" not in captured.err


def test_a_missing_extra_names_its_install_line(recorded: tuple[Path, bytes], tmp_path: Path) -> None:
    absent = "import sys; sys.modules['papermill'] = None; from aiops_nb.cli import main; sys.exit(main(sys.argv[1:]))"
    argv = [sys.executable, "-c", absent, "report", str(recorded[0]), "--out", str(tmp_path / "out")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == codes.MISTAKE
    assert done.stderr == "aiops-nb: reports need an extra: pip install 'aiops-nb[report]'\n"


def test_logging_goes_to_the_error_stream_and_the_file(
    recorded: tuple[Path, bytes], dead_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.txt"
    assert main(["watch", dead_url, "--for", "1s", "--interval", "200ms", "--json", "-vv", "--log-file", str(log)]) == 0
    assert all(line.startswith("{") for line in capfd.readouterr().out.splitlines())
    assert log.exists()


@pytest.mark.parametrize("form", export.FORMATS)
def test_export_writes_what_it_says(
    form: str, recorded: tuple[Path, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(recorded[0]), "--out", str(tmp_path / "out"), "--format", form, "--json"]) == codes.OK
    files = [Path(json.loads(line)["file"]) for line in capsys.readouterr().out.splitlines()]
    assert {path.suffix for path in files} == {f".{form}"}
    assert {path.stem for path in files} >= {"requests", "samples", "scores", "alerts"}
    assert all(path.stat().st_size for path in files if path.stem != "labels")


def test_the_choices_of_export_are_those_of_the_room() -> None:
    from aiops_nb.report import columns
    from aiops_nb.report import export as room

    assert (room.FORMATS, room.TABLES, tuple(columns.NAMINGS)) == (export.FORMATS, export.TABLES, export.NAMINGS)


def test_demo_service_says_where_it_is_and_ends(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    argv = command("demo-service", "--port", "0", "--labels", str(labels), "--json")
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert main(["watch", *said["urls"], "--for", "1s", "--interval", "200ms", "--fail-on-alert"]) == codes.OK
        process.terminate()
        process.wait(timeout=30)
    assert process.returncode == (143 if os.name == "posix" else 1)


def test_an_engine_that_fails_is_a_mistake_not_an_end() -> None:
    class Broken:
        """A tap of which nobody thought."""

        def write(self, batch: object) -> NoReturn:
            raise ZeroDivisionError("nobody thought of it")

        def seal_pending(self) -> None: ...
        def close(self) -> None: ...

    changes = ChangeQueue()
    monitor = aiops_nb.Monitor(lambda deliver: LiveRun([], Broken(), PipelineParams(), deliver))  # type: ignore[arg-type]
    monitor.start()
    with pytest.raises(aiops_nb.AiopsError, match=r"engine: .*nobody thought of it"):
        follow(monitor, changes, ChangePrinter(as_json=True), StopWish(changes.wake))


def test_a_log_file_tells_beginning_and_end_and_no_secrets(service: DemoService, tmp_path: Path) -> None:
    log, url = tmp_path / "watch.log", service.urls[0].replace("://", "://joe:pw@") + "?token=t0k"
    assert printed("watch", url, "--for", "1s", "--json", "--log-file", str(log)) == b""
    kernel, begin, end = log.read_text().splitlines()
    assert f"watching {service.urls[0]} every 1 s" in begin
    assert "computed by: " in kernel
    assert "ended: " in end and "no alerts" in end
    assert "pw" not in kernel + begin and "t0k" not in kernel + begin


def test_a_report_without_a_file_that_cannot_be_read_is_made_and_says_so(
    recorded: tuple[Path, list[str]], tmp_path: Path
) -> None:
    damaged = Path(shutil.copytree(recorded[0], tmp_path / "damaged"))
    (damaged / "samples" / "000000.parquet").write_bytes(b"PAR1 and then nothing")
    assert main(["report", str(damaged), "--out", str(tmp_path / "reports")]) == codes.MISTAKE
    assert list((tmp_path / "reports").glob("*.html"))


def test_an_export_without_a_file_that_cannot_be_read_says_so(
    recorded: tuple[Path, bytes], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damaged = Path(shutil.copytree(recorded[0], tmp_path / "damaged"))
    (damaged / "samples" / "000000.parquet").write_bytes(b"PAR1 and then nothing")
    assert main(["export", str(damaged), "--out", str(tmp_path / "out")]) == codes.MISTAKE
    captured = capfd.readouterr()
    line, _ = captured.err.splitlines()
    assert "000000.parquet: cannot be read, its rows are left out" in line
    assert str(tmp_path / "out" / "requests.csv") in captured.out


def test_a_metrics_port_that_is_taken_is_one_line(dead_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command("watch", dead_url, "--metrics-port", port), capture_output=True, text=True, timeout=60
        )
    assert (done.returncode, done.stdout) == (codes.MISTAKE, "")
    assert done.stderr == f"aiops-nb: metrics page: 127.0.0.1:{port}: Address already in use\n"
