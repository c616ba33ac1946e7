"""Labels as they are in `labels.jsonl` (what was really wrong), and marks of a stream (what was done)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from aiops_nb.core.columns import times_ns
from aiops_nb.core.types import NS_PER_SECOND

MOST_MARKS = 10_000


class LabelLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A label on `[start, end)`, RFC 3339: what was wrong there, or what somebody thinks of an alert.

    A later line with the same `id` replaces an earlier one, and `deleted` takes it away: the file is its history.

    Attributes
    ----------
    kind
        A word for it, such as `slow`; of an alert that was judged `right` or `noise`.
    target
        What suffered; empty for everything, or where `targets` names several.
    start, end
        When it began and ended.
    id
        Empty in lines that no label of a person replaces.
    note, author, created
        What somebody says, who, and when (RFC 3339).
    alert
        Fingerprint of the alert that was judged.
    deleted
        Whether the label is gone from here on.

    Examples
    --------
    >>> msgspec.json.decode(b'{"kind": "slow", "start": "2026-05-01T12:00:00Z", "end": "2026-05-01T12:01:00Z"}',
    ...     type=LabelLine).all_targets
    ()
    """

    kind: str
    target: str = ""
    targets: tuple[str, ...] = ()
    start: str
    end: str
    id: str = ""
    note: str = ""
    author: str = ""
    created: str = ""
    alert: str = ""
    deleted: bool = False

    @property
    def all_targets(self) -> tuple[str, ...]:
        """What suffered; empty for everything."""
        return self.targets or ((self.target,) if self.target else ())


def rfc3339(time_ns: int) -> str:
    """UTC nanoseconds as RFC 3339, to the nanosecond.

    Examples
    --------
    >>> rfc3339(1_780_000_000_123_456_789)
    '2026-05-28T20:26:40.123456789Z'
    """
    second, fraction_ns = divmod(time_ns, NS_PER_SECOND)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{fraction_ns:09d}Z"


def write_label_lines(path: str | Path, lines: Iterable[LabelLine], *, append: bool = False) -> None:
    """Write labels to a file, again or after those that are there; its folder is made if need be.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab" if append else "wb") as file:
        file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedMark:
    """A mark at its time (UTC ns); of one target, or of all where `target` is empty."""

    id: str
    time_ns: int
    text: str
    target: str = ""
    author: str = ""


class MarkLog:
    """The marks of a stream in the order of their commands; one that is taken back is gone. Bounded.

    Examples
    --------
    >>> from aiops_nb.core.schemas import control_batch
    >>> log = MarkLog()
    >>> log.take(control_batch("user", "command", 7, '{"type":"mark","id":"m1","text":"deploy v42"}'))
    True
    >>> [(mark.time_ns, mark.text) for mark in log.marks]
    [(7, 'deploy v42')]
    >>> log.take(control_batch("user", "command", 9, '{"type":"unmark","id":"m1"}')), log.marks
    (True, ())
    """

    def __init__(self) -> None:
        self._by_id: dict[str, PlacedMark] = {}

    @property
    def marks(self) -> tuple[PlacedMark, ...]:
        """By time."""
        return tuple(sorted(self._by_id.values(), key=lambda mark: mark.time_ns))

    def take(self, control: pa.RecordBatch) -> bool:
        """Take the marks of control items in their order; returns whether there was one."""
        bodies = control.column("body").to_pylist()
        found = False
        for place, body in enumerate(bodies):
            if body and 'mark"' in body and control.column("kind")[place].as_py() == "command":
                found = self._take(body, int(times_ns(control.column("time").slice(place, 1))[0])) or found
        return found

    def _take(self, body: str, time_ns: int) -> bool:
        try:
            command: dict[str, Any] = msgspec.json.decode(body, type=dict)
        except msgspec.MsgspecError:
            return False
        if command.get("type") == "unmark":
            self._by_id.pop(str(command.get("id")), None)
            return True
        if command.get("type") != "mark":
            return False
        at_ns = command.get("at_ns")
        mark = PlacedMark(
            id=str(command.get("id")),
            time_ns=at_ns if isinstance(at_ns, int) else time_ns,
            text=str(command.get("text", "")),
            target=str(command.get("target", "")),
            author=str(command.get("author", "")),
        )
        self._by_id[mark.id] = mark
        if len(self._by_id) > MOST_MARKS:
            del self._by_id[next(iter(self._by_id))]
        return True
