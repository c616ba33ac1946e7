"""A live detector over rows that are already known, one row a tick."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from aiops_nb.core.types import FeatureTable, FloatArray, IntArray, Scores, SeriesKey


def ticked(detector: Any, times_ns: IntArray, values: FloatArray) -> tuple[Scores, float]:
    """Scores of a copy of the detector for (k, rows) values of its features, and its threshold."""
    live, every, key = copy.deepcopy(detector), np.ones(1, np.bool_), (SeriesKey("series"),)
    told, names = np.full((4, values.shape[1]), np.nan), live.features or ("value",)
    for at in range(values.shape[1]):
        table = FeatureTable("samples", int(times_ns[at]), key, names, values[:, at : at + 1])
        one = live.score(table)
        told[:, at] = one.score[0], one.expected[0], one.lower[0], one.upper[0]
        live.learn(table, every)
    return Scores(*told), float(getattr(live, "threshold", np.inf))
