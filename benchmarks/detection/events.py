"""Alarms against labelled events: how many are found at how many false alarms a day, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Spans = tuple[tuple[int, int], ...]
COOLDOWN_POINTS = 60
GRACE_POINTS = 30  # behind an event: the way back to baseline is neither found nor false
LEAST_THRESHOLD = 1e-9  # what scores 0 everywhere says nothing


def alarms(score: np.ndarray, threshold: float) -> list[int]:
    """Where the score reaches the threshold and no alarm was in the last COOLDOWN_POINTS."""
    positions = np.flatnonzero(score >= threshold)
    reported: list[int] = []
    at = 0
    while at < len(positions):
        reported.append(int(positions[at]))
        at = int(np.searchsorted(positions, positions[at] + COOLDOWN_POINTS, side="right"))
    return reported


@dataclass(frozen=True, slots=True)
class Found:
    """Points from each event's beginning to the first alarm in it, None for a miss; and alarms outside of events."""

    delays: tuple[int | None, ...]
    false_alarms: int


def found(reported: Sequence[int], spans: Spans, first: int) -> Found:
    """What alarms find; those before `first` do not count."""
    reported = [at for at in reported if at >= first]
    delays = tuple(
        next((at - begin for at in reported if begin <= at <= end), None) for begin, end in spans if begin >= first
    )
    inside = sum(any(begin <= at <= end + GRACE_POINTS for begin, end in spans) for at in reported)
    return Found(delays, len(reported) - inside)


@dataclass(frozen=True, slots=True)
class Trial:
    """A series as a judge scored it, the events in it, the point from which on it counts, and how long that is."""

    score: np.ndarray
    spans: Spans
    first: int
    days: float

    def found(self, threshold: float) -> Found:
        return found(alarms(self._counted(), max(threshold, LEAST_THRESHOLD)), self.spans, self.first)

    def _counted(self) -> np.ndarray:
        """No alarm before `first`, and so none that is quiet for its sake behind it."""
        return np.r_[np.full(self.first, np.nan), self.score[self.first :]]

    @property
    def events(self) -> int:
        return sum(begin >= self.first for begin, _ in self.spans)


def days(trials: Sequence[Trial]) -> float:
    return sum(trial.days for trial in trials)


def false_alarms(trials: Sequence[Trial], threshold: float) -> int:
    return sum(trial.found(threshold).false_alarms for trial in trials)


def delays(trials: Sequence[Trial], threshold: float) -> list[int | None]:
    """Of each event of all."""
    return [delay for trial in trials for delay in trial.found(threshold).delays]


def share_found(trials: Sequence[Trial], threshold: float) -> float:
    return float(np.mean([delay is not None for delay in delays(trials, threshold)]))


def threshold_at(trials: Sequence[Trial], false_alarms_per_day: float) -> float:
    """The lowest threshold at which all trials together have at most so many false alarms a day."""
    pool = np.concatenate([trial.score[trial.first :] for trial in trials])
    spread = np.quantile(pool[np.isfinite(pool)], 1 - np.geomspace(1e-6, 0.2, 400))
    low, high = 0, len(candidates := np.unique(spread)) - 1
    while low < high:
        middle = (low + high) // 2
        if false_alarms(trials, candidates[middle]) <= false_alarms_per_day * days(trials):
            high = middle
        else:
            low = middle + 1
    return float(candidates[high])
