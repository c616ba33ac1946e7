"""Why rows of a series or a frame are alarms, as columns."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aiops_nb.core.protocols import Explaining
from aiops_nb.core.quantities import readable
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, IntArray, Scores, SeriesKey
from aiops_nb.rules.feature.sentences import band_of, because, bounds_of

AnyArray = np.ndarray[Any, np.dtype[Any]]
Shares = Mapping[int, Mapping[str, float]]


def reason_columns(
    detector: str, values: Mapping[str, FloatArray], scores: Scores, alarm: BoolArray, shares: Shares
) -> dict[str, AnyArray]:
    """Columns detector, contributions and summary; the last two are null where there is no alarm.

    Examples
    --------
    >>> scores = Scores(*np.array([[60.0], [0.1], [np.nan], [0.2]]))
    >>> alarm, values = np.array([True]), {"wait_seconds": np.array([0.5])}
    >>> columns = reason_columns("faults", values, scores, alarm, {0: {"value": 0.8, "change": 0.2}})
    >>> columns["summary"][0]
    'wait_seconds 500 ms (expected 100, limit 200); mainly because of the value (80 %)'
    >>> columns["contributions"][0]
    '{"value": 0.8, "change": 0.2}'
    """
    contributions, summary = (np.full(len(alarm), None, object) for _ in range(2))
    for at in np.flatnonzero(alarm).tolist():
        parts = shares[at]
        first, *others = (f"{name} {readable(float(value[at]), name)}" for name, value in values.items())
        name, value = next(iter(values.items()))
        band = band_of(float(value[at]), bounds_of(scores, at), name)
        summary[at] = ", ".join([f"{first}{band}", *others]) + because(parts)
        alone = {} if len(values) > 1 else dict.fromkeys(values, 1.0)
        contributions[at] = json.dumps(dict(parts) or alone)
    return {"detector": np.full(len(alarm), detector, object), "contributions": contributions, "summary": summary}


@dataclass(frozen=True, slots=True)
class Ticked:
    """Scores of all rows, the detector's threshold, and by row what made it anomalous, of those that reach it."""

    scores: Scores
    threshold: float
    shares: dict[int, dict[str, float]]


def ticked(detector: Any, times_ns: IntArray, values: FloatArray, *, explain: bool = False) -> Ticked:
    """What a copy of the detector says of (k, rows) values of its features."""
    live, every, key = copy.deepcopy(detector), np.ones(1, np.bool_), (SeriesKey("series"),)
    threshold, shares = float(getattr(live, "threshold", np.inf)), {}
    scores, names = np.full((4, values.shape[1]), np.nan), live.features or ("value",)
    for at in range(values.shape[1]):
        table = FeatureTable("samples", int(times_ns[at]), key, names, values[:, at : at + 1])
        one = live.score(table)
        scores[:, at] = one.score[0], one.expected[0], one.lower[0], one.upper[0]
        if explain and scores[0, at] >= threshold:
            shares[at] = _shares(live, table, every)
        live.learn(table, every)
    return Ticked(Scores(*scores), threshold, shares)


def _shares(live: Any, table: FeatureTable, every: BoolArray) -> dict[str, float]:
    by_part = live.contributions(table, every) if isinstance(live, Explaining) else {}
    return {name: float(share[0]) for name, share in by_part.items() if share[0] == share[0]}
