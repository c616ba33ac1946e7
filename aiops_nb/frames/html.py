"""What a notebook shows of a monitor, a recording and alerts; names and messages from outside are escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from aiops_nb.core.quantities import format_duration
from aiops_nb.core.types import FIRING_STATES

if TYPE_CHECKING:
    import jinja2
    import pandas as pd

MOST_ROWS = 30
STATES = (*FIRING_STATES, "pending", "resolved")


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    loader = jinja2.PackageLoader("aiops_nb.frames", "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)


def alerts_html(alerts: pd.DataFrame) -> str:
    """A table of alerts: firing ones first, then the newest."""
    return _environment().get_template("alerts.html").render(**_alert_rows(alerts))


def summary_html(title: str, facts: Mapping[str, str], warnings: Sequence[str], alerts: pd.DataFrame | None) -> str:
    """What a monitor or a recording is and how it is doing, with its alerts if they are known."""
    listed = None if alerts is None else _alert_rows(alerts)
    template = _environment().get_template("summary.html")
    return template.render(title=title, facts=facts, warnings=warnings, alerts=listed)


def noise_html(summary: str, bars: Mapping[str, Any], talkers: Sequence[Mapping[str, str]]) -> str:
    """The noise report: a bar for each day, and the alerts that notify most."""
    return _environment().get_template("noise.html").render(summary=summary, bars=bars, talkers=talkers)


def session_html(headline: str, tables: Sequence[Mapping[str, Any]]) -> str:
    """The statistics of a session: a table of text for each part."""
    return _environment().get_template("session.html").render(headline=headline, tables=tables)


def moved_html(verdict: str, rows: Sequence[Mapping[str, str]]) -> str:
    """The verdict on what moved, and the series in words."""
    return _environment().get_template("moved.html").render(verdict=verdict, rows=rows)


def _alert_rows(alerts: pd.DataFrame) -> dict[str, Any]:
    rows = sorted(alerts.to_dict("records"), key=lambda row: row["pending_at"], reverse=True)
    rows.sort(key=lambda row: STATES.index(row["state"]) if row["state"] in STATES else len(STATES))
    return {"rows": [_alert_row(row) for row in rows[:MOST_ROWS]], "more": max(0, len(rows) - MOST_ROWS)}


def _alert_row(row: Mapping[Any, Any]) -> dict[str, str]:
    cells = {name: str(row[name]) for name in ("state", "severity", "alertname", "target", "summary", "inhibited_by")}
    began, ended = row["starts_at"], row["ends_at"]
    known_start, known_end = began == began and began is not None, ended == ended and ended is not None
    shown = began if known_start else row["pending_at"]
    cells["since"] = f"{shown:%Y-%m-%d %H:%M:%S}"
    cells["duration"] = _rounded((ended - began).total_seconds()) if known_start and known_end else ""
    return cells


def _rounded(seconds: float) -> str:
    return format_duration(seconds)
