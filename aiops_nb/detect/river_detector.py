"""One model of river for each series as a live detector."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, Scores
from aiops_nb.detect.kept_out import KeptOut
from aiops_nb.detect.own_past import OwnPast


class RiverDetector:
    """One river model for each series: a Python call a series and tick, so for dozens of series, not thousands.

    Without `features` a model is shown whatever is known of its series; with them, a tick counts if all are known.
    """

    def __init__(self, name: str, model: Any, features: tuple[str, ...], threshold: float) -> None:
        self.name = name
        self.features = features
        self.threshold = threshold
        self._blank = model
        self._models: list[Any] = []
        self._past = OwnPast()
        self._kept_out = KeptOut(300, 3600.0)

    @property
    def accepted(self) -> BoolArray:
        """(n,) which series had a new level accepted by the last `learn`."""
        return self._kept_out.accepted

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where a feature is not known. There is no band."""
        raw = self._raw(table)
        blank = np.full(len(raw), np.nan)
        return Scores(score=self._past.score(raw), expected=blank, lower=blank, upper=blank)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Let the models of the series in `rows` learn."""
        raw = self._raw(table)
        learn = self._kept_out.to_learn(np.isfinite(raw), rows, table.end_ns)
        self._past.learn(raw, learn)
        for at in np.flatnonzero(learn).tolist():
            self._models[at].learn_one(self._vector(table, at))

    def _raw(self, table: FeatureTable) -> FloatArray:
        count = table.values.shape[1]
        self._past.make_room(count)
        while len(self._models) < count:
            self._models.append(copy.deepcopy(self._blank))
        vectors = [self._vector(table, at) for at in range(count)]
        told = (abs(self._models[at].score_one(one)) if one else np.nan for at, one in enumerate(vectors))
        return np.fromiter(told, np.float64, count)

    def _vector(self, table: FeatureTable, at: int) -> dict[str, float]:
        names = self.features or table.names
        known = {name: float(table.column(name)[at]) for name in names if np.isfinite(table.column(name)[at])}
        return known if len(known) == len(names) or not self.features else {}
