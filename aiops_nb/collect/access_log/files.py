"""The files that a path or a pattern with `*` names, each followed; new ones are found as they come."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from aiops_nb.collect.access_log.follow import PIECE_BYTES, Identity, LogFollow
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError

_log = logging.getLogger(__name__)

MOST_FILES = 100
LOOK_SECONDS = 1.0
HEAD_BYTES = 1 << 16
_KNOWN_BYTES = 256
_MOST_REMEMBERED = 1_000
_GZIP = b"\x1f\x8b"


class LogFiles:
    """Follows one file, or all that a pattern such as `logs/*.log` names, in the order of their names.

    Parameters
    ----------
    path
        Of a file, which may come later, in a folder that exists; or with `*`, `?` or `[...]`. At most 100 files.
    from_start
        Whether the lines that are there already are read; files that come later are read whole.
    max_line_bytes, on_too_long, clock
        See `LogFollow`.

    Raises
    ------
    ConfigError
        If the folder does not exist, the file cannot be read, or is compressed.
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
        self.path = Path(path)
        self._clock = clock or SystemClock()
        self._follow = partial(LogFollow, max_line_bytes=max_line_bytes, on_too_long=on_too_long, clock=self._clock)
        self._is_pattern = glob.has_magic(str(path)) and not self.path.exists()
        self._followed: dict[str, LogFollow] = {}
        self._begun: dict[Identity, bytes] = {}
        self._faults: dict[str, str] = {}
        self._turn = 0
        self._looked_seconds = self._clock.monotonic_seconds()
        if self._is_pattern:
            _check_root(self.path)
            self._look(from_start=from_start)
        else:
            _check_packing(self.path)
            self._followed[""] = self._follow(self.path, from_start=from_start)

    @property
    def problems(self) -> dict[str, str]:
        """What is missing or cannot be read, by file."""
        if self._is_pattern:
            return (
                dict(self._faults) if self._followed or self._faults else {"file": f"no file matches {self.path} yet"}
            )
        follow = self._followed.get("")
        if follow is None or not follow.is_absent:
            return {}
        state = "was removed or renamed; waiting for it to come back" if follow.has_opened else "file not found yet"
        return {"file": f"{self.path}: {state}"}

    @property
    def rotations_total(self) -> int:
        """Of all files."""
        return sum(follow.rotations_total for follow in list(self._followed.values()))

    @property
    def truncations_total(self) -> int:
        """Of all files."""
        return sum(follow.truncations_total for follow in list(self._followed.values()))

    @property
    def files_total(self) -> int:
        """How many files are there and read."""
        return sum(follow.has_opened for follow in list(self._followed.values()))

    def heads(self) -> Iterator[tuple[str, bytes]]:
        """Of each file that is there, its first and last whole lines, about 64 KiB of each."""
        for name, follow in self._followed.items():
            if follow.has_opened:
                yield name, _head(follow.path)

    def read(self) -> tuple[str, bytes]:
        """The next whole lines, and of which file; empty if there are none now. One file after the other is asked.

        Raises
        ------
        OSError
            If the file cannot be read, its absence apart; one of several is listed in `problems`.
        """
        if self._is_pattern and self._clock.monotonic_seconds() - self._looked_seconds >= LOOK_SECONDS:
            self._look(from_start=True)
        names = list(self._followed)
        for place in range(len(names)):
            name = names[(self._turn + place) % len(names)]
            lines = self._read(name)
            if lines:
                self._turn = (self._turn + place + 1) % len(names)
                return name, lines
        return "", b""

    def close(self) -> None:
        """Close what is open."""
        for follow in self._followed.values():
            follow.close()

    def _read(self, name: str) -> bytes:
        if not self._is_pattern:
            return self._followed[name].read()
        try:
            lines = self._followed[name].read()
        except OSError as problem:
            self._faults[name] = str(problem.strerror or problem)
            return b""
        self._faults.pop(name, None)
        return lines

    def _look(self, *, from_start: bool) -> None:
        """Follow the files that are new."""
        self._looked_seconds = self._clock.monotonic_seconds()
        self._remember()
        for name in sorted(glob.glob(str(self.path), recursive=True)):  # noqa: PTH207 - a relative or absolute pattern
            if name in self._followed or not Path(name).is_file():
                continue
            if len(self._followed) >= MOST_FILES:
                self._faults["file"] = f"more than {MOST_FILES} files match {self.path}; the others are not read"
                return
            try:
                self._begin(name, from_start=from_start)
            except (OSError, ConfigError) as problem:
                self._fault(name, str(problem))

    def _begin(self, name: str, *, from_start: bool) -> None:
        status = Path(name).stat()
        identity = (status.st_dev, status.st_ino)
        beginning = _beginning(name)
        is_open = any(identity in follow.identities for follow in self._followed.values())
        known = self._begun.get(identity)
        if is_open or (known and beginning.startswith(known)):
            self._begun[identity] = beginning
            return  # one that was renamed, and is read to its end under its old name
        _check_packing(Path(name))
        self._followed[name] = self._follow(name, from_start=from_start)
        self._begun[identity] = beginning
        self._faults.pop(name, None)

    def _fault(self, name: str, text: str) -> None:
        if self._faults.get(name) != text:
            _log.warning("%s", text)
        self._faults[name] = text

    def _remember(self) -> None:
        """Keep how each file begins, by its identity, so that it is known again under another name."""
        for follow in self._followed.values():
            for identity in follow.identities:
                if len(self._begun.get(identity, b"")) < _KNOWN_BYTES and _identity(follow.path) == identity:
                    self._begun[identity] = _beginning(follow.path)
        while len(self._begun) > _MOST_REMEMBERED:
            self._begun.pop(next(iter(self._begun)))


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _beginning(path: str | Path) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(_KNOWN_BYTES)
    except OSError:
        return b""


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            end = file.seek(0, os.SEEK_END)
            if end > 2 * HEAD_BYTES:
                file.seek(end - HEAD_BYTES)
                tail = file.read(HEAD_BYTES)
                return head[: head.rfind(b"\n") + 1] + tail[tail.find(b"\n") + 1 : tail.rfind(b"\n") + 1]
            file.seek(0)
            head = file.read(min(end, 2 * HEAD_BYTES + PIECE_BYTES))
            return head[: head.rfind(b"\n") + 1]
    except OSError:
        return b""


def _check_root(path: Path) -> None:
    """The folders before the first `*` exist."""
    fixed = [part for part in path.parts]
    magic = next(place for place, part in enumerate(fixed) if glob.has_magic(part))
    root = Path(*fixed[:magic]) if magic else Path()
    if not root.is_dir():
        raise ConfigError.at("path", "a pattern for files in a folder that exists", str(path))


def _check_packing(path: Path) -> None:
    if path.is_file() and _beginning(path).startswith(_GZIP):
        raise ConfigError.at(
            "path", "a log that is still written to (read_access_log reads compressed ones)", str(path)
        )
