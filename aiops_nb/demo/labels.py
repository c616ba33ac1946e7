"""Labels: what was really wrong, and when; one JSON object a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict


class Label(TypedDict):
    """A fault in `[start, end)`, RFC 3339 UTC; `target` is the URL or the host that suffered."""

    kind: str
    target: str
    start: str
    end: str


def rfc3339(time_ns: int) -> str:
    """UTC nanoseconds as RFC 3339, to the microsecond.

    Examples
    --------
    >>> rfc3339(1_780_000_000_123_456_789)
    '2026-05-28T20:26:40.123456Z'
    """
    second, fraction_ns = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{fraction_ns // 1000:06d}Z"


def append_label(path: Path, label: Label) -> None:
    """Write one line in one call; the folder is made only now, so that a recorder may create it first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(label) + "\n")


def read_label_lines(path: Path) -> list[Label]:
    """All labels so far; none if the file does not exist yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
