"""One model of river for each series as a live detector."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, Scores
from aiops_nb.detect.estimators.attribution import BaselineValues
from aiops_nb.detect.estimators.calibration import SeriesCalibration
from aiops_nb.detect.estimators.foreign import Troubles, last_step
from aiops_nb.detect.relearning import LearningGate

SEED = 0


def unseeded(params: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The parameters of a river model, nested as it has them, that are to be seeded.

    Examples
    --------
    >>> unseeded({"MinMaxScaler": {}, "HalfSpaceTrees": {"n_trees": 5, "seed": None}}, seed=7)
    {'HalfSpaceTrees': {'seed': 7}}
    """
    new: dict[str, Any] = {}
    for name, value in params.items():
        of_model = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict)
        nested = value[1] if of_model else value
        if isinstance(nested, dict) and (found := unseeded(nested, seed)):
            new[name] = (value[0], found) if of_model else found
        elif name == "seed" and value is None:
            new[name] = seed
    return new


def ready(model: Any, seed: int) -> Any:
    """A copy of the model; if something in it is unseeded a fresh one, which has learned nothing, seeded."""
    new = unseeded(model._get_params(), seed) if hasattr(model, "_get_params") else {}
    return model.clone(new) if new else copy.deepcopy(model)


class RiverDetector:
    """One river model for each series: a Python call a series and tick, so for dozens of series, not thousands.

    Without `features` a model is shown whatever is known of its series; with them, a tick counts if all are known. One
    that raises has no score at that tick; it is logged once and reported as `problem` until all of them work again.
    """

    def __init__(self, name: str, model: Any, features: tuple[str, ...], threshold: float) -> None:
        self.name = name
        self.features = features
        self.threshold = threshold
        self._troubles = Troubles(type(last_step(model)).__name__)
        self._blank = ready(model, SEED)
        self._models: list[Any] = []
        self._past, self._baseline = SeriesCalibration(), BaselineValues()
        self._learning_gate = LearningGate(300, 3600.0)

    @property
    def problem(self) -> str:
        """What a model raised, in one line, while one does; empty while all work."""
        return self._troubles.message

    @property
    def accepted(self) -> BoolArray:
        """(n,) which series had a new level accepted by the last `learn`."""
        return self._learning_gate.accepted

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where a feature is not known. There is no band."""
        raw = self._raw(table)
        blank = np.full(len(raw), np.nan)
        return Scores(score=self._past.score(raw), expected=blank, lower=blank, upper=blank)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Let the models of the series in `rows` learn."""
        raw = self._raw(table)
        learn = self._learning_gate.to_learn(np.isfinite(raw), rows, table.end_ns)
        self._past.learn(raw, learn)
        self._learn([(at, self._vector(table, at)) for at in np.flatnonzero(learn).tolist()])
        self._baseline.learn(self._values(table), learn)

    def contributions(self, table: FeatureTable, rows: BoolArray | None = None) -> dict[str, FloatArray]:
        """How much of its score a series in `rows` (n,) loses where a feature is put at its baseline, by feature.

        Shares that sum to 1; NaN elsewhere. Cost: one more score a feature and series.
        """
        raw, names = self._raw(table), self.features or table.names
        shares = np.full((len(names), len(raw)), np.nan)
        baseline = self._baseline.of(len(names), len(raw))
        for at in np.flatnonzero(np.isfinite(raw) & (True if rows is None else rows)).tolist():
            one = self._vector(table, at)
            changed = ({**one, name: value} for name, value in zip(names, baseline[:, at].tolist(), strict=True))
            rest = [self._score(at, other, []) for other in changed]
            gone = np.nan_to_num(np.maximum(raw[at] - np.array(rest), 0.0))
            shares[:, at] = gone / gone.sum() if gone.any() else 1.0 / len(names)
        return dict(zip(names, shares, strict=True))

    def _learn(self, vectors: list[tuple[int, dict[str, float]]]) -> None:
        failures = []
        for at, vector in vectors:
            try:
                self._models[at].learn_one(vector)
            except Exception as problem:  # whatever a foreign model raises must not end the stream
                failures.append(problem)
        self._note("learning", "does not learn", failures)

    def _note(self, asked: str, what: str, failures: list[Exception]) -> None:
        if failures:
            self._troubles.meet(asked, what, failures[0])
        else:
            self._troubles.over(asked)

    def _score(self, at: int, vector: dict[str, float], failures: list[Exception]) -> float:
        try:
            return abs(float(self._models[at].score_one(vector)))
        except Exception as problem:  # as above
            failures.append(problem)
            return np.nan

    def _values(self, table: FeatureTable) -> FloatArray:
        return np.stack([table.column(name) for name in self.features or table.names])

    def _raw(self, table: FeatureTable) -> FloatArray:
        count = table.values.shape[1]
        self._past.make_room(count)
        while len(self._models) < count:
            self._models.append(copy.deepcopy(self._blank))
        vectors = [self._vector(table, at) for at in range(count)]
        failures: list[Exception] = []
        scores = (self._score(at, one, failures) if one else np.nan for at, one in enumerate(vectors))
        raw = np.fromiter(scores, np.float64, count)
        self._note("scoring", "gives no scores", failures)
        return raw

    def _vector(self, table: FeatureTable, at: int) -> dict[str, float]:
        names = self.features or table.names
        known = {name: float(table.column(name)[at]) for name in names if np.isfinite(table.column(name)[at])}
        return known if len(known) == len(names) or not self.features else {}
