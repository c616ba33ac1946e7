"""Labels as they are in `labels.jsonl`: what was really wrong, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from aiops_nb.core.types import NS_PER_SECOND


class LabelLine(msgspec.Struct, frozen=True, kw_only=True):
    """A fault in `[start, end)`, RFC 3339; `target` is what suffered, empty for everything.

    Examples
    --------
    >>> msgspec.json.decode(b'{"kind": "slow", "start": "2026-05-01T12:00:00Z", "end": "2026-05-01T12:01:00Z"}',
    ...     type=LabelLine).target
    ''
    """

    kind: str
    target: str = ""
    start: str
    end: str


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
