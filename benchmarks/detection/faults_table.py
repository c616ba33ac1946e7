"""Synthetic faults of a service: found, and how soon, at a rate of false alarms set on other series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.detection.events import alarms, found, threshold_at
from benchmarks.detection.judges import JUDGES, Judge
from benchmarks.detection.service import FAULTS, FIRST_FAULT, INTERVAL_SECONDS, load

RATE = 0.5


def table(seed: int, of_each: int, told: Callable[[str], None]) -> pd.DataFrame:
    """A row a judge: the share found of each kind, with the threshold that gives RATE false alarms a day elsewhere."""
    tuning, fresh = load(seed + 1, of_each), load(seed, of_each)
    rows = {}
    for name, judge in JUDGES.items():
        rows[name] = row(judge, tuning, fresh)
        told(f"faults {name}: {rows[name]}")
    return pd.DataFrame(rows).T


def days(series: list) -> float:
    return sum(len(one.series) - FIRST_FAULT for one, _ in series) * INTERVAL_SECONDS / 86400.0


def row(judge: Judge, tuning: list, fresh: list) -> dict[str, float]:
    threshold = threshold_at(
        [judge(one.series) for one, _ in tuning], [one for one, _ in tuning], FIRST_FAULT, RATE * days(tuning)
    )
    hits: dict[str, list[bool]] = defaultdict(list)
    delays, false_alarms = [], 0
    for one, kinds in fresh:
        score = judge(one.series)
        result = found(alarms(score, max(threshold, 1e-9)), one.spans, FIRST_FAULT)
        false_alarms += result.false_alarms
        for kind, delay in zip(kinds, result.delays, strict=True):
            hits[kind].append(delay is not None)
            delays += [delay] if delay is not None else []
    every = [hit for kind in hits.values() for hit in kind]
    return {
        "found": float(np.mean(every)),
        **{kind: float(np.mean(hits[kind])) for kind in FAULTS},
        "median delay s": float(np.median(delays)) * INTERVAL_SECONDS if delays else float("nan"),
        "false alarms a day": false_alarms / days(fresh),
    }
