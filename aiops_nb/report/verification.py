"""A report verifies itself: its figures recomputed from the raw rows, independently of the first computation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.moments import Moment, range_ns
from aiops_nb.report.html import Html, details_html, table_html
from aiops_nb.report.tables import alerts_of, is_error
from aiops_nb.rules.evidence import evidence_of
from aiops_nb.rules.row.judge import ROW_RULE_DETECTOR
from aiops_nb.session.recording import Recording, open_recording

TOLERANCE = 1e-9


class Check(NamedTuple):
    """One figure, as reported and as recomputed."""

    figure: str
    reported: float
    recomputed: float
    is_equal: bool


def verify(
    recording: Recording,
    summary: pd.DataFrame,
    alerts: pd.DataFrame,
    requests: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    start: Moment = None,
    end: Moment = None,
    targets: Sequence[str] = (),
) -> pd.DataFrame:
    """Verify a report.

    The counts, ratios and quantiles of the summary are recomputed from the Arrow rows without pandas; each alert must
    have rows that prove it; and a second replay must give the same alerts.

    Parameters
    ----------
    recording
        What the report is about.
    summary, alerts, requests, scores
        As the report shows them.
    start, end, targets
        What the report was narrowed to.

    Returns
    -------
    pandas.DataFrame
        A row per check: `figure`, `reported`, `recomputed`, `is_equal`.
    """
    start_ns, end_ns = range_ns(start, end)
    rows = recording.reader.table("requests", start_ns=start_ns, end_ns=end_ns)
    of_summary = [check for line in summary.to_dict("records") for check in _check_line(line, rows)]
    fired = alerts[alerts["starts_at"].notna()]
    of_alerts = [_check_alert(alert, requests, scores) for _, alert in fired.iterrows()]
    of_replay = [] if recording.is_live else [_check_replay(recording, alerts, start, end, targets)]
    checks = [*of_summary, *of_alerts, *of_replay]
    return pd.DataFrame(checks, columns=list(Check._fields))


def _check_replay(
    recording: Recording, alerts: pd.DataFrame, start: Moment, end: Moment, targets: Sequence[str]
) -> Check:
    fresh = open_recording(recording.path, trust=recording.reader.trusted, derived=False)  # kept tables prove nothing
    again = alerts_of(fresh.alerts(start=start, end=end), targets)
    same = again.reset_index(drop=True).equals(alerts.reset_index(drop=True))
    return Check("alerts of a second replay", len(alerts), len(alerts) if same else math.nan, same)


def _check_line(line: dict[Any, Any], rows: pa.Table) -> Iterator[Check]:
    is_mine = pc.and_(_equals(rows["target"], line["target"]), _equals(rows["origin"], line["origin"]))
    mine = rows.filter(is_mine)
    failed = pc.is_valid(mine["error_type"])
    bad = pc.or_(failed, pc.fill_null(pc.greater_equal(mine["status_code"], 500), False))
    answered = mine.filter(pc.invert(failed))["duration_seconds"]
    again: dict[str, Any] = {
        "requests": mine.num_rows,
        "error_ratio": (pc.sum(bad).as_py() or 0) / mine.num_rows if mine.num_rows else math.nan,
    } | {f"p{q}_seconds": pc.quantile(answered, q=q / 100)[0].as_py() for q in (50, 95, 99)}
    for name, value in again.items():
        yield _check(f"{name} of {line['target']}", float(line[name]), math.nan if value is None else float(value))


def _equals(column: pa.ChunkedArray, text: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(column.cast(pa.string()), text), False)


def _check(figure: str, reported: float, recomputed: float) -> Check:
    both_unknown = math.isnan(reported) and math.isnan(recomputed)
    return Check(figure, reported, recomputed, both_unknown or math.isclose(reported, recomputed, rel_tol=TOLERANCE))


def _check_alert(alert: pd.Series, requests: pd.DataFrame, scores: pd.DataFrame) -> Check:
    rows = evidence_of(alert).rows(alert, lambda: requests, lambda: scores)
    if "is_anomaly" in rows.columns:
        rows = rows[rows["is_anomaly"].astype(bool)]
    elif alert["detector"] == ROW_RULE_DETECTOR:
        rows = rows[_is_bad(rows)]
    found = int(rows["time"].between(alert["pending_at"], alert["starts_at"]).sum())
    return Check(f"evidence of {alert['alertname']} of {alert['target']}", 1.0, float(found), found >= 1)


def _is_bad(requests: pd.DataFrame) -> pd.Series:
    return is_error(requests) | requests["status_code"].fillna(0).between(400, 499)


def checks_html(checks: pd.DataFrame) -> Html:
    """How many figures were reproduced; all of them on a click."""
    title = f"{int(checks['is_equal'].sum())} of {len(checks)} figures reproduced"
    table = table_html(checks.rename(columns={"is_equal": "reproduced"}))
    return details_html([(title, table)], first_open=not checks["is_equal"].all())
