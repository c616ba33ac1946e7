"""Lines of a log to rows of `messages`."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.times import LogTimes
from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.log.entries import EntryJoiner
from aiops_nb.collect.log.header import header_of
from aiops_nb.collect.log.json_line import JsonEntries
from aiops_nb.collect.log.secrets import check_pattern, without_secrets
from aiops_nb.collect.log.severity import severity_of
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import empty_batch, make_batch
from aiops_nb.core.types import IntArray

LogForm = Literal["auto", "text", "json"]
GROUPS = ("time", "severity", "target", "text")
MOST_TARGET_CHARACTERS = 200
_SHOWN_CHARACTERS = 200
_MORE_CHARACTERS = 1_000  # a secret at the cut is still known as one
_MOST_REJECTED = 20
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_COLOURS = r"\x1b\[[0-9;?]*[A-Za-z]"
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f]"
_RAISED = re.compile(r"Traceback \(most recent|Exception in thread |panic: |fatal error: ")


class _Row:
    __slots__ = ("severity", "target", "text", "time")

    def __init__(self, time: str | None, severity: str | None, target: str | None, text: str) -> None:
        self.time, self.severity, self.target, self.text = time, severity, target, text


class LogLines:
    r"""Decodes whole lines of a log, plain or JSON.

    Lines that are not used are counted by reason: `binary` (a NUL byte in it), `utf_16`, `too_long`, `no_text` (a JSON
    object without a message, or no JSON where it was asked for), `no_match` (of the pattern).

    Parameters
    ----------
    source
        The `source` of the rows.
    form
        `text`, `json`, or `auto`: a line is JSON if it is an object with a message.
    target
        The `target` of rows that name none.
    pattern
        A regular expression (RE2) with groups named `time`, `severity`, `target` or `text`, instead of the forms that
        are known.
    fields
        Name in JSON lines by field (`time`, `severity`, `text`, `target`, `trace`), before the names that are known.
    time_format
        Of `datetime.strptime`, for the time at the beginning of a line, or of JSON lines; or `s`, `ms`, `us`, `ns`.
    timezone
        Of times without an offset: a name such as `Europe/Paris`, or `local`.
    join
        Whether stack traces and indented lines belong to the line before.
    redact
        Further regular expressions (RE2) of what is replaced by `***`, besides passwords, tokens and keys.
    max_text_characters
        A longer text is cut.
    clock
        Says when a line came that has no time.

    Raises
    ------
    ConfigError
        Naming the parameter that is wrong.

    Examples
    --------
    >>> lines = LogLines("app", target="shop")
    >>> batch = lines.decode(b"2026-12-01T10:00:00Z ERROR no route\n{\"msg\": \"up\", \"level\": \"info\"}\n")
    >>> lines.flush()["text"].to_pylist(), batch["text"].to_pylist(), batch["severity"].to_pylist()
    (['up'], ['no route'], ['error'])
    """

    def __init__(
        self,
        source: str,
        *,
        form: LogForm = "auto",
        target: str = "log",
        pattern: str | None = None,
        fields: Mapping[str, str] | None = None,
        time_format: str | None = None,
        timezone: str | None = None,
        join: bool = True,
        redact: Sequence[str] = (),
        max_text_characters: int = 8_192,
        clock: Clock | None = None,
    ) -> None:
        if max_text_characters < 1:
            raise ConfigError.at("max_text_characters", "a number >= 1", max_text_characters)
        self.rows_total = self.blank_total = self.cut_texts_total = self.without_time_total = 0
        self.rejected_total: Counter[str] = Counter()
        self._source, self._form, self._target = source, form, target
        self._pattern = None if pattern is None else _checked(pattern)
        self._entries = JsonEntries(fields)
        self._times = LogTimes(time_format, timezone or "UTC")
        self._time_words = len(time_format.split(" ")) if time_format and "%" in time_format else 0
        self._joiner = EntryJoiner() if join else None
        self._redact = [check_pattern(one, f"redact[{place}]") for place, one in enumerate(redact)]
        self._most = max_text_characters
        self._clock = clock or SystemClock()
        self._rejected: deque[RejectedLine] = deque(maxlen=_MOST_REJECTED)
        self._last_ns = 0

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, and why."""
        return list(self._rejected)

    @property
    def counters(self) -> Mapping[str, float]:
        """Rows, blank lines, lines joined to others and left out of them, texts cut, rejected lines by reason."""
        joiner = self._joiner or EntryJoiner()
        rejected = {f"rejected_{reason}_total": count for reason, count in dict(self.rejected_total).items()}
        return {
            "rows_total": self.rows_total,
            "blank_lines_total": self.blank_total,
            "joined_lines_total": joiner.joined_total,
            "left_out_lines_total": joiner.left_out_total,
            "cut_texts_total": self.cut_texts_total,
            "rows_without_time_total": self.without_time_total,
            "rejected_too_long_total": 0,
            **rejected,
        }

    @property
    def problems(self) -> Mapping[str, str]:
        """What a user should know, by subject."""
        if self.rejected_total["utf_16"]:
            return {"encoding": "the log is UTF-16, which is not read: write it as UTF-8"}
        rejected = sum(self.rejected_total.values())
        if rejected and rejected * 10 > self.rows_total:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.rejected_total.most_common())
            return {"lines": f"rejected: {reasons}"}
        return {}

    def decode(self, chunk: bytes, target: str | None = None) -> pa.RecordBatch:
        """Rows of whole lines; the last may be held until it is known that no line belongs to it.

        Parameters
        ----------
        chunk
            Lines, each with its end.
        target
            Of rows that name none, in place of that of all.
        """
        if chunk.startswith(UTF_16):
            self.reject("utf_16", "a byte order mark of UTF-16", chunk)
            return empty_batch("messages")
        lines = self._text_lines(chunk)
        entries = lines if self._joiner is None else self._joiner.add(lines)
        return self._batch(entries, target)

    def flush(self, target: str | None = None) -> pa.RecordBatch:
        """The entry that is held: nothing more came."""
        return empty_batch("messages") if self._joiner is None else self._batch(self._joiner.flush(), target)

    def reject_too_long(self, beginning: bytes) -> None:
        """Count a line that was not held, for its length."""
        self.reject("too_long", "longer than is read", beginning)

    def reject(self, reason: str, detail: str, line: bytes) -> None:
        """Count a line that is not used."""
        self.rejected_total[reason] += 1
        shown = without_secrets(pa.array([line[:_SHOWN_CHARACTERS].decode("utf-8", "replace")]), self._redact)[
            0
        ].as_py()
        self._rejected.append(RejectedLine(reason=reason, detail=detail, line=shown))

    def _text_lines(self, chunk: bytes) -> list[str]:
        lines = chunk.removesuffix(b"\n").split(b"\n")
        if b"\x00" in chunk:
            for line in lines:
                if b"\x00" in line:
                    self.reject("binary", "a NUL byte", line)
            lines = [line for line in lines if b"\x00" not in line]
        texts = b"\n".join(lines).decode("utf-8", "replace").split("\n")
        texts = [text.rstrip("\r") for text in texts]
        self.blank_total += sum(not text.strip() for text in texts)
        return texts if self._joiner is not None else [text for text in texts if text.strip()]

    def _batch(self, entries: Sequence[str], target: str | None) -> pa.RecordBatch:
        rows = self._patterned(entries) if self._pattern else [row for one in entries if (row := self._row(one))]
        if not rows:
            return empty_batch("messages")
        times = self._times_ns(rows)
        texts = self._bounded([row.text.strip() for row in rows])
        default = target or self._target
        self.rows_total += len(rows)
        return make_batch(
            "messages",
            self._source,
            {
                "time": times,
                "target": [(row.target or default)[:MOST_TARGET_CHARACTERS] for row in rows],
                "severity": [row.severity for row in rows],
                "text": texts,
            },
        )

    def _row(self, entry: str) -> _Row | None:
        if self._form != "text" and entry.startswith("{"):
            found = self._entries.read(entry)
            if found is not None:
                return self._of_json(found.time, found.severity, found.target, found.text)
        if self._form == "json":
            self.reject("no_text", "no JSON object with a message", entry.encode())
            return None
        return self._of_text(entry)

    def _of_json(self, time: str | None, severity: str | None, target: str | None, text: str) -> _Row:
        if time is not None and severity is not None:
            return _Row(time, severity, target, text)
        inner = header_of(text, self._clock.now_ns())  # of Docker and journald: the line of the program itself
        return _Row(time or inner.time, severity or inner.severity, target, inner.text or text)

    def _of_text(self, entry: str) -> _Row:
        first, newline, rest = entry.partition("\n")
        time = None
        if self._time_words:
            words = first.split(" ")
            time, first = " ".join(words[: self._time_words]), " ".join(words[self._time_words :])
        header = header_of(first, self._clock.now_ns())
        severity = header.severity or ("error" if _RAISED.search(entry) else None)
        text = (header.text + newline + rest).strip()
        return _Row(time or header.time, severity, header.program or None, text or entry.strip())

    def _patterned(self, entries: Sequence[str]) -> list[_Row]:
        firsts = [entry.partition("\n") for entry in entries]
        found = pc.extract_regex(pa.array([first for first, _, _ in firsts], pa.string()), self._pattern).to_pylist()
        rows = []
        for entry, (_, newline, rest), groups in zip(entries, firsts, found, strict=True):
            if groups is None:
                self.reject("no_match", "not of the pattern", entry.encode())
                continue
            severity = severity_of(groups.get("severity"))
            text = (groups["text"] + newline + rest) if "text" in groups else entry
            rows.append(_Row(groups.get("time"), severity, groups.get("target") or None, text))
        return rows

    def _times_ns(self, rows: Sequence[_Row]) -> IntArray:
        """Of each row; without one that of the row before, and before the first now."""
        times = self._times.parse(pa.array([(row.time or "").encode("utf-8", "replace") for row in rows], pa.binary()))
        unknown = times < 0
        if not unknown.any():
            self._last_ns = int(times[-1])
            return times
        self.without_time_total += int(unknown.sum())
        last = self._last_ns
        for at, time_ns in enumerate(times.tolist()):
            if time_ns >= 0:
                last = time_ns
            elif not last:
                times[at] = self._clock.now_ns()
            else:
                times[at] = last
        self._last_ns = last
        return times

    def _bounded(self, texts: Sequence[str]) -> pa.StringArray:
        self.cut_texts_total += sum(len(text) > self._most for text in texts)
        array = pa.array([text[: self._most + _MORE_CHARACTERS] for text in texts], pa.string())
        shown = pc.replace_substring_regex(pc.replace_substring_regex(array, _COLOURS, ""), _CONTROL, "\ufffd")
        return pc.utf8_slice_codeunits(without_secrets(shown, self._redact), 0, self._most)


def _checked(pattern: str) -> str:
    check_pattern(pattern, "pattern")
    names = [one.name for one in pc.extract_regex(pa.array([""]), pattern).type]
    if not names or not set(names) <= set(GROUPS):
        raise ConfigError.at("pattern", f"groups named {', '.join(GROUPS)}", pattern)
    return pattern
