"""The rows that prove an alert, as a reader wants to see them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

from aiops_nb.report.formatting import in_words
from aiops_nb.report.html import Html, details_html, table_html

MAX_ALERTS = 40
MAX_ROWS = 8
ROW_COLUMNS = ["time", "method", "status_code", "error_type", "error_detail"]
ROW_COLUMNS += ["duration_seconds", "connect_seconds", "wait_seconds"]
SCORE_COLUMNS = ["time", "feature", "value", "expected", "upper", "score", "threshold", "is_anomaly"]


def evidence_html(alerts: pd.DataFrame, requests: pd.DataFrame, scores: pd.DataFrame) -> Html:
    """For each alert the last rows up to the moment when it fired; the first 40 alerts."""
    fired = alerts[alerts["starts_at"].notna()].sort_values("starts_at", kind="stable")
    parts = [(_title(alert), _table(alert, requests, scores)) for _, alert in fired.head(MAX_ALERTS).iterrows()]
    more = len(fired) - MAX_ALERTS
    words = "1 more alert is not shown." if more == 1 else f"{more} more alerts are not shown."
    note = f"<p><i>{words}</i></p>" if more > 0 else ""
    return Html(details_html(parts, first_open=True).text + note)


def warnings_html(warnings: Sequence[str]) -> Html:
    """What a reader of the report should know beforehand, a line each.

    Examples
    --------
    >>> warnings_html(["rule odd: KNN was not fitted to <64> vectors"]).text
    '<ul><li>rule odd: KNN was not fitted to &lt;64&gt; vectors</li></ul>'
    """
    lines = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return Html(f"<ul>{lines}</ul>" if lines else "<p><i>None.</i></p>")


def _title(alert: pd.Series) -> str:
    words = [in_words("starts_at", alert["starts_at"]), alert["alertname"], in_words("target", alert["target"])]
    explained = alert["inhibited_by"]
    return "  ".join(words) + (f", explained by {explained}" if explained else "")


def _table(alert: pd.Series, requests: pd.DataFrame, scores: pd.DataFrame) -> Html:
    table = table_html(evidence_rows(alert, requests, scores))
    return Html(f"<p>{escape(str(alert['summary']))}</p>{table.text}")


def evidence_rows(alert: pd.Series, requests: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Requests for a rule on rows, verdicts for a detector: the last ones of its series until it fired."""
    of_rule = scores[(scores["alertname"] == alert["alertname"]) & (scores["metric"] == alert["metric"])]
    rows, columns = (requests, ROW_COLUMNS) if of_rule.empty else (of_rule, SCORE_COLUMNS)
    mine = rows[(rows["target"] == alert["target"]) & (rows["time"] <= alert["starts_at"])]
    if alert["origin"]:
        mine = mine[mine["origin"] == alert["origin"]]
    last: pd.DataFrame = mine[columns].tail(MAX_ROWS)
    return last.dropna(axis="columns", how="all").reset_index(drop=True)
