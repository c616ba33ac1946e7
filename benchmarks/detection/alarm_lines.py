"""How rare a raw score is in healthy series: the line from which thresholds are set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from aiops_nb.detect.registry import STREAMING
from aiops_nb.detect.score_scale import HALF_WAY
from aiops_nb.offline.score import score_series
from benchmarks.detection.events import alarms
from benchmarks.detection.service import healthy

INTERVALS_SECONDS = (10, 60, 300)
POINTS = 14_400
FIRST = 1440
ALARMS_A_SERIES = (20, 10, 5, 2, 1, 0.5)


def table(seed: int, reported: Callable[[str], None]) -> pd.DataFrame:
    """Slope and offset of raw score over log10(points to a false alarm), by least squares over three intervals."""
    rows = {}
    for name in STREAMING:
        points, raw_score = [], []
        for interval in INTERVALS_SECONDS:
            scores = [score_series(one, name).score.to_numpy()[FIRST:] for one in healthy(seed, interval, POINTS)]
            for wanted in ALARMS_A_SERIES:
                threshold = _threshold(scores, wanted * len(scores))
                points.append((POINTS - FIRST) / wanted)
                raw_score.append(HALF_WAY * threshold / (100.0 - threshold))
        slope, offset = np.polyfit(np.log10(points), raw_score, 1)
        error = np.std(np.polyval([slope, offset], np.log10(points)) - raw_score)
        rows[name] = {"slope": slope, "offset": offset, "residual": error}
        reported(f"line {name}: {rows[name]}")
    return pd.DataFrame(rows).T


def _threshold(scores: list[np.ndarray], wanted: float) -> float:
    """The lowest at which there are at most so many alarms."""
    low, high = 0.0, 100.0
    for _ in range(24):
        middle = (low + high) / 2
        reported = sum(len(alarms(score, middle)) for score in scores)
        low, high = (low, middle) if reported <= wanted else (middle, high)
    return min(high, 99.0)
