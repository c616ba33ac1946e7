"""The first lines of a report: what a reader must know, in sentences."""

from __future__ import annotations

import pandas as pd

from aiops_nb.core.quantities import format_count, format_duration, format_ratio
from aiops_nb.report.formatting import cell_text

MOST_NAMED = 3


def summary_sentences(
    summary: pd.DataFrame, alerts: pd.DataFrame, objectives: pd.DataFrame, quality: pd.DataFrame
) -> list[str]:
    """Errors, latency, objectives, the longest alert and missing data, each in a sentence; nothing where all is well.

    Parameters
    ----------
    summary, objectives, quality
        As `summarise`, `objective_table` and `quality_table` make them.
    alerts
        As `Recording.alerts()` gives them.
    """
    sentences = [
        *_error_sentences(summary),
        *_latency_sentences(summary),
        *_objective_sentences(objectives),
        *_alert_sentences(alerts),
        *_gap_sentences(quality),
    ]
    return sentences or ["Nothing needs attention: no errors, no alerts, no gaps."]


def _error_sentences(summary: pd.DataFrame) -> list[str]:
    failing = summary[summary["error_ratio"] > 0] if len(summary) else summary
    if failing.empty:
        return []
    ranked = failing.assign(errors=failing["error_ratio"] * failing["requests"]).sort_values("errors", ascending=False)
    named = [
        f"{line['target']} ({format_ratio(line['error_ratio'])} of {format_count(line['requests'], 'request')}, "
        f"worst minute {cell_text('worst_minute', line['worst_minute'])})"
        for line in ranked.head(MOST_NAMED).to_dict("records")
    ]
    return [f"Errors: {_listed(named, len(ranked), 'target')}."]


def _latency_sentences(summary: pd.DataFrame) -> list[str]:
    known = summary[summary["p95_seconds"].notna()] if len(summary) else summary
    if known.empty:
        return []
    slowest = known.sort_values("p95_seconds", kind="stable").iloc[-1]
    median = format_duration(slowest["p50_seconds"])
    return [f"Slowest: {slowest['target']} with a p95 of {format_duration(slowest['p95_seconds'])} (median {median})."]


def _objective_sentences(objectives: pd.DataFrame) -> list[str]:
    if objectives.empty:
        return []
    missed = objectives[~objectives["is_met"].astype(bool)]
    if missed.empty:
        return [f"Objectives: all {format_count(len(objectives), 'objective')} met."]
    named = [
        f"{cell_text('target', line['target'])} ({format_ratio(line['error_ratio'])} errors, "
        f"{line['budget_used_ratio']:.1f} times its budget)"
        for line in missed.head(MOST_NAMED).to_dict("records")
    ]
    return [f"Objectives missed: {_listed(named, len(missed), 'target')}."]


def _alert_sentences(alerts: pd.DataFrame) -> list[str]:
    fired = alerts[alerts["starts_at"].notna() & (alerts["inhibited_by"] == "")]
    over = fired[fired["ends_at"].notna()]
    if over.empty:
        return []
    over = over.assign(lasted=(over["ends_at"] - over["starts_at"]).dt.total_seconds())
    longest = over.sort_values("lasted", kind="stable").iloc[-1]
    target = cell_text("target", longest["target"])
    when = cell_text("starts_at", longest["starts_at"])
    return [f"Longest alert: {longest['alertname']} of {target}, {format_duration(longest['lasted'])} from {when}."]


def _gap_sentences(quality: pd.DataFrame) -> list[str]:
    gaps = quality[quality["gaps"] > 0] if "gaps" in quality else quality.head(0)
    if gaps.empty:
        return []
    named = [
        f"{line['target']} ({format_ratio(line['gap_ratio'])} of the time, "
        f"longest {format_duration(line['longest_gap_seconds'])})"
        for line in gaps.head(MOST_NAMED).to_dict("records")
    ]
    return [f"Missing data: {_listed(named, len(gaps), 'series')}."]


def _listed(named: list[str], total: int, noun: str) -> str:
    more = total - len(named)
    return ", ".join(named) + (f" and {format_count(more, f'more {noun}')}" if more > 0 else "")
