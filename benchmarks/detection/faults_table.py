"""Synthetic faults of a service: found, and how soon, at a rate of false alarms set on other series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks.detection.events import days, delays, false_alarms, threshold_at
from benchmarks.detection.labelled import Judge, Labelled, trials
from benchmarks.detection.service import FAULTS, INTERVAL_SECONDS

RATE = 0.5


def row(tuning: Sequence[Labelled], fresh: Sequence[Labelled], judge: Judge) -> dict[str, float]:
    """The share found of each kind, with the threshold that gives RATE false alarms a day on `tuning`."""
    threshold = threshold_at(trials(judge, tuning), RATE)
    scored = trials(judge, fresh)
    soon = delays(scored, threshold)
    hits: dict[str, list[bool]] = defaultdict(list)
    for kind, delay in zip((kind for one in fresh for kind in one.kinds), soon, strict=True):
        hits[kind].append(delay is not None)
    late = [delay for delay in soon if delay is not None]
    return {
        "found": float(np.mean([delay is not None for delay in soon])),
        **{kind: float(np.mean(hits[kind])) for kind in FAULTS},
        "median delay s": float(np.median(late)) * INTERVAL_SECONDS if late else float("nan"),
        "false alarms a day": false_alarms(scored, threshold) / days(scored),
    }
