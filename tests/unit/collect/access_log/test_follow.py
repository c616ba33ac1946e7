"""Following a log through everything that rotation does to it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiops_nb.collect.access_log.collector import AccessLog
from aiops_nb.collect.access_log.follow import QUIET_SECONDS, LogFollow
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError

renames = pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be renamed there")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def follow(path: Path, clock: ManualClock) -> Iterator[Callable[..., LogFollow]]:
    made: list[LogFollow] = []

    def make(**options: bool | int) -> LogFollow:
        made.append(LogFollow(path, clock=clock, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.close()


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def test_only_what_comes_after_the_start(path: Path, follow: Callable[..., LogFollow]) -> None:
    append(path, "old\n")
    log = follow()
    append(path, "new\n")
    assert log.read() == b"new\n"
    assert log.read() == b""


def test_from_the_start(path: Path, follow: Callable[..., LogFollow]) -> None:
    append(path, "old\n")
    assert follow(from_start=True).read() == b"old\n"


def test_a_line_that_was_half_there_at_the_start_is_not_taken_for_a_whole(
    path: Path, follow: Callable[..., LogFollow]
) -> None:
    append(path, "old\nhal")
    log = follow()
    append(path, "f\nnew\n")
    assert log.read() == b"new\n"


def test_a_line_written_in_two_parts(path: Path, follow: Callable[..., LogFollow]) -> None:
    log = follow()
    append(path, "on")
    assert log.read() == b""
    append(path, "e\n")
    assert log.read() == b"one\n"


def test_a_file_that_comes_later_is_read_from_its_start(path: Path, follow: Callable[..., LogFollow]) -> None:
    log = follow()
    assert log.read() == b""
    append(path, "first\n")
    assert log.read() == b"first\n"


@renames
def test_rotation_by_rename_loses_nothing_of_either_file(
    path: Path, clock: ManualClock, follow: Callable[..., LogFollow]
) -> None:
    log = follow()
    append(path, "1\n")
    assert log.read() == b"1\n"
    append(path, "2\n")
    rotated = path.rename(path.with_suffix(".1"))
    append(path, "4\n")
    append(rotated, "3\n")  # the server has not opened the new file yet
    assert [log.read(), log.read(), log.read()] == [b"2\n3\n", b"4\n", b""]
    append(rotated, "5\nlast")
    assert log.read() == b"5\n"
    clock.advance(QUIET_SECONDS)
    assert [log.read(), log.read()] == [b"last\n", b""]
    append(path, "6\n")
    assert log.read() == b"6\n"
    assert log.rotations_total == 1


@renames
def test_many_rotations_keep_few_files_open(path: Path, clock: ManualClock, follow: Callable[..., LogFollow]) -> None:
    log = follow()
    for i in range(50):
        append(path, f"{i}\n")
        assert log.read() == f"{i}\n".encode()
        clock.advance(QUIET_SECONDS)
        path.rename(path.with_suffix(f".{i}"))
    assert log.rotations_total == 49
    assert len(log._tails) <= 2


def test_rotation_by_truncation(path: Path, follow: Callable[..., LogFollow]) -> None:
    log = follow()
    append(path, "one\ntwo\nhalf of a li")
    assert log.read() == b"one\ntwo\n"
    shutil.copy(path, path.with_suffix(".1"))
    path.write_bytes(b"")
    assert log.read() == b""
    append(path, "new\n")
    assert log.read() == b"new\n"
    assert log.truncations_total == 1


def test_truncated_and_written_between_two_looks(path: Path, follow: Callable[..., LogFollow]) -> None:
    log = follow()
    append(path, "one\ntwo\n")
    assert log.read() == b"one\ntwo\n"
    path.write_bytes(b"new\n")
    assert log.read() == b"new\n"


@pytest.mark.parametrize("from_start", [True, False])
def test_truncated_and_grown_longer_between_two_looks(
    from_start: bool, path: Path, follow: Callable[..., LogFollow]
) -> None:
    append(path, "one\ntwo\n")
    log = follow(from_start=from_start)
    assert log.read() == (b"one\ntwo\n" if from_start else b"")
    path.write_bytes(b"new 1\nnew 2\n")
    assert log.read() == b"new 1\nnew 2\n"
    append(path, "new 3\n")
    assert log.read() == b"new 3\n"
    assert log.truncations_total == 1


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no names in folders there")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_any_more_is_an_error_that_may_pass(
    make: Callable[[Path], None], path: Path, follow: Callable[..., LogFollow]
) -> None:
    log = follow()
    make(path)
    with pytest.raises(OSError, match="expected a file, got something else"):
        log.read()
    path.rmdir() if path.is_dir() else path.unlink()
    append(path, "one\n")
    assert log.read() == b"one\n"


@renames
def test_deleted_and_made_anew(path: Path, follow: Callable[..., LogFollow]) -> None:
    log = follow()
    append(path, "one\n")
    assert log.read() == b"one\n"
    path.unlink()
    assert log.read() == b""
    append(path, "two\n")
    assert log.read() == b"two\n"


def test_long_lines_are_skipped_and_counted(path: Path, follow: Callable[..., LogFollow]) -> None:
    skipped: list[bytes] = []
    log = follow(max_line_bytes=10, on_too_long=skipped.append)
    append(path, "x" * 100)
    assert log.read() == b""
    append(path, "x" * 100 + "\nok\n" + "y" * 1000 + "\n")
    assert log.read() == b"ok\n"
    assert skipped == [b"x" * 100, b"y" * 200]


@renames
def test_what_cannot_be_opened_is_an_error_that_may_pass(path: Path) -> None:
    log = AccessLog(path)
    path.symlink_to(path)  # to itself
    with pytest.raises(OSError, match=r"access\.log"):
        log.poll(0)
    path.unlink()
    append(path, "x\n")
    batch = log.poll(0)
    assert batch is not None
    assert log.counters["rejected_not_the_pattern_total"] == 1
    assert [line.line for line in log.rejected] == ["x"]
    log.close()
    assert log.poll(0) is None


@renames
def test_what_cannot_be_read_at_the_start_is_a_mistake(path: Path) -> None:
    path.symlink_to(path)
    with pytest.raises(ConfigError, match="path: expected a file that can be read"):
        AccessLog(path)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no such devices here")
def test_a_device_is_no_file() -> None:
    with pytest.raises(ConfigError, match="path: expected a file, to come or there"):
        AccessLog("/dev/null")
