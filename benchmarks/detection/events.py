"""Alarms against labelled events: how many are found at how many false alarms a day, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.detection.nab import Labelled, Spans

COOLDOWN_POINTS = 60
GRACE_POINTS = 30  # behind an event: the way back to usual is neither found nor false


def alarms(score: np.ndarray, threshold: float) -> list[int]:
    """Where the score reaches the threshold and no alarm was in the last COOLDOWN_POINTS."""
    places = np.flatnonzero(score >= threshold)
    told: list[int] = []
    at = 0
    while at < len(places):
        told.append(int(places[at]))
        at = int(np.searchsorted(places, places[at] + COOLDOWN_POINTS, side="right"))
    return told


@dataclass(frozen=True, slots=True)
class Found:
    """Points from each event's beginning to the first alarm in it, None for a miss; and alarms outside of events."""

    delays: tuple[int | None, ...]
    false_alarms: int


def found(told: Sequence[int], spans: Spans, first: int) -> Found:
    """What alarms find; those before `first` do not count."""
    told = [at for at in told if at >= first]
    delays = tuple(
        next((at - begin for at in told if begin <= at <= end), None) for begin, end in spans if begin >= first
    )
    inside = sum(any(begin <= at <= end + GRACE_POINTS for begin, end in spans) for at in told)
    return Found(delays, len(told) - inside)


def threshold_at(scores: Sequence[np.ndarray], labelled: Sequence[Labelled], first: int, false_alarms: float) -> float:
    """The lowest threshold at which all series together have at most so many false alarms."""
    pool = np.concatenate([score[np.isfinite(score)] for score in scores])
    low, high = 0, len(candidates := np.unique(np.quantile(pool, 1 - np.geomspace(1e-6, 0.2, 400)))) - 1
    while low < high:
        middle = (low + high) // 2
        told = (found(alarms(s, candidates[middle]), one.spans, first) for s, one in zip(scores, labelled, strict=True))
        if sum(one.false_alarms for one in told) <= false_alarms:
            high = middle
        else:
            low = middle + 1
    return float(candidates[high])
