"""Lines of an access log to batches of requests, a chunk at a time, in Arrow's kernels."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.fields import PatternFields
from aiops_nb.collect.access_log.json import JsonFields
from aiops_nb.collect.access_log.pattern import REQUEST, line_pattern
from aiops_nb.collect.access_log.targets import LogTargets, TargetChoice
from aiops_nb.collect.access_log.times import UNKNOWN_NS, LogTimes
from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.json_lines.unknown_fields import UnknownCount, UnknownFields
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import Column, empty_batch, make_batch
from aiops_nb.core.types import BoolArray, IntArray

_SHOWN_BYTES = 200
_WHOLE = r"^[0-9]{1,18}$"
_FRACTION = r"^[0-9]{1,12}(?:\.[0-9]{0,12})?(?:[eE]-?[0-9]{1,2})?$"
_SECONDS_PER_UNIT = {"duration_seconds": 1.0, "duration_ms": 1e-3, "duration_us": 1e-6}
_DETAILS = {
    "not_the_pattern": "the line does not look like the pattern",
    "time_not_understood": "expected 10/Oct/2000:13:55:36 -0700, ISO 8601 or seconds since 1970, up to the year 2261",
    "status_out_of_range": "expected a status of 100 to 999",
    "not_a_number": "a duration or a size is not a number",
    "too_long": "longer than is read",
}


class AccessLogLines:
    r"""Decodes whole lines into batches of `requests` of the origin `traffic`.

    Lines that are not used are counted by reason: `not_the_pattern`, `time_not_understood`, `status_out_of_range`,
    `not_a_number`. What the server logged as `-` is null; a request line that is none has the target `-`.

    Parameters
    ----------
    source
        The `source` of the rows.
    pattern, target, max_targets
        See `AccessLog`.
    unknown_fields
        What becomes of the keys of JSON lines that no field is for: `drop` counts them, `keep` also puts them into
        the column `extra`.
    max_samples
        How many rejected lines are kept to be shown; the last ones.

    Examples
    --------
    >>> lines = AccessLogLines("web", pattern="common")
    >>> batch = lines.decode(b'10.0.0.7 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b HTTP/1.1" 200 12\nhello\n')
    >>> batch["target"].to_pylist(), batch["client_ip"].to_pylist(), dict(lines.rejected_total)
    (['/a'], ['10.0.0.7'], {'not_the_pattern': 1})
    """

    def __init__(
        self,
        source: str,
        *,
        pattern: str = "combined",
        target: TargetChoice = "template",
        max_targets: int = 1000,
        max_samples: int = 20,
        unknown_fields: UnknownFields = "drop",
    ) -> None:
        if unknown_fields == "keep" and pattern != "json":
            raise ConfigError.at("unknown_fields", "drop, for only JSON lines have other fields", unknown_fields)
        self.source = source
        self.rows_total = 0
        self.rejected_total: Counter[str] = Counter()
        self.rejected: deque[RejectedLine] = deque(maxlen=max_samples)
        self.unknown = UnknownCount(unknown_fields)
        self._fields = JsonFields(self.unknown) if pattern == "json" else PatternFields(line_pattern(pattern))
        self._times = LogTimes()
        self._targets = LogTargets(target, max_targets)

    def decode(self, chunk: bytes) -> pa.RecordBatch:
        """The requests of whole lines; the batch is empty if none of them is one."""
        texts = _line_texts(chunk)
        columns, places = self._fields.extract(texts)
        if len(places) < len(texts):
            self._reject(texts, np.setdiff1d(np.arange(len(texts)), places, assume_unique=True), "not_the_pattern")
        if not len(places):
            return empty_batch("requests")
        return self._batch(texts, _with_request(columns, len(places)), places)

    def reject_too_long(self, beginning: bytes) -> None:
        """Count a line that was not held, for its length."""
        self._count("too_long", 1, [beginning])

    def _batch(self, texts: pa.Array, columns: dict[str, pa.Array], places: IntArray) -> pa.RecordBatch:
        time_ns = self._times.parse(columns.get("time", pa.nulls(len(places), pa.binary())).fill_null(b""))
        status, bad_status = _status(columns.get("status_code"), len(places))
        duration, bad_duration = _duration(columns, len(places))
        size, bad_size = _number(columns.get("response_bytes"), _WHOLE, pa.int64(), len(places))
        reasons = {
            "time_not_understood": time_ns == UNKNOWN_NS,
            "status_out_of_range": bad_status,
            "not_a_number": bad_duration | bad_size,
        }
        values: dict[str, Column] = {
            "time": time_ns,
            "origin": "traffic",
            "target": self._targets.of(columns["path"]),
            "method": _text(columns["method"]).dictionary_encode(),
            "status_code": status,
            "duration_seconds": duration,
            "client_ip": _text(columns.get("client_ip", pa.nulls(len(places), pa.binary()))),
            "response_bytes": size,
            "extra": columns.get("extra"),
        }
        batch = self._kept(make_batch("requests", self.source, values), texts, places, reasons)
        self.rows_total += batch.num_rows
        return batch

    def _kept(
        self, batch: pa.RecordBatch, texts: pa.Array, places: IntArray, reasons: Mapping[str, BoolArray]
    ) -> pa.RecordBatch:
        """The rows that no reason speaks against; a line is counted for its first reason."""
        good = np.ones(len(places), np.bool_)
        for reason, bad in reasons.items():
            self._reject(texts, places[good & bad], reason)
            good &= ~bad
        return batch if good.all() else batch.filter(pa.array(good))

    def _reject(self, texts: pa.Array, places: IntArray, reason: str) -> None:
        if not len(places):
            return
        last = texts.take(pa.array(places[-(self.rejected.maxlen or 0) :])).to_pylist()
        self._count(reason, len(places), last)

    def _count(self, reason: str, lines: int, last: Sequence[bytes]) -> None:
        self.rejected_total[reason] += lines
        for text in last:
            shown = text[:_SHOWN_BYTES].decode("utf-8", "replace").rstrip()
            self.rejected.append(RejectedLine(reason=reason, detail=_DETAILS[reason], line=shown))


def _line_texts(chunk: bytes) -> pa.Array:
    """The lines that are not empty, without a copy of them if none is."""
    if b"\r" in chunk:  # ten times as fast as a search for both
        chunk = chunk.replace(b"\r\n", b"\n")
    ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")) + 1
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    texts = pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(chunk)])
    lengths = np.diff(offsets)
    return texts if lengths.min(initial=2) > 1 else texts.filter(pa.array(lengths > 1))


def _with_request(columns: dict[str, pa.Array], rows: int) -> dict[str, pa.Array]:
    """With method and path, from the request line if they were not logged apart."""
    request = columns.get("request")
    if request is not None:
        parts = pc.extract_regex(request, f"^{REQUEST}$")
        columns = {"method": parts.field("method"), "path": parts.field("path"), **columns}
    unknown = pa.nulls(rows, pa.binary())
    return {**columns, "method": columns.get("method", unknown), "path": columns.get("path", unknown).fill_null(b"")}


def _known(column: pa.Array) -> pa.Array:
    """With null where the server had nothing to log."""
    absent = pc.or_(pc.equal(column, b"-"), pc.equal(pc.binary_length(column), 0))
    return pc.if_else(absent, pa.scalar(None, pa.binary()), column)


def _text(column: pa.Array) -> pa.Array:
    known = _known(column)
    try:
        return known.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8
        return pa.array([None if v is None else v.decode("utf-8", "replace") for v in known.to_pylist()], pa.string())


def _number(column: pa.Array | None, form: str, kind: pa.DataType, rows: int) -> tuple[pa.Array, BoolArray]:
    """Numbers, null where there are none, and where something else stands, (n,)."""
    if column is None:
        return pa.nulls(rows, kind), np.zeros(rows, np.bool_)
    known = _known(column)
    fits = pc.match_substring_regex(known, form)
    bad: BoolArray = pc.invert(fits).fill_null(False).to_numpy(zero_copy_only=False)
    if bad.any():
        known = pc.if_else(fits, known, pa.scalar(None, pa.binary()))
    return known.cast(pa.string()).cast(kind), bad


def _status(column: pa.Array | None, rows: int) -> tuple[pa.Array, BoolArray]:
    return _number(column, r"^[1-9][0-9]{2}$", pa.int16(), rows)


def _duration(columns: Mapping[str, pa.Array], rows: int) -> tuple[pa.Array, BoolArray]:
    for field, seconds in _SECONDS_PER_UNIT.items():
        if field in columns:
            numbers, bad = _number(columns[field], _FRACTION, pa.float64(), rows)
            return (numbers if seconds == 1.0 else pc.multiply(numbers, seconds)), bad
    return pa.nulls(rows, pa.float64()), np.zeros(rows, np.bool_)
