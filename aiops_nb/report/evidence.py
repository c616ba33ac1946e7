"""The rows that prove an alert, as a reader wants to see them."""

from __future__ import annotations

import pandas as pd

from aiops_nb.core.types import ALL_TARGETS
from aiops_nb.report.formatting import cell_text
from aiops_nb.report.html import Html, details_html, paragraph_html, table_html
from aiops_nb.rules.evidence import evidence_of

MAX_ALERTS = 40
MAX_ROWS = 8
ROW_COLUMNS = ["time", "target", "method", "status_code", "error_type", "error_detail"]
ROW_COLUMNS += ["duration_seconds", "connect_seconds", "wait_seconds"]
SCORE_COLUMNS = ["time", "target", "feature", "value", "expected", "upper", "score", "threshold", "is_anomaly"]
NO_ROWS = "No rows of this alert in this range."


def evidence_html(alerts: pd.DataFrame, requests: pd.DataFrame, scores: pd.DataFrame) -> Html:
    """For each alert the last rows before it fired, folded; of the first 40 alerts.

    Parameters
    ----------
    alerts, requests, scores
        As `Recording.alerts()`, `.requests()` and `.scores()` give them.
    """
    fired = alerts[alerts["starts_at"].notna()].sort_values("starts_at", kind="stable")
    parts = [(_title(alert), _part(alert, requests, scores)) for _, alert in fired.head(MAX_ALERTS).iterrows()]
    html = details_html(parts, first_open=True).text
    more = len(fired) - MAX_ALERTS
    if more > 0:
        text = "1 more alert is not shown." if more == 1 else f"{more:,} more alerts are not shown."
        html += paragraph_html(text, css="aiops-note").text
    return Html(html)


def _title(alert: pd.Series) -> str:
    title = "  ".join(cell_text(name, alert[name]) for name in ("starts_at", "alertname", "target"))
    cause = alert["inhibited_by"]
    return f"{title}, part of {cause}" if cause else title


def _part(alert: pd.Series, requests: pd.DataFrame, scores: pd.DataFrame) -> Html:
    rows = table_html(evidence_rows(alert, requests, scores), nothing=NO_ROWS)
    return Html(paragraph_html(str(alert["summary"]), css="aiops-summary").text + rows.text)


def evidence_rows(alert: pd.Series, requests: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The last of the rows that prove the alert, before it fired: of a group those that are anomalous themselves."""
    own = evidence_of(alert).rows(alert, lambda: requests, lambda: scores)
    own = own[own["time"] <= alert["starts_at"]]
    columns = SCORE_COLUMNS if "is_anomaly" in own.columns else ROW_COLUMNS
    if alert["target"] != ALL_TARGETS:
        columns = [name for name in columns if name != "target"]
    elif columns is SCORE_COLUMNS:
        own = own[own["is_anomaly"].astype(bool)]
    last: pd.DataFrame = own[columns].tail(MAX_ROWS)
    return last.dropna(axis="columns", how="all").reset_index(drop=True)
