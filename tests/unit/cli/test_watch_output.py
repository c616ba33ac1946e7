"""What `watch` prints besides changes: a first line, rejected lines at once, a heartbeat, a summary by target."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import aiops_nb
from aiops_nb.cli import main
from aiops_nb.cli.follow import WarningPrinter
from aiops_nb.cli.parser import parsed, with_values

DEAD = "http://127.0.0.1:9/dead"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminal there")


def command(*argv: str) -> list[str]:
    """The command line in a process of its own."""
    return [sys.executable, "-m", "aiops_nb.cli", *argv]


def log_config(folder: Path) -> Path:
    (folder / "access.log").write_text("hello\n" * 3)
    log = f"{{type: access_log, path: {folder}/access.log, pattern: common, name: web, from_start: true}}"
    (folder / "c.yaml").write_text(f"host_metrics: false\ncollectors:\n- {log}\n")
    return folder / "c.yaml"


def test_the_first_line_says_what_how_often_and_where_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["watch", DEAD, f"{DEAD}/2", "--interval", "200ms", "--for", "1s", "--record", str(tmp_path / "r")]
    assert main(argv) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    said = f"watching {DEAD}, {DEAD}/2 every 200 ms, this host; recording to {tmp_path}/r; stops after 1 s"
    assert first == said
    assert re.fullmatch(r"\d+ s, \d+ probes of 2 targets; .*; recorded in .*/r", last)


@pytest.mark.parametrize("as_json", [False, True])
def test_rejected_lines_are_told_while_it_runs(tmp_path: Path, as_json: bool) -> None:
    argv = command("watch", "--config", str(log_config(tmp_path)), *(["--json"] if as_json else []))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()  # comes while it runs: nobody has stopped it
        assert process.poll() is None
        process.terminate()
        process.communicate(timeout=30)
    text = json.loads(line)["warning"] if as_json else line.removeprefix("aiops-nb: ")
    assert text.startswith(
        "lines of web: 3 of 3 rejected, most as not_the_pattern (the line does not look like the pattern), "
        "such as 'hello'"
    )


class Warning:
    """A monitor with warnings only."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    def warnings(self) -> list[str]:
        return self.lines

    def notices(self) -> list[str]:
        return ["web, pattern: common"]


def test_a_warning_that_only_counts_on_is_not_printed_each_second(capsys: pytest.CaptureFixture[str]) -> None:
    printer = WarningPrinter(as_json=False)
    monitor = Warning("lines of web: 3 of 5 rejected, most as x, such as 'a'; see")
    assert printer.print_new(monitor) == 1
    monitor.lines = ["lines of web: 4 of 6 rejected, most as x, such as 'b, c'; see"]
    assert printer.print_new(monitor) == 0
    monitor.lines.append("collector http: OSError: no")
    assert printer.print_new(monitor) == 1
    monitor.lines[0] = "lines of web: 40 of 60 rejected, most as x, such as 'd'; see"
    assert printer.print_new(monitor) == 1
    assert printer.print_new(monitor, all_changed=True) == 0
    monitor.lines[0] = "lines of web: 41 of 61 rejected, most as x, such as 'd'; see"
    assert printer.print_new(monitor, all_changed=True) == 1
    err = capsys.readouterr().err
    assert err.count("aiops-nb: ") == 5 and err.count("web, pattern: common") == 1


@POSIX
def test_a_terminal_shows_a_heartbeat(tmp_path: Path) -> None:
    leader, follower = os.openpty()
    argv = command("watch", DEAD, "--interval", "200ms", "--for", "4s")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=follower) as process:
        os.close(follower)
        shown = b""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                piece = os.read(leader, 4096)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            shown += piece
        assert process.stdout is not None
        lines = process.stdout.read().decode().splitlines()
    os.close(leader)
    assert re.search(rb"\d\d:\d\d:\d\d  \d+ rows, \d alerts? firing", shown)
    assert lines[0].startswith("watching") and all("\x1b" not in line for line in lines)


