"""Two detectors as channels that share the false alarms: rarities (-log10 of the tail probability), equal weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aiops_nb.detect.scale import HALF_WAY
from benchmarks.detection.judges import OURS, each, ours
from benchmarks.detection.labelled import Judge
from benchmarks.detection.rolling import robust_z, rolling_z


def rarity(series: pd.Series, name: str) -> np.ndarray:
    score = ours(name)(series)
    return HALF_WAY * score / (100.0 - score)


def larger(*names: str) -> Judge:
    return each(lambda series: np.maximum.reduce([rarity(series, name) for name in names]))


def mean(*names: str) -> Judge:
    return each(lambda series: np.mean([rarity(series, name) for name in names], axis=0))


def root_mean_square(*names: str) -> Judge:
    return each(lambda series: np.sqrt(np.mean([rarity(series, name) ** 2 for name in names], axis=0)))


PAIRS: Sequence[tuple[str, str]] = (("faults", "extremes"), ("faults", "default"), ("faults", "half_space_trees"))
KNOWN = ("faults", "half_space_trees", "default", "rolling z", "robust z")
CANDIDATES: dict[str, Judge] = {
    **{name: OURS[name] for name in ("faults", "extremes", "default", "hybrid", "half_space_trees")},
    **{
        f"{way.__name__.replace('_', ' ')} of {' and '.join(pair)}": way(*pair)
        for way in (larger, mean, root_mean_square)
        for pair in PAIRS
    },
    "rolling z": each(lambda series: rolling_z(series, 288)),
    "robust z": each(robust_z),
}
