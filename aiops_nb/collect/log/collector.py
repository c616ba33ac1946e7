"""A log file: followed as it grows, its lines rows of `messages`."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from aiops_nb.collect.access_log.files import LogFiles
from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.log.lines import UTF_16, LogForm, LogLines
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import empty_batch

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
HELD_SECONDS = 0.5  # so long a line waits for lines that belong to it


class LogFile:
    """Follows a log of plain or JSON lines; each line, or each with its stack trace, becomes a row of `messages`.

    Rotation by rename and by truncation and a file that does not exist yet are followed as `tail -F` does. Times and
    severities are found in the forms of common loggers; a line without a time has that of the line before, the first
    ones that of their arrival. Passwords, tokens and keys are replaced by `***` before anything is recorded.

    Parameters
    ----------
    path
        The file, in a folder that exists; or a pattern with `*` for several, of which new ones are found as they come.
    form
        `text`, `json`, or `auto`: a line is JSON if it is an object with a message.
    pattern
        A regular expression (RE2) with groups named `time`, `severity`, `target` or `text`, for lines in a form that
        is not known.
    name
        The `source` of the rows.
    target
        The `target` of the rows; None: the program that syslog names, else the name of the file without its suffix.
    from_start
        Whether the lines that are there already are read.
    fields
        Name in JSON lines by field (`time`, `severity`, `text`, `target`, `trace`), before the names that are known.
    time_format
        Of `datetime.strptime`, for the time at the beginning of a line, or of JSON lines; or `s`, `ms`, `us`, `ns`.
    timezone
        Of times without an offset: a name such as `Europe/Paris`, or `local`. None: UTC.
    join
        Whether stack traces and indented lines belong to the line before.
    redact
        Further regular expressions (RE2) of what is replaced by `***`.
    max_line_bytes
        Longer lines are skipped and counted.
    max_text_characters
        A longer text is cut.
    clock
        Says how long a file has been quiet, and when a line came that has no time.

    Raises
    ------
    ConfigError
        Naming the parameter, what was expected and what came.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = LogFile(Path(folder) / "shop.log")
    ...     _ = log.path.write_text("2026-12-01T10:00:00Z ERROR no route to db-1" + chr(10))
    ...     batch = log.poll(timeout_seconds=5)
    ...     log.close()
    >>> batch["target"].to_pylist(), batch["severity"].to_pylist(), batch["text"].to_pylist()
    (['shop'], ['error'], ['no route to db-1'])
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        form: LogForm = "auto",
        pattern: str | None = None,
        name: str = "log",
        target: str | None = None,
        from_start: bool = False,
        fields: Mapping[str, str] | None = None,
        time_format: str | None = None,
        timezone: str | None = None,
        join: bool = True,
        redact: Sequence[str] = (),
        max_line_bytes: int = 65_536,
        max_text_characters: int = 8_192,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._clock = clock or SystemClock()
        self._target = target
        self._make_lines = partial(
            LogLines,
            name,
            form=form,
            pattern=pattern,
            fields=fields,
            time_format=time_format,
            timezone=timezone,
            join=join,
            redact=redact,
            max_text_characters=max_text_characters,
            clock=self._clock,
        )
        self._all = self._make_lines()  # counts lines that are too long, which are not known by file
        self._by_file: dict[str, LogLines] = {}
        self._held_since: dict[str, float] = {}
        self._files = LogFiles(
            path,
            from_start=from_start,
            max_line_bytes=max_line_bytes,
            on_too_long=self._all.reject_too_long,
            clock=self._clock,
        )
        for file, head in self._files.heads():
            if head.startswith(UTF_16):
                raise ConfigError.at("path", "a log in UTF-8 (UTF-16 is not read)", str(file or path))
        for problem in self._files.problems.values():
            _log.warning("%s: %s", name, problem)
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._bytes_total = 0

    @property
    def path(self) -> Path:
        """The file that is followed, or the pattern."""
        return self._files.path

    @property
    def problems(self) -> Mapping[str, str]:
        """What a user should know now, by subject: a file that is missing, lines that are rejected."""
        found = {subject: text for lines in self._every() for subject, text in lines.problems.items()}
        return {**self._files.problems, **found}

    @property
    def counters(self) -> Mapping[str, float]:
        """Rows, bytes, files, rotations, truncations, joined and cut lines, rejected lines by reason."""
        total: dict[str, float] = {}
        for lines in self._every():
            for name, count in lines.counters.items():
                total[name] = total.get(name, 0) + count
        return {
            **total,
            "bytes_total": self._bytes_total,
            "files": self._files.files_total,
            "rotations_total": self._files.rotations_total,
            "truncations_total": self._files.truncations_total,
        }

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, and why."""
        return [line for lines in self._every() for line in lines.rejected]

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next messages; an empty batch if no line came; None after `close`."""
        left_seconds = timeout_seconds
        while not self._closing.is_set():
            batch = self._next()
            if batch.num_rows or left_seconds <= 0:
                return batch
            self._closing.wait(min(left_seconds, LOOK_SECONDS))
            left_seconds -= LOOK_SECONDS
        return None

    def close(self) -> None:
        """End a waiting `poll` and close the file."""
        self._closing.set()
        with self._lock:
            self._files.close()

    def _every(self) -> list[LogLines]:
        return [self._all, *list(self._by_file.values())]

    def _next(self) -> pa.RecordBatch:
        with self._lock:
            file, chunk = ("", b"") if self._closing.is_set() else self._files.read()
        if not chunk:
            return self._flushed()
        self._bytes_total += len(chunk)
        lines = self._by_file.get(file)
        if lines is None:
            lines = self._by_file[file] = self._make_lines(target=self._target_of(file))
        self._held_since[file] = self._clock.monotonic_seconds()
        return lines.decode(chunk)

    def _flushed(self) -> pa.RecordBatch:
        """What a file has held for long enough."""
        now_seconds = self._clock.monotonic_seconds()
        for file, since_seconds in list(self._held_since.items()):
            if now_seconds - since_seconds >= HELD_SECONDS:
                del self._held_since[file]
                batch = self._by_file[file].flush()
                if batch.num_rows:
                    return batch
        return empty_batch("messages")

    def _target_of(self, file: str) -> str:
        return self._target or Path(file or self.path).name.split(".")[0] or "log"
