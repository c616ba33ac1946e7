"""Labels: what was really wrong, and when; one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict


class Label(TypedDict):
    """A fault in `[start, end)`, RFC 3339 UTC; `target` is the URL or the host that suffered."""

    kind: str
    target: str
    start: str
    end: str


def read_label_lines(path: Path) -> list[Label]:
    """All labels so far; none if the file does not exist yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
