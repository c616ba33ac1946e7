"""Synthetic indicators of a web service: events found at three rates of false alarms set on other series."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.detection.events import days, false_alarms, share_found, threshold_at
from benchmarks.detection.labelled import Judge, Labelled, trials

RATES = (0.1, 0.5, 1.0)


def row(tuning: Sequence[Labelled], fresh: Sequence[Labelled], judge: Judge) -> dict[str, float]:
    """The share of events found, with thresholds that give so many false alarms a day on `tuning`."""
    tuned, scored = trials(judge, tuning), trials(judge, fresh)
    reported: dict[str, float] = {}
    for rate in RATES:
        threshold = threshold_at(tuned, rate)
        reported[f"found at {rate:g} a day"] = share_found(scored, threshold)
        if rate == 0.5:
            reported["false alarms a day"] = false_alarms(scored, threshold) / days(scored)
    return reported
