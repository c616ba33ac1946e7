"""The Numenta Anomaly Benchmark (Lavin and Ahmad 2015): its series, and its score under the standard profile.

A window that is found earns up to 1, the more the earlier; one that is missed costs 1; an alarm outside costs up to
0.11, less just behind a window. The sum is put on a scale where silence is 0 and every window found at once 100.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.detection.events import Spans
from benchmarks.detection.labelled import Labelled

FALSE_ALARM_COST = 0.11
PROBATION_RATIO = 0.15
PROBATION_MOST_POINTS = 750


@dataclass(frozen=True, slots=True)
class Tally:
    """Points earned, and the number of windows; tallies of several series add up."""

    earned: float
    windows: int

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.earned + other.earned, self.windows + other.windows)

    @property
    def score(self) -> float:
        """From silence, 0, to perfection, 100."""
        return 50.0 * (self.earned + self.windows) / self.windows if self.windows else float("nan")


def load(folder: Path) -> list[Labelled]:
    """All series that `windows.json` (or NAB's own `combined_windows.json`) names and the folder holds."""
    for labels in (folder / "windows.json", folder / "labels" / "combined_windows.json"):
        if labels.is_file():
            windows = json.loads(labels.read_text(encoding="utf-8"))
            break
    else:
        raise SystemExit(f"{folder}: expected windows.json or labels/combined_windows.json")
    paths = ((name, _path(folder, name)) for name in sorted(windows))
    return [_labelled(name, path, windows[name]) for name, path in paths if path is not None]


def _path(folder: Path, name: str) -> Path | None:
    positions = (folder / f"{name}.gz", folder / name, folder / "data" / name)
    return next((place for place in positions if place.is_file()), None)


def _labelled(name: str, path: Path, windows: Sequence[Sequence[str]]) -> Labelled:
    frame = pd.read_csv(path, parse_dates=["timestamp"])
    times = pd.DatetimeIndex(frame["timestamp"]).tz_localize("UTC")
    spans = []
    for first, last in windows:
        inside = np.flatnonzero((times >= pd.Timestamp(first, tz="UTC")) & (times <= pd.Timestamp(last, tz="UTC")))
        spans.append((int(inside[0]), int(inside[-1])))
    return Labelled(
        name, pd.Series(frame["value"].to_numpy(float), index=times), tuple(spans), probation_points(len(frame))
    )


def probation_points(length: int) -> int:
    """Points at the beginning that count neither way."""
    return int(min(PROBATION_RATIO * length, PROBATION_MOST_POINTS))


def sigmoid(place: float) -> float:
    """Worth of an alarm: place -1 is a window's beginning, 0 its end, 1 a window's width behind it."""
    return -1.0 if place > 3.0 else 2.0 / (1.0 + np.exp(5.0 * place)) - 1.0


def tally(alarms: Iterable[int], spans: Spans, length: int) -> Tally:
    """What alarms at these indices earn."""
    probation = probation_points(length)
    best: dict[int, float] = {}
    earned = 0.0
    for at in alarms:
        if at < probation:
            continue
        window = next((w for w, (first, last) in enumerate(spans) if first <= at <= last), None)
        if window is None:
            earned += FALSE_ALARM_COST * _behind(at, spans)
        else:
            first, last = spans[window]
            worth = sigmoid(-(last - at + 1) / (last - first + 1)) / sigmoid(-1.0)
            best[window] = max(best.get(window, -1.0), worth)
    return Tally(earned + sum(best.values()) - (len(spans) - len(best)), len(spans))


def _behind(at: int, spans: Spans) -> float:
    before = [(first, last) for first, last in spans if last < at]
    if not before:
        return -1.0
    first, last = before[-1]
    return sigmoid((at - last) / max(last - first, 1))
