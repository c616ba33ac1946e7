"""Two detectors as channels that share the false alarms: rarities (-log10 of the tail probability), equal weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aiops_nb.detect.scale import HALF_WAY
from benchmarks.detection.judges import ours
from benchmarks.detection.labelled import Judge, each
from benchmarks.detection.neighbours.rolling import robust_z, rolling_z

_kept: dict[tuple[int, str], tuple[pd.Series, np.ndarray]] = {}


def rarity(series: pd.Series, name: str) -> np.ndarray:
    """Kept beside its series, as many pairs share a channel."""
    key = id(series), name
    if key not in _kept:
        score = ours(name)(series)
        _kept[key] = series, HALF_WAY * score / (100.0 - score)
    return _kept[key][1]


def alone(name: str) -> Judge:
    return each(lambda series: rarity(series, name))


def larger(*names: str) -> Judge:
    return each(lambda series: np.maximum.reduce([rarity(series, name) for name in names]))


def mean(*names: str) -> Judge:
    return each(lambda series: np.mean([rarity(series, name) for name in names], axis=0))


def root_mean_square(*names: str) -> Judge:
    return each(lambda series: np.sqrt(np.mean([rarity(series, name) ** 2 for name in names], axis=0)))


PAIRS: Sequence[tuple[str, str]] = (("facts", "extremes"), ("facts", "default"), ("facts", "half_space_trees"))
CANDIDATES: dict[str, Judge] = {
    **{name: alone(name) for name in ("facts", "extremes", "default", "hybrid", "half_space_trees")},
    **{
        f"{way.__name__.replace('_', ' ')} of {' and '.join(pair)}": way(*pair)
        for way in (larger, mean, root_mean_square)
        for pair in PAIRS
    },
    "rolling z": each(lambda series: rolling_z(series, 288)),
    "robust z": each(robust_z),
}
