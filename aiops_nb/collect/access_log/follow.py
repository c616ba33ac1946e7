"""The lines that are added to a file, whatever the rotation does with it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TypeAlias

from aiops_nb.collect.json_lines.line_buffer import LineBuffer, check_line_limit
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError

PIECE_BYTES = 1 << 20
REMEMBERED_BYTES = 256  # of a line, which says when it was written
QUIET_SECONDS = 5.0  # a server goes on writing to a file that was renamed until it opens the new one
Identity: TypeAlias = tuple[int, int]


class LogFollow:
    """Follows a file by its name, as `tail -F` does: rotation by rename and by truncation, a file that comes later.

    A renamed file is read on until it has been quiet for 5 s, like the new one. A file that was cut is read from its
    beginning, also when it has grown past the old place again before it was looked at: other bytes are before that
    position then. What was cut off before it was read is lost.

    Parameters
    ----------
    path
        The file; its folder exists.
    from_start
        Whether the lines that are there already are wanted.
    max_line_bytes
        Longer lines are skipped and counted.
    on_too_long
        Is called with the beginning of each line that is skipped.
    clock
        Measures how long a renamed file has been quiet.

    Raises
    ------
    ConfigError
        If the folder does not exist, or what has the name cannot be read or is no file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        from_start: bool = False,
        max_line_bytes: int = 65_536,
        on_too_long: Callable[[bytes], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        check_line_limit(max_line_bytes)
        self.path = _checked(path)
        self.is_absent = False
        self.rotations_total = 0
        self.truncations_total = 0
        self._buffered = partial(LineBuffer, max_line_bytes=max_line_bytes, on_too_long=on_too_long)
        self._clock = clock or SystemClock()
        self._tails: list[_Tail] = []
        try:
            self._look(from_start=from_start)
        except OSError as problem:
            raise ConfigError(
                f"path: expected a file that can be read, got {str(path)!r} ({problem.strerror})"
            ) from None

    def read(self) -> bytes:
        """The next whole lines, about 1 MiB at most; empty if there are none now.

        Raises
        ------
        OSError
            If the file cannot be opened or read, its absence apart.
        """
        for tail in self._tails:
            lines = self._read_tail(tail)
            if lines:
                return lines
        return self._retired() or (self.read() if self._look(from_start=True) else b"")

    @property
    def has_opened(self) -> bool:
        """Whether the file has been there."""
        return bool(self._tails)

    @property
    def identities(self) -> set[Identity]:
        """Device and number of the files that are read."""
        return {tail.identity for tail in self._tails}

    def close(self) -> None:
        """Close what is open."""
        for tail in self._tails:
            tail.file.close()
        self._tails.clear()

    def _read_tail(self, tail: _Tail) -> bytes:
        if tail.was_cut():
            self.truncations_total += 1
        piece = tail.read()
        if not piece:
            return b""
        tail.quiet_since_seconds = self._clock.monotonic_seconds()
        return tail.lines.feed(piece)

    def _look(self, *, from_start: bool) -> bool:
        """Open what now has the name, if that is another file than the last one."""
        try:
            status = self.path.stat()
            self.is_absent = False
            if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for its other end
                raise OSError(errno.EINVAL, "expected a file, got something else", str(self.path))
            identity = _identity(status)
            if self._tails and self._tails[-1].identity == identity:
                return False
            file = FileIO(self.path, "rb")
        except FileNotFoundError:
            self.is_absent = True
            return False
        self.rotations_total += bool(self._tails)
        self._tails.append(_Tail(file, from_start, self._buffered, self._clock.monotonic_seconds()))
        return True

    def _retired(self) -> bytes:
        """Give up the oldest renamed file when it has been quiet; its last line, if that had no end."""
        if len(self._tails) < 2:
            return b""
        oldest = self._tails[0]
        if self._clock.monotonic_seconds() - oldest.quiet_since_seconds < QUIET_SECONDS:
            return b""
        self._tails.pop(0)
        oldest.file.close()
        return oldest.lines.finish()


class _Tail:
    """One open file, and where a line of it was left."""

    def __init__(self, file: FileIO, from_start: bool, buffered: Callable[..., LineBuffer], now_seconds: float) -> None:
        self.file = file
        self.identity = _identity(os.fstat(file.fileno()))
        self.quiet_since_seconds = now_seconds
        self._seen = b""
        is_inside_line = not from_start and self._begin_at_end()
        self.lines = buffered(is_inside_line=is_inside_line)

    def read(self) -> bytes:
        """The next bytes."""
        piece = self.file.read(PIECE_BYTES)
        self._seen = (self._seen + piece)[-REMEMBERED_BYTES:]
        return piece

    def was_cut(self) -> bool:
        """Begin again if the file is shorter than what was read of it, or has other bytes there now."""
        place = self.file.tell()
        new_bytes = os.fstat(self.file.fileno()).st_size - place
        if new_bytes == 0 or (new_bytes > 0 and self._is_unchanged_before(place)):
            return False
        self.file.seek(0)
        self._seen = b""
        self.lines.finish()
        return True

    def _is_unchanged_before(self, place: int) -> bool:
        self.file.seek(place - len(self._seen))
        bytes_now = self.file.read(len(self._seen))
        self.file.seek(place)
        return bytes_now == self._seen

    def _begin_at_end(self) -> bool:
        """Go to the end; whether that is inside a line."""
        end = self.file.seek(0, os.SEEK_END)
        begin = self.file.seek(max(0, end - REMEMBERED_BYTES))
        self._seen = self.file.read(end - begin)
        return not self._seen.endswith(b"\n") and end > 0


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


def _checked(path: str | os.PathLike[str]) -> Path:
    checked = Path(path)
    # A pipe or a terminal (where a container's logs may lead to) would hold the reader for ever.
    is_other = checked.exists() and not checked.is_file()
    if is_other or not checked.parent.is_dir():
        raise ConfigError.at("path", "a file, to come or there, in a folder that exists", str(checked))
    return checked
