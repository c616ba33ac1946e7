"""Lines of access logs to batches of requests, a chunk at a time, in Arrow's kernels."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from aiops_nb.collect.access_log.find import Found, find_format
from aiops_nb.collect.access_log.formats import LogFormat, compiled, log_format
from aiops_nb.collect.access_log.keys import DURATION_UNITS, UNITLESS_FIELDS, checked_fields
from aiops_nb.collect.access_log.readers.reader import Extracted, LogReader
from aiops_nb.collect.access_log.rows import Rows, rows_of
from aiops_nb.collect.access_log.targets import LogTargets, TargetChoice
from aiops_nb.collect.access_log.times import LOCAL, LogTimes
from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.json_lines.unknown_fields import UnknownCount, UnknownFields
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import empty_batch, make_batch
from aiops_nb.core.types import IntArray

_log = logging.getLogger(__name__)

DurationUnit = Literal["s", "ms", "us", "ns"]
_SHOWN_BYTES = 200
_KEPT_BYTES = 8_192  # of a rejected line, so that a form can be found that fits it
_SHOWN_KEYS = 20
_FEW_RATIO = 0.01  # of lines: so many are rejected wherever clients send garbage
_COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
_DETAILS = {
    "not_the_pattern": "the line does not look like the pattern",
    "no_known_field": "no field of a request is known but a time",
    "time_not_understood": "expected a time such as 10/Oct/2000:13:55:36 -0700, ISO 8601 or seconds since 1970, up to "
    "the year 2261; set time_format for any other form",
    "status_out_of_range": "expected a status of 100 to 999",
    "not_a_number": "a duration or a size is not a number",
    "too_long": "longer than max_line_bytes",
    "failed": "could not be read",
}
_SUGGESTED = ("not_the_pattern", "no_known_field", "time_not_understood")
_NO_TIME = "the lines have no time: log them through Docker or the journal, or follow the file as it grows"
_NO_HEADER = "no line #Fields: has come, which says the columns"


@dataclass(frozen=True, slots=True)
class _Rejected:
    reason: str
    detail: str
    line: bytes


@dataclass(frozen=True, slots=True)
class _Decoded:
    """What a chunk gives: the batch, and the lines by the reason for which they are not used."""

    batch: pa.RecordBatch
    rejected: Sequence[tuple[str, int, Sequence[bytes]]]
    without_unit: Sequence[bytes]


class AccessLogLines:
    r"""Decodes whole lines into batches of `requests` of the origin `traffic`.

    Lines that are not used are counted by reason: `not_the_pattern`, `no_known_field`, `time_not_understood`,
    `status_out_of_range`, `not_a_number`, `too_long`, `failed`. What the server logged as `-`, -1 or 0 because there
    was no status, size or duration is null; a malformed request line has the target `-`.

    Parameters
    ----------
    source
        The `source` of the rows.
    pattern, target, max_targets, fields, time_format, timezone, duration_unit
        See `AccessLog`.
    unknown_fields
        What becomes of the keys of JSON lines that no field is for: `drop` counts them, `keep` also puts them into
        the column `extra`.
    max_samples
        How many rejected lines are kept to be shown; the last ones.
    now_ns
        The clock, for lines that have no time themselves, UTC ns; None: they are rejected.

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
        pattern: str = "auto",
        target: TargetChoice = "template",
        max_targets: int = 1000,
        max_samples: int = 20,
        unknown_fields: UnknownFields = "drop",
        fields: Mapping[str, str] | None = None,
        time_format: str | None = None,
        timezone: str | None = None,
        duration_unit: DurationUnit | None = None,
        now_ns: Callable[[], int] | None = None,
    ) -> None:
        self._names = checked_fields(fields)
        self._form = log_format(pattern, self._names)
        if unknown_fields == "keep" and self._form.reader not in ("json", "logfmt", "auto"):
            raise ConfigError.at("unknown_fields", "drop, for only JSON lines have other fields", unknown_fields)
        if duration_unit is not None and duration_unit not in DURATION_UNITS:
            raise ConfigError.at("duration_unit", f"one of {', '.join(DURATION_UNITS)}", duration_unit)
        self.source = source
        self.rows_total = 0
        self.rejected_total: Counter[str] = Counter()
        self.without_unit_total = 0
        self.unknown = UnknownCount(unknown_fields)
        self._notices: dict[str, str] = {}
        self._kept: deque[_Rejected] = deque(maxlen=max_samples)
        self._pattern, self._unit, self._now_ns = pattern, duration_unit, now_ns
        self._time_format, self._timezone = time_format, timezone
        self._times: dict[tuple[str | None, str], LogTimes] = {}
        self._times_of(self._form)
        self._targets = LogTargets(target, max_targets)
        self._readers: dict[str, LogReader] = {}
        self._without_unit = ""
        self._suggesting = threading.Lock()
        self._suggested, self._suggest_at = "", 1

    # -- what faces show

    @property
    def format_name(self) -> str | None:
        """The name of the form of the lines; None while it is not found. Of several files, the first one's."""
        forms = [reader.form for reader in self._readers.values() if reader.form is not None]
        return forms[0].name if forms else (None if self._form.reader == "auto" else self._form.name)

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, why, and which pattern would read them."""
        return [
            RejectedLine(
                reason=one.reason,
                detail=one.detail,
                line=one.line[:_SHOWN_BYTES].decode("utf-8", "replace").rstrip(),
                suggestion=self._suggestion(one),
            )
            for one in list(self._kept)
        ]

    @property
    def notices(self) -> dict[str, str]:
        """What was found and assumed, by subject: the pattern, the keys of JSON lines, the time zone."""
        keys = {}
        for file, reader in list(self._readers.items()):
            if reader.json is not None and reader.json.keys:
                dialect = f"{reader.json.dialect}: " if reader.json.dialect else ""
                used = ", ".join(f"{field} from {key}" for key, field in reader.json.keys.items())
                keys[f"keys of {file}" if file else "keys"] = dialect + used
        return {**self._notices, **keys}

    @property
    def problems(self) -> dict[str, str]:
        """What a user should change, by subject: lines that are rejected, durations whose unit is not known."""
        problems: dict[str, str] = {}
        rejected, total = sum(self.rejected_total.values()), self.rows_total + sum(self.rejected_total.values())
        if rejected > _FEW_RATIO * total:
            problems["rejected lines"] = self._rejected_sentence(rejected, total)
        if self.without_unit_total:
            keys = [
                key
                for reader in list(self._readers.values())
                if reader.json is not None
                for key, field in reader.json.keys.items()
                if field in UNITLESS_FIELDS
            ]
            shown = ", ".join(keys) or self._without_unit
            problems["durations"] = (
                f"{self.without_unit_total:,} durations are left out, as their unit is not known "
                f"({shown}); set duration_unit to s, ms, us or ns"
            )
        return problems

    def _rejected_sentence(self, rejected: int, total: int) -> str:
        reason, count = self.rejected_total.most_common(1)[0]
        sentence = f"{rejected:,} of {total:,} lines were rejected, {count:,} as {reason}"
        shown = [one for one in self.rejected if one.reason == reason][-1:]
        for one in shown:
            sentence += f" ({one.detail}), such as {one.line[:80]!r}" + (
                f"; {one.suggestion}" if one.suggestion else ""
            )
        return sentence

    def _suggestion(self, one: _Rejected) -> str:
        """Which setting would read such lines, as a sentence; empty if none is known."""
        if one.reason not in _SUGGESTED:
            return ""
        with self._suggesting:
            count = sum(self.rejected_total[reason] for reason in _SUGGESTED)
            if count >= self._suggest_at:
                self._suggest_at = 2 * count  # each look costs as much as thousands of lines
                self._suggested = self._fitting([kept.line for kept in list(self._kept) if kept.reason in _SUGGESTED])
        return self._suggested

    def _fitting(self, lines: Sequence[bytes]) -> str:
        found = find_format(pa.array(lines, pa.binary()), time_format=self._time_format, fields=self._names)
        if found is None or found.form.name == self.format_name or 2 * found.lines < len(lines):
            return ""
        return f"pattern {found.name!r} reads {found.lines} of the last {len(lines)} such lines"

    # -- decoding

    def look_at(self, chunk: bytes, file: str = "") -> None:
        """Find the form of a file on lines that were there before, without using them as requests."""
        self._reader(file).look_at(_line_texts(chunk))

    def decode(self, chunk: bytes, file: str = "") -> pa.RecordBatch:
        """The requests of whole lines of one file; the batch is empty if none of them is one."""
        batches = [self._counted(decoded) for decoded in self._decoded(_line_texts(chunk), self._reader(file))]
        present = [batch for batch in batches if batch.num_rows]
        if len(present) < 2:
            return present[0] if present else empty_batch("requests")
        return pa.Table.from_batches(present).unify_dictionaries().combine_chunks().to_batches()[0]

    def reject_too_long(self, beginning: bytes) -> None:
        """Count a line that was not held, for its length."""
        self._count("too_long", 1, [beginning])

    def _reader(self, file: str) -> LogReader:
        if file not in self._readers:
            self._readers[file] = LogReader(
                self._form,
                fields=self._names,
                time_format=self._time_format,
                unknown=self.unknown,
                on_found=lambda found, before: self._note_found(file, found, before),
            )
        return self._readers[file]

    def _decoded(self, texts: pa.Array, reader: LogReader) -> list[_Decoded]:
        """Of all lines at once; if that fails, of each half, so that no line takes its neighbours along."""
        if not len(texts):
            return []
        try:
            return [self._decode(texts, reader)]
        except Exception as problem:  # whatever a line makes fail: the others are used
            if len(texts) == 1:
                if not self.rejected_total["failed"]:
                    _log.warning("%s: a line could not be read: %s: %s", self.source, type(problem).__name__, problem)
                return [_Decoded(empty_batch("requests"), [("failed", 1, texts.to_pylist())], [])]
        middle = len(texts) // 2
        return [*self._decoded(texts[:middle], reader), *self._decoded(texts[middle:], reader)]

    def _decode(self, texts: pa.Array, reader: LogReader) -> _Decoded:
        extracted = reader.extract(texts)
        unfit = self._unfit(extracted, reader)
        form = reader.form
        if form is None or not len(extracted.positions):
            return _Decoded(empty_batch("requests"), unfit, [])
        stamp_ns = None if form.has_time or self._now_ns is None else self._now_ns()
        times = self._times_of(form)
        rows = rows_of(extracted.columns, len(extracted.positions), times, self._unit, stamp_ns)
        self._note_times(form, times)
        good = rows.good()
        rejected = [*unfit, *self._bad(rows, extracted)]
        unclear = extracted.positions[rows.without_unit & good]
        batch = self._batch(rows, good)
        return _Decoded(batch, rejected, extracted.texts.take(pa.array(unclear)).to_pylist() if len(unclear) else [])

    def _batch(self, rows: Rows, good: np.ndarray) -> pa.RecordBatch:
        if not good.any():
            return empty_batch("requests")
        status = rows.columns["status_code"]
        keep = None if good.all() else pa.array(good)
        uris, named = rows.path, rows.named_target
        if keep is not None:
            uris, status = uris.filter(keep), status.filter(keep)  # type: ignore[union-attr]
            named = None if named is None else named.filter(keep)
        targets = self._targets.of(uris, status, named)
        columns = {**rows.columns}
        if keep is not None:
            columns = {name: _filtered(column, keep, good) for name, column in columns.items()}
        return make_batch("requests", self.source, {**columns, "target": targets})

    def _unfit(self, extracted: Extracted, reader: LogReader) -> list[tuple[str, int, Sequence[bytes]]]:
        used = np.concatenate([extracted.positions, extracted.ignored])
        rejected = []
        if len(used) < len(extracted.texts):
            rest = np.setdiff1d(np.arange(len(extracted.texts)), used, assume_unique=True)
            rejected.append(self._last("not_the_pattern", rest, extracted.texts))
        if len(extracted.foreign):
            rejected.append(self._last("not_the_pattern", np.arange(len(extracted.foreign)), extracted.foreign))
        return rejected

    def _bad(self, rows: Rows, extracted: Extracted) -> list[tuple[str, int, Sequence[bytes]]]:
        """The rows that a reason speaks against, by the first reason."""
        left = np.ones(len(extracted.positions), np.bool_)
        rejected = []
        for reason, bad in rows.reasons.items():
            positions = extracted.positions[left & bad]
            if len(positions):
                rejected.append(self._last(reason, positions, extracted.texts))
            left &= ~bad
        return rejected

    def _last(self, reason: str, positions: IntArray, texts: pa.Array) -> tuple[str, int, Sequence[bytes]]:
        shown = positions[-(self._kept.maxlen or 0) :]
        return reason, len(positions), texts.take(pa.array(shown)).to_pylist()

    # -- counting

    def _counted(self, decoded: _Decoded) -> pa.RecordBatch:
        for reason, lines, last in decoded.rejected:
            self._count(reason, lines, last)
        if decoded.without_unit:
            self.without_unit_total += len(decoded.without_unit)
            self._without_unit = decoded.without_unit[-1][-60:].decode("utf-8", "replace").strip()
        self.rows_total += decoded.batch.num_rows
        return decoded.batch

    def _count(self, reason: str, lines: int, last: Sequence[bytes]) -> None:
        if reason not in self.rejected_total:
            _log.info("%s: the first line that is rejected as %s: %r", self.source, reason, last[-1][:_SHOWN_BYTES])
        self.rejected_total[reason] += lines
        self._kept.extend(_Rejected(reason, self._detail(reason, line), line[:_KEPT_BYTES]) for line in last)

    def _detail(self, reason: str, line: bytes) -> str:
        """What is wrong with one line, for a person."""
        readers = list(self._readers.values())
        json = next((reader.json for reader in readers if reader.json is not None), None)
        if reason == "no_known_field" and json is not None:
            return f"{_DETAILS[reason]}; the keys are {', '.join(json.keys_of(line)[:_SHOWN_KEYS])}"[:_SHOWN_BYTES]
        if reason == "not_the_pattern" and json is not None:
            return (json.why_not(line) or _DETAILS[reason])[:_SHOWN_BYTES]
        if reason == "not_the_pattern" and any(reader.lacks_header for reader in readers):
            return _NO_HEADER
        if reason == "not_the_pattern" and self._form.reader == "auto" and not any(one.form for one in readers):
            return "no known pattern fits the lines so far; name one with pattern"
        if reason == "time_not_understood" and any(one.form and not one.form.has_time for one in readers):
            return _NO_TIME
        return _DETAILS[reason]

    # -- what is said aloud

    def _note_found(self, file: str, found: Found, before: LogFormat | None) -> None:
        where = f" of {file}" if file else ""
        text = f"{found.name} (found on {found.lines} of {found.of_lines} lines{where})"
        if before is not None:
            text += f"; it was {before.name} before"
        if found.form.note:
            text += f"; {found.form.note}"
        if not found.form.has_time and self._now_ns is not None:
            text += "; the lines have no time, so that of their reading is taken"
        self._notices[f"pattern{where}"] = text
        level = logging.WARNING if found.form.note or before is not None else logging.INFO
        _log.log(level, "%s: pattern %s", self.source, text)

    def _note_times(self, form: LogFormat, times: LogTimes) -> None:
        if times.without_offset_total and "time zone" not in self._notices:
            zone = self._zone_of(form)
            shown = "this machine's local time" if zone == LOCAL else zone
            self._notices["time zone"] = f"times have no offset and are read as {shown}" + (
                "" if self._timezone else "; set timezone if that is wrong"
            )
            _log.info("%s: %s", self.source, self._notices["time zone"])

    def _zone_of(self, form: LogFormat) -> str:
        return self._timezone or (LOCAL if form.is_local else "UTC")

    def _times_of(self, form: LogFormat) -> LogTimes:
        written = compiled(form.text, ()).time_format if form.text and "%{" in form.text else None
        key = (self._time_format or form.time_format or written, self._zone_of(form))
        if key not in self._times:
            self._times[key] = LogTimes(*key)
        return self._times[key]


def _filtered(column: object, keep: pa.Array, good: np.ndarray) -> object:
    if isinstance(column, pa.Array):
        return column.filter(keep)
    return column[good] if isinstance(column, np.ndarray) else column


def _line_texts(chunk: bytes) -> pa.Array:
    """The lines that are not empty, without a copy of them if none is."""
    if b"\r" in chunk:  # ten times as fast as a search for both
        chunk = chunk.replace(b"\r\n", b"\n")
    if b"\x1b" in chunk:
        chunk = _COLOURS.sub(b"", chunk)
    ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")) + 1
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    texts = pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(chunk)])
    lengths = np.diff(offsets)
    return texts if lengths.min(initial=2) > 1 else texts.filter(pa.array(lengths > 1))
