"""Detectors as channels that share the false alarms: rarities (-log10 of the tail probability), by their weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from aiops_nb.detect.kernels.extremes import BEFORE_POINTS, RECENT_POINTS
from aiops_nb.detect.kernels.shift import ShiftParams
from aiops_nb.detect.registry import build_detector
from aiops_nb.detect.score_scale import HALF_WAY
from aiops_nb.offline.score import score_series
from benchmarks.detection.judges import ours
from benchmarks.detection.labelled import Judge, each
from benchmarks.detection.peers import PEERS
from benchmarks.detection.peers.rolling import robust_z, rolling_z

Channel = Callable[[pd.Series], np.ndarray]
ANY_SEED = 3
_kept: dict[tuple[int, str], tuple[pd.Series, np.ndarray]] = {}


def kept(name: str, channel: Channel) -> Channel:
    """Kept next to its series, as many candidates share a channel."""

    def again(series: pd.Series) -> np.ndarray:
        key = id(series), name
        if key not in _kept:
            _kept[key] = series, channel(series)
        return _kept[key][1]

    return again


def rarity(score: np.ndarray) -> np.ndarray:
    return HALF_WAY * score / (100.0 - score)


def of(name: str) -> Channel:
    return kept(name, lambda series: rarity(ours(name)(series)))


def _shift_in_extremes(series: pd.Series) -> np.ndarray:
    params = ShiftParams(recent_points=RECENT_POINTS, before_points=BEFORE_POINTS)
    return rarity(score_series(series, build_detector(params, ("value",), 50.0)).score.to_numpy())


def _size_in_extremes(series: pd.Series) -> np.ndarray:
    """`extremes` as it was: the root mean square of this and of the shift is what it is now."""
    return np.sqrt(np.maximum(2 * EXTREMES(series) ** 2 - SHIFT(series) ** 2, 0.0))


def _nothing(series: pd.Series) -> np.ndarray:
    """A channel with the false alarms of the others that knows of no event."""
    random = np.random.default_rng(len(series) + ANY_SEED)
    return np.where(np.isnan(FACTS(series)), np.nan, -np.log10(1.0 - random.random(len(series))))


FACTS, EXTREMES = of("facts"), of("extremes")
SHIFT = kept("shift in extremes", _shift_in_extremes)
SIZE = kept("size in extremes", _size_in_extremes)
NOTHING = kept("nothing", _nothing)


def root_mean_square(*channels: Channel) -> Judge:
    return each(lambda series: np.sqrt(np.mean([channel(series) ** 2 for channel in channels], axis=0)))


def larger(third: Channel) -> Judge:
    """Of facts and size together, and of another."""
    return each(lambda series: np.maximum(np.sqrt((FACTS(series) ** 2 + SIZE(series) ** 2) / 2), third(series)))


BEFORE = "facts and size"
CANDIDATES: dict[str, Judge] = {
    BEFORE: root_mean_square(FACTS, SIZE),
    "facts, size and shift": root_mean_square(FACTS, SIZE, SHIFT),
    "the larger of facts and size, and of shift": larger(SHIFT),
    "size and shift": root_mean_square(SIZE, SHIFT),
    "size": root_mean_square(SIZE),
    "shift": root_mean_square(SHIFT),
    "facts, size and nothing": root_mean_square(FACTS, SIZE, NOTHING),
    "the larger of facts and size, and of nothing": larger(NOTHING),
    **{name: root_mean_square(of(name)) for name in ("facts", "default", "hybrid", "half_space_trees")},
    "rolling z": each(lambda series: rolling_z(series, 288)),
    "robust z": each(robust_z),
    "PyOD LOF": PEERS["PyOD LOF"],
}
