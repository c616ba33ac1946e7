"""Synthetic indicators of a web service: events found at three rates of false alarms set on other series."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from benchmarks.detection.events import alarms, found, threshold_at
from benchmarks.detection.judges import JUDGES, Judge
from benchmarks.detection.kpi import FIRST_EVENT_RATIO, load
from benchmarks.detection.nab import Labelled

RATES = (0.1, 0.5, 1.0)
Indicators = Sequence[tuple[Labelled, list[str], int]]


def table(seed: int, of_each: int, told: Callable[[str], None]) -> pd.DataFrame:
    """A row a judge: the share of events found, with thresholds that give so many false alarms a day elsewhere."""
    tuning, fresh = load(seed + 1, of_each), load(seed, of_each)
    rows = {}
    for name, judge in JUDGES.items():
        rows[name] = row(judge, tuning, fresh)
        told(f"kpi {name}: {rows[name]}")
    return pd.DataFrame(rows).T


def first_of(one: Labelled) -> int:
    return int(FIRST_EVENT_RATIO * len(one.series))


def days(series: Indicators) -> float:
    return sum((len(one.series) - first_of(one)) * interval for one, _, interval in series) / 86400.0


def row(judge: Judge, tuning: Indicators, fresh: Indicators) -> dict[str, float]:
    tuned = [judge(one.series) for one, _, _ in tuning]
    scored = [judge(one.series) for one, _, _ in fresh]
    told: dict[str, float] = {}
    for rate in RATES:
        quiet = [
            np.r_[np.zeros(first_of(one)), score[first_of(one) :]]
            for score, (one, _, _) in zip(tuned, tuning, strict=True)
        ]
        threshold = max(threshold_at(quiet, [one for one, _, _ in tuning], 0, rate * days(tuning)), 1e-9)
        results = [
            found(alarms(score, threshold), one.spans, first_of(one))
            for score, (one, _, _) in zip(scored, fresh, strict=True)
        ]
        delays = [delay for result in results for delay in result.delays]
        told[f"found at {rate:g} a day"] = float(np.mean([delay is not None for delay in delays]))
        if rate == 0.5:
            told["false alarms a day"] = sum(result.false_alarms for result in results) / days(fresh)
    return told
