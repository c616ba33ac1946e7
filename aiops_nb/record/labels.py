"""`labels.jsonl` of a recording: lines are only ever added, so that what somebody thought earlier is not lost."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import msgspec

from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError, RecordingError, unknown
from aiops_nb.core.labels import LabelLine, rfc3339
from aiops_nb.core.moments import Moment, moment_ns
from aiops_nb.core.quantities import printable
from aiops_nb.record.files import is_regular, read_limited

MOST_TEXT = 10_000
MOST_LINE_BYTES = 1 << 20
ID_BYTES = 4


class LabelFile:
    """The labels in one file: reads all, adds, edits and deletes. Nothing is held open or in memory.

    Parameters
    ----------
    path
        The file; it need not exist.
    clock
        For the moment when a label was made.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> labels = LabelFile(Path(mkdtemp()) / "labels.jsonl")
    >>> slow = labels.add("2026-05-01 12:00", "2026-05-01 12:05", kind="slow", targets="shop", author="anna")
    >>> labels.edit(slow, note="deploy v42", author="ben")
    >>> [(label.kind, label.target, label.note) for label in labels.current()], len(labels.history())
    ([('slow', 'shop', 'deploy v42')], 2)
    >>> labels.delete(slow, author="ben")
    >>> labels.current(), len(labels.history())
    ([], 3)
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or SystemClock()

    def history(self) -> list[LabelLine]:
        """Every line there ever was, in order; each with the id of its label.

        Raises
        ------
        RecordingError
            If the file cannot be read.
        ConfigError
            If a line is not a label; the message names it.
        """
        if not os.path.lexists(self.path):
            return []
        try:
            content = read_limited(self.path)
        except OSError as problem:
            raise RecordingError(f"{self.path}: expected a file of labels, got {problem}") from None
        texts = content.split(b"\n")
        lines = [_line(text, f"{self.path}:{number}") for number, text in enumerate(texts[:-1], 1) if text.strip()]
        if texts[-1].strip():
            lines += _last_line(texts[-1], f"{self.path}:{len(texts)}")
        return [
            line if line.id else msgspec.structs.replace(line, id=f"line-{number}")
            for number, line in enumerate(lines, 1)
        ]

    def current(self) -> list[LabelLine]:
        """The labels as they are now, in the order in which they were first made."""
        labels = {line.id: line for line in self.history()}
        return [line for line in labels.values() if not line.deleted]

    def add(
        self,
        start: Moment,
        end: Moment,
        *,
        kind: str = "fault",
        targets: str | tuple[str, ...] | list[str] = (),
        note: str = "",
        author: str = "",
        alert: str = "",
    ) -> str:
        """Add a label on [start, end) and return its id.

        Raises
        ------
        ConfigError
            If it has no start, its end is not after its start, it has no kind, or something is too long.
        OSError
            If the file cannot be written.
        """
        line = self._made(
            secrets.token_hex(ID_BYTES),
            {"start": start, "end": end, "kind": kind, "targets": targets, "note": note, "author": author},
        )
        self._append(msgspec.structs.replace(line, alert=alert))
        return line.id

    def edit(self, label: str, **changes: Any) -> None:
        """Change what `add` takes of a label; all else stays.

        Raises
        ------
        ConfigError
            If there is no such label or field, or a value is wrong.
        """
        before = self._label(label)
        fields = {"start": before.start, "end": before.end, "kind": before.kind, "targets": before.all_targets}
        fields |= {"note": before.note, "author": before.author}
        for name in changes:
            if name not in fields:
                raise unknown("labels.edit", "a field of a label", name, sorted(fields))
        line = self._made(before.id, fields | changes)
        self._append(msgspec.structs.replace(line, alert=before.alert))

    def delete(self, label: str, *, author: str = "") -> None:
        """Take a label away; its lines stay in the file.

        Raises
        ------
        ConfigError
            If there is no such label.
        """
        before = self._label(label)
        created = rfc3339(self._clock.now_ns())
        author = author or before.author
        self._append(msgspec.structs.replace(before, deleted=True, author=author, created=created))

    def _label(self, label: str) -> LabelLine:
        current = {line.id: line for line in self.current()}
        if label not in current:
            raise unknown("label", "the id of a label", str(label), sorted(current))
        return current[label]

    def _made(self, label: str, fields: dict[str, Any]) -> LabelLine:
        start_ns, end_ns = (moment_ns(fields[name], f"labels.{name}") for name in ("start", "end"))
        for name, moment in (("start", start_ns), ("end", end_ns)):
            if moment is None:
                raise ConfigError.at(f"labels.{name}", "a time", "none")
        assert start_ns is not None and end_ns is not None
        if end_ns < start_ns:
            raise ConfigError.at("labels.end", f"a time after {rfc3339(start_ns)}", rfc3339(end_ns))
        given = fields["targets"]
        targets = (given,) if isinstance(given, str) else tuple(given)
        texts = {"kind": fields["kind"], "note": fields["note"], "author": fields["author"]}
        for name, text in (*texts.items(), *(("targets", target) for target in targets)):
            if not isinstance(text, str) or len(text) > MOST_TEXT:
                raise ConfigError.at(f"labels.{name}", f"at most {MOST_TEXT:,} characters of text", text)
        if not texts["kind"].strip():
            raise ConfigError.at("labels.kind", "a word, such as slow", "none")
        targets = tuple(target for target in targets if target)
        return LabelLine(
            id=label,
            start=rfc3339(start_ns),
            end=rfc3339(end_ns),
            target=targets[0] if len(targets) == 1 else "",
            targets=targets if len(targets) > 1 else (),
            created=rfc3339(self._clock.now_ns()),
            **texts,
        )

    def _append(self, line: LabelLine) -> None:
        """In one call to the system: lines of two writers never mix. What a crash left of a last line is cut off."""
        if os.path.lexists(self.path) and not is_regular(self.path):
            raise RecordingError(f"{self.path}: expected a regular file, got a link or something else")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - MOST_LINE_BYTES, 0))
            last = file.read().rpartition(b"\n")[2]
            is_whole = bool(last and _last_line(last, str(self.path)))
            if last and not is_whole:
                file.truncate(size - len(last))
            file.write((b"\n" if is_whole else b"") + msgspec.json.encode(line) + b"\n")


def _line(text: bytes, where: str) -> LabelLine:
    try:
        line = msgspec.json.decode(text, type=LabelLine)
        start_ns, end_ns = (moment_ns(time, where) for time in (line.start, line.end))
        if start_ns is None or end_ns is None:
            raise ValueError("an empty time")
    except (msgspec.DecodeError, ConfigError, ValueError, RecursionError) as problem:
        expected = "expected a label with kind, start and end"
        raise ConfigError(f"{where}: {expected}, got {printable(str(problem))}") from None
    if end_ns < start_ns:
        raise ConfigError.at(f"{where}: end", f"a time after {line.start}", line.end)
    return line


def _last_line(text: bytes, where: str) -> list[LabelLine]:
    """Without its end it may be the beginning of one that a crash cut off."""
    try:
        return [_line(text, where)]
    except ConfigError:
        if text.lstrip().startswith(b"{") and not text.rstrip().endswith(b"}"):
            return []
        raise
