"""The access log of a web server: followed as it grows, or read from its beginning."""

from __future__ import annotations

import gzip
import os
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from aiops_nb.collect.access_log.follow import PIECE_BYTES, LogFollow
from aiops_nb.collect.access_log.lines import AccessLogLines
from aiops_nb.collect.access_log.targets import TargetChoice
from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.json_lines.line_buffer import LineBuffer, check_line_limit
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.core.clock import Clock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import empty_batch

LOOK_SECONDS = 0.05
_GZIP = b"\x1f\x8b"


class AccessLog:
    """Follows an access log; each line becomes a row of `requests` with the origin `traffic`.

    Rotation by rename and by truncation and a file that does not exist yet are followed as `tail -F` does.

    Parameters
    ----------
    path
        The file; its folder exists.
    pattern
        `combined`, `common`, `timed` (combined with nginx's `$request_time` after it), `json` (an object a line), a
        `log_format` of nginx with its `$variables`, or a regular expression (RE2) with groups named `time`,
        `client_ip`, `method`, `path` or `request`, `status_code`, `response_bytes`, and `duration_seconds`,
        `duration_ms` or `duration_us`. All but the time may be missing.
    target
        What a request's target is: `template` (the path without its query, what looks like an identifier replaced by
        `{id}`), `path` (without its query), or a function of the URI as it was logged.
    name
        The `source` of the rows.
    from_start
        Whether the lines that are there already are wanted.
    max_targets
        How many different targets there may be; later ones are `__other__`.
    max_line_bytes
        Longer lines are skipped and counted.
    unknown_fields
        What becomes of keys of JSON lines that no field is for: `drop` counts them, `keep` also puts them into `extra`.
    clock
        Tells how long a renamed file has been quiet.

    Raises
    ------
    ConfigError
        Naming the parameter, what was expected and what came.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = AccessLog(Path(folder) / "access.log", pattern="common")
    ...     line = '10.0.0.7 - - [10/Oct/2000:13:55:36 -0700] "GET /orders/17 HTTP/1.1" 200 12'
    ...     _ = log.path.write_text(line + chr(10))
    ...     targets = log.poll(timeout_seconds=5)["target"].to_pylist()
    ...     log.close()
    >>> targets
    ['/orders/{id}']
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        pattern: str = "combined",
        target: TargetChoice = "template",
        name: str = "access_log",
        from_start: bool = False,
        max_targets: int = 1000,
        max_line_bytes: int = 65_536,
        unknown_fields: UnknownFields = "drop",
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self._lines = AccessLogLines(
            name, pattern=pattern, target=target, max_targets=max_targets, unknown_fields=unknown_fields
        )
        self._follow = LogFollow(
            path,
            from_start=from_start,
            max_line_bytes=max_line_bytes,
            on_too_long=self._lines.reject_too_long,
            clock=clock,
        )
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._bytes_total = 0

    @property
    def path(self) -> Path:
        """The file that is followed."""
        return self._follow.path

    @property
    def counters(self) -> Mapping[str, float]:
        """Rows, bytes, rotations, truncations, unknown fields, and rejected lines by reason."""
        rejected = {f"rejected_{reason}_total": count for reason, count in dict(self._lines.rejected_total).items()}
        return {
            "rows_total": self._lines.rows_total,
            "bytes_total": self._bytes_total,
            "rotations_total": self._follow.rotations_total,
            "truncations_total": self._follow.truncations_total,
            "unknown_fields_total": self._lines.unknown.total,
            "rejected_too_long_total": 0,
            **rejected,
        }

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, and why."""
        return list(self._lines.rejected)

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
            self._follow.close()

    def _next(self) -> pa.RecordBatch:
        with self._lock:
            chunk = b"" if self._closing.is_set() else self._follow.read()
        self._bytes_total += len(chunk)
        return self._lines.decode(chunk) if chunk else empty_batch("requests")


def read_access_log(
    path: str | os.PathLike[str],
    *,
    pattern: str = "combined",
    target: TargetChoice = "template",
    name: str = "access_log",
    max_targets: int = 1000,
    max_line_bytes: int = 65_536,
    unknown_fields: UnknownFields = "drop",
    lines: AccessLogLines | None = None,
) -> Iterator[pa.RecordBatch]:
    """Read a log that is complete, in memory that does not grow with it; `.gz` is unpacked on the way.

    Parameters
    ----------
    path
        The file.
    pattern, target, name, max_targets, max_line_bytes, unknown_fields
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
        If the file cannot be read, or the pattern or the target is not one.
    """
    decoder = lines or AccessLogLines(
        name, pattern=pattern, target=target, max_targets=max_targets, unknown_fields=unknown_fields
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


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file, unpacked if it is packed, whatever its name."""
    with path.open("rb") as file:
        is_packed = file.peek(len(_GZIP)).startswith(_GZIP) or path.suffix == ".gz"
        yield cast("BinaryIO", gzip.GzipFile(fileobj=file)) if is_packed else file


def _rows(decoder: AccessLogLines, chunk: bytes) -> Iterator[pa.RecordBatch]:
    batch = decoder.decode(chunk) if chunk else empty_batch("requests")
    if batch.num_rows:
        yield batch
