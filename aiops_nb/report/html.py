"""Pieces of HTML that notebooks show: a class with the one method that Jupyter asks for."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pandas as pd

from aiops_nb.report.formatting import in_words

HEADINGS = {"alertname": "alert", "inhibited_by": "explained by"}
_AFTER = re.compile("[/_](?!/)")  # where a long name may go on in the next line
NAMING, BREAKING = ("summary", "what", "meaning"), ("target", "inhibited_by")
WIDE = (*NAMING, "parameters")


class Html:
    """Text that a notebook shows as HTML."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_html_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Html, {len(self.text)} characters>"


STYLE = f"<style>{Path(__file__).with_name('tables.css').read_text(encoding='utf-8')}</style>"


def table_html(table: pd.DataFrame) -> Html:
    """A table for people: units moved from the column names into the cells.

    Examples
    --------
    >>> "1.2 s" in table_html(pd.DataFrame({"p95_seconds": [1.2]})).text
    True
    """
    if table.empty:
        return Html(f"{STYLE}<p><i>None.</i></p>")
    head = "".join(_head_cell(name, table[name]) for name in table.columns)
    body = "".join(_row(row, table) for row in table.to_dict("records"))
    return Html(
        f'{STYLE}<div class="aiops-scroll"><table class="aiops-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def details_html(parts: list[tuple[str, Html]], *, first_open: bool = False) -> Html:
    """Parts that open on a click."""
    blocks = [
        f"<details class=aiops{' open' if first_open and i == 0 else ''}>"
        f"<summary>{escape(title)}</summary>{part.text}</details>"
        for i, (title, part) in enumerate(parts)
    ]
    return Html(STYLE + "".join(blocks) if blocks else f"{STYLE}<p><i>None.</i></p>")


def _row(row: dict[object, object], table: pd.DataFrame) -> str:
    cells = (_cell(str(name), row[name], _css_class(str(name), table[name])) for name in table.columns)
    explained = ' class="explained"' if row.get("inhibited_by") else ""
    return f"<tr{explained}>{''.join(cells)}</tr>"


def _cell(name: str, value: object, css_class: str) -> str:
    shown = escape(in_words(name, value))
    if name in (*NAMING, *BREAKING):
        shown = _AFTER.sub(r"\g<0><wbr>", shown)
    if name == "severity":
        shown = f'<span class="aiops-severity {shown}">{shown}</span>'
    return f'<td class="{css_class}">{shown}</td>'


def _head_cell(name: str, column: pd.Series) -> str:
    return f'<th class="{_css_class(name, column)}">{escape(heading(name))}</th>'


def _css_class(name: str, column: pd.Series) -> str:
    if name in WIDE:
        return "wide"
    if name in BREAKING:
        return "text breaking"
    return "" if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) else "text"


def heading(name: str) -> str:
    """A column name without its unit, or a plainer word for it.

    Examples
    --------
    >>> heading("worst_minute_p95_seconds"), heading("rate_hz"), heading("starts_at")
    ('worst minute p95', 'rate', 'starts at')
    >>> heading("inhibited_by")
    'explained by'
    """
    if name in HEADINGS:
        return HEADINGS[name]
    for unit in ("_seconds", "_ratio", "_hz", "_bytes", "_total"):
        name = name.removesuffix(unit)
    return name.replace("_", " ")
