"""One file or many: patterns with `*`, files that come later, are renamed, or never come."""

from __future__ import annotations

import gzip
import logging
import os
from pathlib import Path

import pytest

from aiops_nb.collect.access_log.collector import AccessLog
from aiops_nb.collect.access_log.files import LOOK_SECONDS, MOST_FILES, LogFiles
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError

LINE = '10.0.0.7 - - [10/Oct/2025:13:00:00 +0000] "GET /{} HTTP/1.1" 200 5\n'


def targets_of(log: AccessLog) -> list[str]:
    """Of all rows that are there now."""
    found: list[str] = []
    while (batch := log.poll(0)) is not None and batch.num_rows:
        found += batch["target"].to_pylist()
    return found


def test_a_file_that_is_missing_is_reported_until_it_comes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "acces.log"
    log = AccessLog(path, name="web")
    assert log.problems == {"file": f"{path}: file not found yet"}
    assert caplog.messages == [f"web: {path}: file not found yet"]
    path.write_text(LINE.format("a"))
    assert targets_of(log) == ["/a"]
    assert log.problems == {}
    path.unlink()
    log.poll(0)
    assert "was removed or renamed" in log.problems["file"]
    log.close()


def test_all_files_of_a_pattern_are_read_and_new_ones_found(tmp_path: Path) -> None:
    clock = ManualClock()
    for name in ("b", "a"):
        (tmp_path / f"{name}.log").write_text(LINE.format(name))
    (tmp_path / "a.txt").write_text(LINE.format("no"))
    log = AccessLog(tmp_path / "*.log", from_start=True, clock=clock)
    assert targets_of(log) == ["/a", "/b"]
    (tmp_path / "c.log").write_text(LINE.format("c"))
    assert targets_of(log) == []
    clock.advance(LOOK_SECONDS)
    assert targets_of(log) == ["/c"]
    assert (log.counters["files"], log.problems) == (3, {})
    log.close()


def test_the_lines_of_a_pattern_that_were_there_are_left_out_by_default(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE.format("old"))
    log = AccessLog(tmp_path / "*.log")
    with (tmp_path / "a.log").open("a") as file:
        file.write(LINE.format("new"))
    assert targets_of(log) == ["/new"]
    log.close()


def test_each_file_of_a_pattern_has_its_own_form(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE.format("a"))
    (tmp_path / "b.log").write_text('{"ts": 1760101200, "status": 200, "path": "/b"}\n')
    (tmp_path / "c.log").write_text("#Fields: date time cs-uri-stem sc-status\n2025-10-10 13:00:00 /c 200\n")
    log = AccessLog(tmp_path / "*.log", from_start=True)
    assert sorted(targets_of(log)) == ["/a", "/b", "/c"]
    forms = {name: text.partition(" ")[0] for name, text in log.notices.items() if name.startswith("pattern")}
    assert sorted(forms.values()) == ["common", "json", "w3c"]
    log.close()


def test_a_renamed_file_is_not_read_twice(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "a.log"
    path.write_text(LINE.format("first"))
    log = AccessLog(tmp_path / "a.log*", from_start=True, clock=clock)
    assert targets_of(log) == ["/first"]
    for seconds in (1, 10, 10):
        path.rename(tmp_path / f"a.log.{seconds}") if path.exists() and seconds == 1 else None
        clock.advance(seconds)
        assert targets_of(log) == []
    path.write_text(LINE.format("second"))
    clock.advance(10)
    assert targets_of(log) == ["/second"]
    log.close()


def test_a_pattern_that_nothing_matches_is_reported(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "logs*" / "*.log")
    assert log.problems == {"file": f"no file matches {tmp_path}/logs*/*.log yet"}
    log.close()
    with pytest.raises(ConfigError, match="path: expected a pattern for files in a folder that exists"):
        AccessLog(tmp_path / "absent" / "*.log")


def test_a_file_whose_name_has_brackets_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "access[1].log"
    path.write_text(LINE.format("a"))
    log = AccessLog(path, from_start=True)
    assert targets_of(log) == ["/a"]
    log.close()


def test_a_compressed_file_is_not_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress(LINE.encode()))
    with pytest.raises(ConfigError, match="read_access_log reads compressed ones"):
        AccessLog(path)
    log = AccessLog(tmp_path / "*.gz")
    assert "read_access_log reads compressed ones" in log.problems[str(path)]
    log.close()
    assert [record.levelno for record in caplog.records][:1] == [logging.WARNING]


def test_the_number_of_files_is_bounded_and_said(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / f"{number:03}.log").touch()
    files = LogFiles(tmp_path / "*.log")
    assert files.files_total == MOST_FILES
    assert f"more than {MOST_FILES} files match" in files.problems["file"]
    files.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_one_file_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE.format("a"))
    (tmp_path / "a.log").chmod(0)
    (tmp_path / "b.log").write_text(LINE.format("b"))
    log = AccessLog(tmp_path / "*.log", from_start=True)
    assert targets_of(log) == ["/b"]
    assert str(tmp_path / "a.log") in log.problems
    log.close()


def test_the_form_of_a_file_is_known_before_its_next_line(tmp_path: Path) -> None:
    path = tmp_path / "iis.log"
    path.write_text("#Fields: date time cs-uri-stem sc-status\n2025-10-10 13:00:00 /old 200\n")
    log = AccessLog(path)
    assert log.format_name == "w3c"
    with path.open("a") as file:
        file.write("2025-10-10 13:00:00 /new 200\n")
    assert targets_of(log) == ["/new"]
    log.close()