def test_a_replay_and_an_export_count_what_they_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aiops_nb.from_synthetic(20, seed=7, targets=2, record=tmp_path / "r")
    assert main(["replay", str(tmp_path / "r")]) == 0
    *targets, total = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ s, [\d,]+ requests of 2 targets; no alerts", total) and len(targets) == 2
    assert main(["export", str(tmp_path / "r"), "--out", str(tmp_path / "e"), "--start", "-10s"]) == 0
    assert re.fullmatch(r"\d+ files, .* KiB\n", capsys.readouterr().err)


@pytest.mark.parametrize("argv", [["--start", "today"], ["--end", "1999-01-01"], ["--start", "1795727280"]])
def test_an_export_of_nothing_leaves_good_files(
    tmp_path: Path, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    aiops_nb.from_synthetic(10, seed=7, targets=1, record=tmp_path / "r")
    assert main(["export", str(tmp_path / "r"), "--out", str(tmp_path / "e")]) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "e").iterdir()}
    assert main(["export", str(tmp_path / "r"), "--out", str(tmp_path / "e"), *argv]) == 1
    assert {path: path.read_bytes() for path in (tmp_path / "e").iterdir()} == before
    assert "expected" in capsys.readouterr().err


def test_a_relative_time_may_follow_its_option() -> None:
    assert parsed(["export", "r", "--start", "-24h", "--end", "-1h"]).start == "-24h"
    assert with_values(["report", "r", "--start", "-1d", "-v"]) == ["report", "r", "--start=-1d", "-v"]


@POSIX
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["wa"], {"watch"}),
        (["export", "--fo"], {"--format"}),
        (["export", "r", "--format", "p"], {"parquet"}),
        (["completion", "z"], {"zsh"}),
        (["re"], {"replay", "report"}),
    ],
)
def test_bash_completes(words: list[str], expected: set[str]) -> None:
    quoted = " ".join(f"'{word}'" for word in ["aiops-nb", *words])
    script = f"""
eval "$("{sys.executable}" -m aiops_nb.cli completion bash)"
complete -p aiops-nb >/dev/null || exit 9
COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
_shtab_aiops_nb aiops-nb "{words[-1]}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stdout.split()) == expected


@pytest.mark.parametrize("name", ["nosuch.log", "*.nosuch", "sub*/x.log"])
def test_a_path_without_a_file_is_said_by_check_and_watch(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"host_metrics: false\ncollectors:\n- {{type: access_log, path: '{tmp_path}/{name}'}}\n")
    assert main(["check", str(config)]) == 0
    captured = capsys.readouterr()
    assert f"collectors[0].path: {tmp_path}/{name}: no such file yet" in captured.err
    assert captured.out.splitlines()[-1] == f"{config}: OK, 1 warning"
    assert main(["check", str(config), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["warnings"]) == 1
    assert main(["watch", "--config", str(config), "--for", "1s"]) == 0
    assert name in capsys.readouterr().err


def test_a_recording_without_requests_is_exported(tmp_path: Path) -> None:
    frame = pd.DataFrame({"time": ["2026-05-01"], "target": "h", "metric": "m", "value": 1.0})
    aiops_nb.from_frame(frame, table="samples", record=tmp_path / "r")
    assert main(["export", str(tmp_path / "r"), "--out", str(tmp_path / "e")]) == 0
    assert (tmp_path / "e" / "samples.csv").read_text().count("\n") == 2


def test_a_file_in_place_of_a_url_gets_the_line_that_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "app.log"
    log.write_text("hello\n")
    assert main(["watch", str(log)]) != 0
    assert f"collectors: [{{type: access_log, path: {log}}}]" in capsys.readouterr().err


def test_rejected_lines_say_why_and_name_nothing_that_a_shell_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = log_config(tmp_path)
    config.write_text(config.read_text().replace("pattern: common, ", ""))
    assert main(["watch", "--config", str(config), "--for", "1s"]) == 0
    said = capsys.readouterr().err
    assert "no known pattern fits the lines so far; name one with pattern" in said and "monitor." not in said
