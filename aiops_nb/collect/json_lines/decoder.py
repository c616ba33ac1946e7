"""Newline-delimited JSON to batches: all lines of a chunk at once, and line by line only where one is bad."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb.collect.json_lines.compiled import CompiledLines
from aiops_nb.collect.json_lines.shapes import (
    EventLine,
    FullRequestLine,
    Line,
    OpenEventLine,
    OpenLine,
    OpenRequestLine,
    OpenSampleLine,
    RequestLine,
    SampleLine,
    line_batches,
    line_times,
    open_shape_of,
    shape_of,
    tables_of,
    times_ns,
)
from aiops_nb.collect.json_lines.unknown_fields import UnknownCount, UnknownFields

_SHAPES: tuple[type[Line], ...] = (RequestLine, SampleLine, EventLine, FullRequestLine)
_OPEN_SHAPES: tuple[type[OpenLine], ...] = (OpenRequestLine, OpenSampleLine, OpenEventLine)
_NO_LINE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_SHOWN_BYTES = 200
_FEW_BYTES = 2_000


class RejectedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was not used: why, what the decoder said, how the line begins, and which setting would read it."""

    reason: str
    detail: str
    line: str
    suggestion: str = ""


class JsonLines:
    r"""Decodes chunks of bytes, cut anywhere, into `requests` and `samples` batches.

    A line is a request or a sample by the column names of our schemas, or an event of the older tool (`timestamp`,
    `endpoint`, `response_time` in ms, `cpu_usage` and `memory_usage` in percent). Requests have the origin `traffic`
    unless they say otherwise. Lines that are not used are counted by reason: `invalid_json`, `wrong_type`,
    `too_long`, `too_deep`, `time_out_of_range`.

    Parameters
    ----------
    source
        The `source` of the rows.
    host_label
        The `target` of the samples that events carry.
    max_line_bytes
        A longer line is skipped, and never held whole.
    max_samples
        How many rejected lines are kept to be shown; the last ones.
    unknown_fields
        What becomes of fields that no column is for: `drop` counts them, `keep` also puts them into `extra`.

    Examples
    --------
    >>> lines = JsonLines("demo")
    >>> batches = lines.feed(b'{"time": 1, "target": "a", "status_code": 200}\n{"time": 2,\n')
    >>> [batch.num_rows for batch in batches], dict(lines.rejected_total)
    ([1], {'invalid_json': 1})
    """

    def __init__(
        self,
        source: str,
        *,
        host_label: str = "host",
        max_line_bytes: int = 1_000_000,
        max_samples: int = 20,
        unknown_fields: UnknownFields = "drop",
    ) -> None:
        self.source = source
        self.host_label = host_label
        self.rows_total = 0
        self.rejected_total: Counter[str] = Counter()
        self.rejected: deque[RejectedLine] = deque(maxlen=max_samples)
        self._max_line_bytes = max_line_bytes
        self._rest = b""
        self._is_skipping = False
        self.unknown = UnknownCount(unknown_fields)
        self._decoders = {shape: msgspec.json.Decoder(shape) for shape in _SHAPES}
        self._open_decoders = {shape: msgspec.json.Decoder(shape) for shape in _OPEN_SHAPES}
        self._fields_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
        self._order: list[type[Line]] = list(_SHAPES)
        self._compiled = CompiledLines(source)

    def feed(self, data: bytes) -> list[pa.RecordBatch]:
        """Take the next bytes; the batches of all lines that they complete."""
        end = data.rfind(b"\n") + 1
        if end == 0:
            self._hold(data)
            return []
        chunk, self._rest = self._rest + data[:end], b""
        if self._is_skipping:
            self._is_skipping = False
            chunk = chunk[chunk.find(b"\n") + 1 :]
        self._hold(data[end:])
        return self._decode(chunk)

    def finish(self) -> list[pa.RecordBatch]:
        """The batches of a last line that has no line end."""
        chunk, self._rest, self._is_skipping = self._rest, b"", False
        return self._decode(chunk)

    def _hold(self, data: bytes) -> None:
        if self._is_skipping:
            return
        self._rest += data
        if len(self._rest) > self._max_line_bytes:
            self.reject("too_long", f"over {self._max_line_bytes} bytes", self._rest[:_SHOWN_BYTES])
            self._rest, self._is_skipping = b"", True

    def _decode(self, chunk: bytes) -> list[pa.RecordBatch]:
        if len(chunk) <= self._max_line_bytes:
            batch = self._compiled.batch(chunk)
            if batch is not None:
                self.rows_total += batch.num_rows
                return [batch]
        runs = _Runs()
        self._decode_into(runs, chunk)
        return [batch for lines in runs.lines for batch in self._batches(lines)]

    def _decode_into(self, runs: _Runs, chunk: bytes) -> None:
        """All lines at once; if one is bad or of another kind, each half so; few lines one by one."""
        if not chunk or chunk.isspace():
            return
        lines = self._decode_alike(chunk) if len(chunk) <= self._max_line_bytes else None
        middle = chunk.find(b"\n", len(chunk) // 2) + 1
        if lines is not None:
            runs.add(lines)
        elif len(chunk) > _FEW_BYTES and 0 < middle < len(chunk):
            self._decode_into(runs, chunk[:middle])
            self._decode_into(runs, chunk[middle:])
        else:
            self._decode_each(runs, chunk)

    def _decode_alike(self, chunk: bytes) -> list[Line] | None:
        for shape in self._order:
            try:
                lines = self._decoders[shape].decode_lines(chunk)
            except _NO_LINE:
                continue
            if self._order[0] is not shape:
                self._order = [shape, *(other for other in _SHAPES if other is not shape)]
            return lines
        return self._decode_open(chunk)

    def _decode_open(self, chunk: bytes) -> list[Line] | None:
        """Lines that have unknown fields, all of one kind."""
        try:
            fields = self._fields_decoder.decode_lines(chunk)
            shapes = set(map(open_shape_of, fields))
            if len(shapes) != 1:
                return None
            lines = self._open_decoders[shapes.pop()].decode_lines(chunk)
        except _NO_LINE:
            return None
        self.unknown.note(lines, fields)
        return list[Line](lines)

    def _decode_each(self, runs: _Runs, chunk: bytes) -> None:
        for raw in chunk.split(b"\n"):
            line = self._decode_line(raw) if raw.strip() else None
            if line is not None:
                runs.add([line])

    def _decode_line(self, raw: bytes) -> Line | None:
        if len(raw) > self._max_line_bytes:
            self.reject("too_long", f"over {self._max_line_bytes} bytes", raw)
            return None
        try:
            return self._decode_one(raw)
        except msgspec.ValidationError as problem:
            self.reject("wrong_type", str(problem), raw)
        except RecursionError:
            self.reject("too_deep", "nested too deep", raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            self.reject("invalid_json", str(problem), raw)
        return None

    def _decode_one(self, raw: bytes) -> Line:
        with suppress(msgspec.ValidationError):
            return self._decoders[shape_of(raw)].decode(raw)
        fields = self._fields_decoder.decode(raw)
        line = self._open_decoders[open_shape_of(fields)].decode(raw)
        self.unknown.note([line], [fields])
        return line

    def _batches(self, lines: Sequence[Line]) -> list[pa.RecordBatch]:
        time_ns, valid = times_ns(line_times(lines))
        if not valid.all():
            for place in np.flatnonzero(~valid).tolist():
                detail = "expected RFC 3339 or seconds since 1970, up to the year 2261"
                self.reject("time_out_of_range", detail, msgspec.json.encode(lines[place]))
            lines, time_ns = [lines[place] for place in np.flatnonzero(valid).tolist()], time_ns[valid]
        self.rows_total += len(lines)
        return line_batches(self.source, self.host_label, time_ns, lines) if lines else []

    def reject(self, reason: str, detail: str, line: bytes) -> None:
        """Count a line that is not used, and keep its beginning."""
        self.rejected_total[reason] += 1
        shown = line[:_SHOWN_BYTES].decode("utf-8", "replace")
        self.rejected.append(RejectedLine(reason=reason, detail=detail[:_SHOWN_BYTES], line=shown))


class _Runs:
    """Lines of one class each, as few lists as keep the order of every table's rows."""

    def __init__(self) -> None:
        self.lines: list[list[Line]] = []
        self._last_of_table: dict[str, list[Line]] = {}

    def add(self, lines: list[Line]) -> None:
        """Take lines of one class; the list is the caller's no more."""
        tables = tables_of(lines[0])
        last = [self._last_of_table.get(table) for table in tables]
        run = last[0]
        if run is not None and type(run[0]) is type(lines[0]) and all(other is run for other in last):
            run += lines
            return
        self.lines.append(lines)
        self._last_of_table.update(dict.fromkeys(tables, lines))
