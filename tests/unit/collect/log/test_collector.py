"""Log files that are followed: rotation, truncation, held lines, several files, hostile bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aiops_nb.collect.log.collector import LogFile
from aiops_nb.core.errors import ConfigError


def texts_of(log: LogFile, count: int) -> list[tuple[str, str]]:
    """Target and text of so many messages."""
    found: list[tuple[str, str]] = []
    deadline = time.monotonic() + 20.0
    while len(found) < count:
        assert time.monotonic() < deadline, found
        batch = log.poll(1.0)
        assert batch is not None
        found += zip(batch["target"].to_pylist(), batch["text"].to_pylist(), strict=True)
    return found


def append(path: Path, text: str) -> None:
    """Add to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def renamed(path: Path) -> None:
    """Rotation by rename."""
    path.rename(path.with_suffix(".log.1"))
    append(path, "c\n")


def truncated(path: Path) -> None:
    """Rotation by truncation."""
    path.write_text("c\n")


@pytest.mark.parametrize("rotate", [renamed, truncated])
def test_a_log_is_followed_over_its_rotation(tmp_path: Path, rotate: Callable[[Path], None]) -> None:
    """What was there before is not read; each line comes once."""
    path = tmp_path / "shop.log"
    append(path, "old\n")
    log = LogFile(path)
    append(path, "a\nb\n")
    assert texts_of(log, 2) == [("shop", "a"), ("shop", "b")]
    rotate(path)
    assert texts_of(log, 1) == [("shop", "c")]
    assert log.counters["rotations_total"] + log.counters["truncations_total"] == 1
    log.close()


def test_a_held_line_comes_when_nothing_follows(tmp_path: Path) -> None:
    """The last entry waits for its trace, half a second at most."""
    path = tmp_path / "shop.log"
    log = LogFile(path)
    append(path, "boom\n")
    assert log.poll(0.0).num_rows == 0  # type: ignore[union-attr]
    append(path, "\tat a.B.c(B.java:7)\n")
    assert texts_of(log, 1) == [("shop", "boom\n\tat a.B.c(B.java:7)")]
    log.close()


def test_several_files_keep_their_traces_apart(tmp_path: Path) -> None:
    """Each file is a target, and joins its own lines."""
    log = LogFile(tmp_path / "*.log", from_start=True)
    append(tmp_path / "a.log", "boom a\n")
    append(tmp_path / "b.log", "boom b\n\tat b\nnext\n")
    found = texts_of(log, 3)
    assert sorted(found) == [("a", "boom a"), ("b", "boom b\n\tat b"), ("b", "next")]
    log.close()


def test_a_line_of_ten_megabytes_is_skipped_and_counted(tmp_path: Path) -> None:
    """Memory does not grow with a line; the lines around it are read."""
    path = tmp_path / "shop.log"
    log = LogFile(path)
    append(path, "one\n" + "x" * 10_000_000 + "\ntwo\n")
    assert [text for _, text in texts_of(log, 2)] == ["one", "two"]
    assert log.counters["rejected_too_long_total"] == 1
    log.close()


def test_utf_16_is_refused_aloud(tmp_path: Path) -> None:
    """A file of UTF-16 is refused when it is there, and is a problem when it comes later."""
    path = tmp_path / "shop.log"
    log = LogFile(path)
    path.write_bytes("hello\n".encode("utf-16"))
    log.poll(0.5)
    assert "UTF-16" in log.problems["encoding"]
    log.close()
    with pytest.raises(ConfigError, match="UTF-8"):
        LogFile(path)
