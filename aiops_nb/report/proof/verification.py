"""A report verifies itself: its figures recomputed from the raw rows, independently of the first computation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.columns import dictionary_indices, floats
from aiops_nb.core.moments import Moment, range_ns
from aiops_nb.core.types import FloatArray, Int32Array
from aiops_nb.frames.summary import is_error
from aiops_nb.report.html import Html, details_html, table_html
from aiops_nb.report.tables import alerts_of
from aiops_nb.report.zones import in_zone
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
    again = recomputed_figures(recording.reader.blocks("requests", start_ns=start_ns, end_ns=end_ns))
    of_summary = [check for line in summary.to_dict("records") for check in figure_checks(line, again)]
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
    same = again.reset_index(drop=True).equals(in_zone(alerts, "UTC").reset_index(drop=True))
    return Check("alerts of a second replay", len(alerts), len(alerts) if same else math.nan, same)


def recomputed_figures(blocks: Iterable[pa.RecordBatch]) -> dict[tuple[str, str], dict[str, float]]:
    """The figures of each target and origin, from Arrow rows and numpy alone; 13 bytes of memory a row.

    Parameters
    ----------
    blocks
        Rows of requests.

    Returns
    -------
    dict
        By target and origin: requests, error_ratio, p50_seconds, p95_seconds and p99_seconds, NaN if unknown.
    """
    codes: dict[tuple[str, str], int] = {}
    groups, seconds, bads = [np.empty(0, np.int32)], [np.empty(0)], [np.empty(0, np.bool_)]
    for block in blocks:
        groups.append(_group_codes(block, codes))
        failed = pc.is_valid(block["error_type"])
        bad = pc.or_(failed, pc.fill_null(pc.greater_equal(block["status_code"], 500), False))
        bads.append(bad.to_numpy(zero_copy_only=False))
        seconds.append(np.where(failed.to_numpy(zero_copy_only=False), np.nan, floats(block["duration_seconds"])))
    group, second, is_bad = np.concatenate(groups), np.concatenate(seconds), np.concatenate(bads)
    order = np.lexsort((second, group))  # NaN is last in each group
    edges = np.searchsorted(group[order], np.arange(len(codes) + 1))
    ordered, bad_counts = second[order], np.bincount(group, is_bad, len(codes))
    return {
        key: {"requests": float(edges[i + 1] - edges[i]), "error_ratio": bad_counts[i] / (edges[i + 1] - edges[i])}
        | {f"p{q}_seconds": _quantile(ordered[edges[i] : edges[i + 1]], q / 100) for q in (50, 95, 99)}
        for key, i in codes.items()
    }


def _group_codes(block: pa.RecordBatch, codes: dict[tuple[str, str], int]) -> Int32Array:
    """A number for the target and origin of each row; `codes` learns new pairs."""
    targets, origins = block.column("target"), block.column("origin")
    pairs = dictionary_indices(targets).astype(np.int64) * (len(origins.dictionary) + 1) + dictionary_indices(origins)
    found, inverse = np.unique(pairs, return_inverse=True)
    names, kinds = targets.dictionary.to_pylist(), [*origins.dictionary.to_pylist(), None]
    numbers = [
        codes.setdefault((names[pair // len(kinds)], kinds[pair % len(kinds)]), len(codes)) for pair in found.tolist()
    ]
    return np.array(numbers, np.int32)[inverse]


def _quantile(ordered: FloatArray, q: float) -> float:
    """By linear interpolation between the nearest ranks (type 7 of Hyndman and Fan 1996); NaN of no values."""
    known = ordered[: int(np.count_nonzero(~np.isnan(ordered)))]
    if not len(known):
        return math.nan
    rank = q * (len(known) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(known) - 1)
    return float(known[below] + (known[above] - known[below]) * (rank - below))


def figure_checks(line: Mapping[Any, Any], again: Mapping[tuple[str, str], Mapping[str, float]]) -> Iterator[Check]:
    """A check for each figure of one line of the summary."""
    figures = again.get((line["target"], line["origin"]), {"requests": 0.0})
    for name in ("requests", "error_ratio", "p50_seconds", "p95_seconds", "p99_seconds"):
        reported = math.nan if line[name] is None else float(line[name])
        yield _check(f"{name} of {line['target']}", reported, figures.get(name, math.nan))


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
