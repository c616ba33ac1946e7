"""A live detector over rows that are already known, one row a tick."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from aiops_nb.core.protocols import Explaining
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, IntArray, Scores, SeriesKey


@dataclass(frozen=True, slots=True)
class Ticked:
    """Scores of all rows, the detector's threshold, and by row what made it strange, of those that reach it."""

    scores: Scores
    threshold: float
    shares: dict[int, dict[str, float]]


def ticked(detector: Any, times_ns: IntArray, values: FloatArray, *, explain: bool = False) -> Ticked:
    """What a copy of the detector says of (k, rows) values of its features."""
    live, every, key = copy.deepcopy(detector), np.ones(1, np.bool_), (SeriesKey("series"),)
    threshold, shares = float(getattr(live, "threshold", np.inf)), {}
    told, names = np.full((4, values.shape[1]), np.nan), live.features or ("value",)
    for at in range(values.shape[1]):
        table = FeatureTable("samples", int(times_ns[at]), key, names, values[:, at : at + 1])
        one = live.score(table)
        told[:, at] = one.score[0], one.expected[0], one.lower[0], one.upper[0]
        if explain and told[0, at] >= threshold:
            shares[at] = _shares(live, table, every)
        live.learn(table, every)
    return Ticked(Scores(*told), threshold, shares)


def _shares(live: Any, table: FeatureTable, every: BoolArray) -> dict[str, float]:
    told = live.contributions(table, every) if isinstance(live, Explaining) else {}
    return {name: float(share[0]) for name, share in told.items() if share[0] == share[0]}
