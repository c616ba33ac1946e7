"""Pieces of HTML that notebooks show; every text in them is escaped by the templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from aiops_nb.report.formatting import cell_text
from aiops_nb.report.zones import zone_name

HEADINGS = {
    "alertname": "alert",
    "starts_at": "started",
    "lasted_seconds": "duration",
    "inhibited_by": "inhibited by",
    "time": "finished",
    "changed_at": "changed at",
    "worst_minute": "worst minute",
    "status_code": "status",
    "status_4xx_ratio": "4xx",
    "gap_ratio": "time in gaps",
    "certificate_expires": "certificate expires",
    "objective_ratio": "objective",
    "budget_used_ratio": "budget used",
    "is_met": "met",
    "error_type": "error",
    "connect_seconds": "connect",
    "wait_seconds": "time to first byte",
    "is_anomaly": "anomaly",
    "value_text": "value",
}
_AFTER = re.compile("[/_](?!/)")  # where a long name may continue on the next line
LONG, BREAKING = ("summary", "figure", "meaning"), ("target", "inhibited_by")
WIDE = (*LONG, "parameters", "value_text")
NOTHING = "None."


class Html:
    """A string that a notebook shows as HTML, and a template takes as markup."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __html__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Html, {len(self.text)} characters>"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as the template needs it."""

    text: str
    css: str
    is_severity: bool = False
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row; those of an inhibited alert are drawn paler."""

    cells: list[Cell]
    is_inhibited: bool


FOLDER = Path(__file__).parent
STYLE = Markup(f"<style>{(FOLDER / 'tables.css').read_text(encoding='utf-8')}</style>")


def _breakable(text: str) -> Markup:
    """Escaped, with a possible line break after each slash and underscore."""
    return Markup(_AFTER.sub(r"\g<0><wbr>", str(escape(text))))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters["breakable"] = _breakable
    return environment


def render(template: str, **values: Any) -> str:
    """Fill a template of `report/templates`; all values are escaped but those that are markup already."""
    return _environment().get_template(f"{template}.html.jinja").render(**values)


def paragraph_html(text: str, *, css: str = "aiops-lead") -> Html:
    """One paragraph.

    Examples
    --------
    >>> paragraph_html("1 alert: <b>").text
    '<p class="aiops-lead">1 alert: &lt;b&gt;</p>'
    """
    return Html(render("paragraph", text=text, css=css))


def list_html(lines: Iterable[str], *, nothing: str = NOTHING) -> Html:
    """A bulleted list; an empty one says `nothing`.

    Examples
    --------
    >>> list_html(["rule odd: KNN was not fitted to <64> vectors"]).text
    '<ul><li>rule odd: KNN was not fitted to &lt;64&gt; vectors</li></ul>'
    """
    return Html(render("list", lines=list(lines), nothing=nothing))


def table_html(table: pd.DataFrame, *, nothing: str = NOTHING) -> Html:
    """A table for people: units are moved from the column names into the cells.

    Parameters
    ----------
    table
        Columns named with their units, such as `p95_seconds` or `error_ratio`; any number of rows.
    nothing
        What is shown in place of an empty table.

    Examples
    --------
    >>> "1.2 s" in table_html(pd.DataFrame({"p95_seconds": [1.2]})).text
    True
    """
    classes = {str(name): _css_class(str(name), table[name]) for name in table.columns}
    head = [Cell(_with_zone(heading(name), zone_name(table[name])), css) for name, css in classes.items()]
    rows = [_row(row, classes) for row in table.to_dict("records")]
    return Html(render("table", style=STYLE, head=head, rows=rows, nothing=nothing))


def details_html(parts: list[tuple[str, Html]], *, first_open: bool = False) -> Html:
    """Parts that are folded until the reader clicks on their title."""
    return Html(render("details", style=STYLE, parts=parts, first_open=first_open, nothing=NOTHING))


def _with_zone(text: str, zone: str) -> str:
    return f"{text} ({zone})" if zone else text


def _row(row: dict[Any, Any], classes: dict[str, str]) -> Row:
    cells = [
        Cell(cell_text(name, row[name]), css, name == "severity", name in (*LONG, *BREAKING))
        for name, css in classes.items()
    ]
    return Row(cells, bool(row.get("inhibited_by")))


def _css_class(name: str, column: pd.Series) -> str:
    if name in WIDE:
        return "wide"
    if name in BREAKING:
        return "text breaking"
    return "" if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) else "text"


def heading(name: str) -> str:
    """A column name without its unit, or the common term for it.

    Examples
    --------
    >>> heading("worst_minute_p95_seconds"), heading("rate_hz"), heading("starts_at")
    ('worst minute p95', 'rate', 'started')
    """
    if name in HEADINGS:
        return HEADINGS[name]
    for unit in ("_seconds", "_ratio", "_hz", "_bytes", "_total"):
        name = name.removesuffix(unit)
    return name.replace("_", " ")
