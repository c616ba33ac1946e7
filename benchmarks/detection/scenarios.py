"""Indicators of unlike scenarios, each with events of one sort, on which a choice has to hold."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from benchmarks.detection.kpi import EVENTS, Array, Events, Making


def _raised(level: Array, deviation: Array, random: Generator) -> Array:
    return level + random.uniform(3, 6) * deviation


def _short_dip(level: Array, deviation: Array, random: Generator) -> Array:
    return np.maximum(level - random.uniform(5, 10) * deviation, 0)


def shifts(shortest: int, longest: int) -> Events:
    """A level that lasts for so many values."""
    _, _, lower = EVENTS["loss"]
    return {"raised": (shortest, longest, _raised), "loss": (shortest, longest, lower)}


SHORT: Events = {"spike": EVENTS["spike"], "short dip": (1, 5, _short_dip)}
SCENARIOS: dict[str, Making] = {
    "spikes and dips, 1 min": Making(interval_seconds=60, days=60, events=SHORT),
    "spikes and dips, 5 min": Making(interval_seconds=300, days=120, events=SHORT),
    "shifts, 1 min": Making(interval_seconds=60, days=60, events=shifts(10, 300)),
    "shifts, 5 min": Making(interval_seconds=300, days=120, events=shifts(4, 70)),
    "gaps, 1 min": Making(interval_seconds=60, days=60, lost_ratio=0.03, gaps=20, longest_gap=600),
    "quiet weekends, 5 min": Making(interval_seconds=300, days=120, weekend_ratio=0.4),
    "heavy tails, 1 min": Making(interval_seconds=60, days=60, degrees=2.5),
}
