"""Tables of Markdown, put between their markers on a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd


def markdown(frame: pd.DataFrame, digits: Mapping[str, int], otherwise: int) -> str:
    """A table of Markdown."""
    lines = ["| detector | " + " | ".join(frame.columns) + " |", "|---|" + "---:|" * len(frame.columns)]
    for name, row in frame.iterrows():
        cells = (f"{value:.{digits.get(column, otherwise)}f}".replace("nan", "-") for column, value in row.items())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(path: Path, tables: Mapping[str, str]) -> None:
    """Put each table between its markers."""
    text = path.read_text(encoding="utf-8")
    for name, body in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        text = re.sub(f"{begin}.*?{end}", lambda _, b=begin, e=end, t=body: f"{b}\n\n{t}\n\n{e}", text, flags=re.S)
    path.write_text(text, encoding="utf-8")
