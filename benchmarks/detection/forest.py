"""`isolation_forest` on series of one value: the value, its change, and mean and spread of the last ten, as features.

All series are judged in one table, as targets of one monitor are: they share the forest, each in its own deviations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aiops_nb.core.types import FeatureTable, SeriesKey
from aiops_nb.detect.estimators.isolation_forest import IsolationForestParams
from aiops_nb.detect.registry import build_detector

NAMES = ("value", "change", "mean", "spread")
LAST_POINTS = 10


def features(series: pd.Series, points: int) -> np.ndarray:
    """(4, points), NaN beyond the end."""
    last = series.rolling(LAST_POINTS, min_periods=3)
    columns = np.stack([series, series.diff(), last.mean(), last.std()])
    return np.pad(columns, ((0, 0), (0, points - len(series))), constant_values=np.nan)


def forest(series: Sequence[pd.Series]) -> list[np.ndarray]:
    longest = max(series, key=len)
    values = np.stack([features(one, len(longest)) for one in series], axis=2)
    keys = tuple(SeriesKey(str(number)) for number in range(len(series)))
    detector, every = build_detector(IsolationForestParams(), NAMES, 60.0), np.ones(len(series), np.bool_)
    reported = np.empty((len(longest), len(series)))
    for at, end_ns in enumerate(longest.index.as_unit("ns").asi8.tolist()):
        table = FeatureTable("samples", end_ns, keys, NAMES, np.ascontiguousarray(values[:, at]))
        reported[at] = detector.score(table).score
        detector.learn(table, every)
    return [reported[: len(one), number] for number, one in enumerate(series)]
