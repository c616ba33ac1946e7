"""The access log of a web server: followed as it grows, or read whole."""

from __future__ import annotations

import gzip
import logging
import os
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from aiops_nb.collect.access_log.files import LogFiles
from aiops_nb.collect.access_log.follow import PIECE_BYTES
from aiops_nb.collect.access_log.lines import AccessLogLines, DurationUnit
from aiops_nb.collect.access_log.targets import TargetChoice
from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.json_lines.line_buffer import LineBuffer, check_line_limit
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import empty_batch

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.05
_GZIP = b"\x1f\x8b"


class AccessLog:
    """Follows an access log; each line becomes a row of `requests` with the origin `traffic`.

    Rotation by rename and by truncation and a file that does not exist yet are followed as `tail -F` does.

    Parameters
    ----------
    path
        The file, in a folder that exists; or a pattern with `*` for several, of which new ones are found as they come.
    pattern
        `auto` finds the form of the lines on the first of them, which `format_name` and `notices` say. Or a name
        (`combined`, `main`, `json`, `haproxy`, ...: `aiops_nb.collect.access_log.formats.NAMES`); a `log_format` of
        nginx, a `LogFormat` of Apache, a format of gunicorn or Envoy; or a regular expression (RE2) with groups named
        `time`, `client_ip`, `method`, `path` or `request`, `status_code`, `response_bytes`, and `duration_seconds`,
        `duration_ms`, `duration_us` or `duration_ns`. All but the time may be missing. Lines inside of Docker's,
        Kubernetes', the journal's or syslog's are taken out.
    target
        What a request's target is: `template` (the path without its query, what looks like an identifier replaced by
        `{id}`), `path` (without its query), or a function of the URI as it was logged.
    name
        The `source` of the rows.
    from_start
        Whether the lines that are there already are read.
    max_targets
        How many different targets there may be at a time; the rest are `__other__`.
    max_line_bytes
        Longer lines are skipped and counted.
    unknown_fields
        What becomes of keys of JSON lines that no field is for: `drop` counts them, `keep` also puts them into `extra`.
    fields
        Name in the log (a key, with dots into objects; a variable; a column) by field, before the names that are known:
        `{"status_code": "sc", "duration_ms": "took", "client_ip": "http_x_forwarded_for"}`.
    time_format
        Of `datetime.strptime`, for a time in an unusual form; or `s`, `ms`, `us`, `ns` since 1970.
    timezone
        Of times without an offset: a name such as `Europe/Paris`, or `local`. None: UTC, and this machine's for servers
        that log their local time (HAProxy, werkzeug, Django, http.server, Tornado, uWSGI, Gin).
    duration_unit
        `s`, `ms`, `us` or `ns`: of durations whose name says none. None: those are left out, which `problems` says.
    clock
        Says how long a renamed file has been quiet, and when a line came that has no time itself.

    Raises
    ------
    ConfigError
        Naming the parameter, what was expected and what came.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = AccessLog(Path(folder) / "access.log")
    ...     line = '10.0.0.7 - - [10/Oct/2000:13:55:36 -0700] "GET /orders/17 HTTP/1.1" 200 12'
    ...     _ = log.path.write_text(line + chr(10))
    ...     targets = log.poll(timeout_seconds=5)["target"].to_pylist()
    ...     log.close()
    >>> targets, log.format_name
    (['/orders/{id}'], 'common')
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        pattern: str = "auto",
        target: TargetChoice = "template",
        name: str = "access_log",
        from_start: bool = False,
        max_targets: int = 1000,
        max_line_bytes: int = 65_536,
        unknown_fields: UnknownFields = "drop",
        fields: Mapping[str, str] | None = None,
        time_format: str | None = None,
        timezone: str | None = None,
        duration_unit: DurationUnit | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        clock = clock or SystemClock()
        self._lines = AccessLogLines(
            name,
            pattern=pattern,
            target=target,
            max_targets=max_targets,
            unknown_fields=unknown_fields,
            fields=fields,
            time_format=time_format,
            timezone=timezone,
            duration_unit=duration_unit,
            now_ns=None if from_start else clock.now_ns,
        )
        self._files = LogFiles(
            path,
            from_start=from_start,
            max_line_bytes=max_line_bytes,
            on_too_long=self._lines.reject_too_long,
            clock=clock,
        )
        for file, head in self._files.heads():
            self._lines.look_at(head, file)
        for problem in self._files.problems.values():
            _log.warning("%s: %s", name, problem)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._bytes_total = 0

    @property
    def path(self) -> Path:
        """The file that is followed, or the pattern."""
        return self._files.path

    @property
    def format_name(self) -> str | None:
        """The name of the form of the lines; None while it is not found."""
        return self._lines.format_name

    @property
    def notices(self) -> Mapping[str, str]:
        """What was found and assumed, by subject: the pattern, the keys of JSON lines, the time zone."""
        return self._lines.notices

    @property
    def problems(self) -> Mapping[str, str]:
        """What a user should know now, by subject: a file that is missing, lines that are rejected."""
        return {**self._files.problems, **self._lines.problems}

    @property
    def counters(self) -> Mapping[str, float]:
        """Rows, bytes, files, rotations, truncations, unknown fields, durations left out, rejected lines by reason."""
        rejected = {f"rejected_{reason}_total": count for reason, count in dict(self._lines.rejected_total).items()}
        return {
            "rows_total": self._lines.rows_total,
            "bytes_total": self._bytes_total,
            "files": self._files.files_total,
            "rotations_total": self._files.rotations_total,
            "truncations_total": self._files.truncations_total,
            "unknown_fields_total": self._lines.unknown.total,
            "durations_without_unit_total": self._lines.without_unit_total,
            "rejected_too_long_total": 0,
            **rejected,
        }

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, why, and which pattern would read them."""
        return self._lines.rejected

    @property
    def unknown_fields(self) -> Mapping[str, int]:
        """How often each key of JSON lines came that no field is for; at most 100 names, the rest as `__other__`."""
        return self._lines.unknown.counts

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next requests; an empty batch if no line came; None after `close`."""
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

    def _next(self) -> pa.RecordBatch:
        with self._lock:
            file, chunk = ("", b"") if self._closing.is_set() else self._files.read()
        self._bytes_total += len(chunk)
        return self._lines.decode(chunk, file) if chunk else empty_batch("requests")


def read_access_log(
    path: str | os.PathLike[str],
    *,
    pattern: str = "auto",
    target: TargetChoice = "template",
    name: str = "access_log",
    max_targets: int = 1000,
    max_line_bytes: int = 65_536,
    unknown_fields: UnknownFields = "drop",
    fields: Mapping[str, str] | None = None,
    time_format: str | None = None,
    timezone: str | None = None,
    duration_unit: DurationUnit | None = None,
    lines: AccessLogLines | None = None,
) -> Iterator[pa.RecordBatch]:
    """Read a log that is complete, in memory that does not grow with it; gzip is uncompressed on the way.

    What is wrong with its lines is logged as a warning at the end.

    Parameters
    ----------
    path
        The file.
    pattern, target, name, max_targets, max_line_bytes, unknown_fields, fields, time_format, timezone, duration_unit
        As of `AccessLog`.
    lines
        Decodes instead of those; ask it afterwards what was rejected.

    Yields
    ------
    RecordBatch
        Requests in the order of the lines.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a parameter is wrong.
    """
    decoder = lines or AccessLogLines(
        name,
        pattern=pattern,
        target=target,
        max_targets=max_targets,
        unknown_fields=unknown_fields,
        fields=fields,
        time_format=time_format,
        timezone=timezone,
        duration_unit=duration_unit,
    )
    check_line_limit(max_line_bytes)
    buffer = LineBuffer(max_line_bytes=max_line_bytes, on_too_long=decoder.reject_too_long)
    try:
        with _opened(Path(path)) as file:
            while piece := file.read(PIECE_BYTES):
                yield from _rows(decoder, buffer.feed(piece))
    except (OSError, EOFError, zlib.error) as problem:
        raise ConfigError(
            f"path: expected a readable log file, got {str(path)!r} ({getattr(problem, 'strerror', None) or problem})"
        ) from None
    yield from _rows(decoder, buffer.finish())
    if lines is None:
        for problem_text in decoder.problems.values():
            _log.warning("%s: %s", path, problem_text)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file, uncompressed if it is gzip, whatever its name."""
    with path.open("rb") as file:
        is_gzip = file.peek(len(_GZIP)).startswith(_GZIP) or path.suffix == ".gz"
        yield cast("BinaryIO", gzip.GzipFile(fileobj=file)) if is_gzip else file


def _rows(decoder: AccessLogLines, chunk: bytes) -> Iterator[pa.RecordBatch]:
    batch = decoder.decode(chunk) if chunk else empty_batch("requests")
    if batch.num_rows:
        yield batch
