"""One estimator of scikit-learn or PyOD as a live detector of the feature vectors of all series."""

from __future__ import annotations

from typing import Any

import numpy as np

from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, Scores
from aiops_nb.detect.arithmetic.operations import log
from aiops_nb.detect.estimators.attribution import shares_of
from aiops_nb.detect.estimators.calibration import SeriesCalibration
from aiops_nb.detect.estimators.refitted import RAW_AT_BASELINE, Refitted
from aiops_nb.detect.estimators.vectors import SeriesNormalisation
from aiops_nb.detect.relearning import LearningGate

EXPLAINED_SHARE = 0.1


class EstimatorDetector:
    """One estimator for the vectors of all series, fitted again on a schedule, scored in one batch a tick.

    Each feature is taken in deviations of its own series, so that series of any scale share the estimator. It is fitted
    to a sample of at most ROWS_KEPT vectors: first as soon as there are ROWS_TO_FIT, again each time there are twice as
    many, and when the sample is full every `refit_seconds` of the stream's time. What the caller excludes from learning
    is not sampled, until its new level is accepted. Memory: the sample, and about 0.5 KB a series.

    Errors of the estimator, such as for too few vectors, are logged once and reported as `problem` until it works
    again. Until then its last fit goes on, or NaN, and it is tried again when it is due.

    Parameters
    ----------
    name
        Of the algorithm.
    estimator
        Never changed; what is unseeded in it is seeded.
    features
        That make the vector of a series.
    refit_seconds
        How often it is fitted again.
    threshold
        Score, 0 to 100, from which on a tick is anomalous.
    seed
        Of the sample, and of the estimator where it has none.
    relearn_ticks, relearn_seconds
        When a level that stays anomalous is accepted, see `LearningGate`.
    """

    def __init__(
        self,
        name: str,
        estimator: Any,
        features: tuple[str, ...],
        *,
        refit_seconds: float,
        threshold: float,
        seed: int = 0,
        relearn_ticks: int = 300,
        relearn_seconds: float = 3600.0,
    ) -> None:
        self.name = name
        self.features = features
        self.refit_seconds = refit_seconds
        self.threshold = threshold
        self._estimator = Refitted(estimator, len(features), refit_seconds=refit_seconds, seed=seed)
        self._scale, self._past = SeriesNormalisation(len(features)), SeriesCalibration()
        self._learning_gate = LearningGate(relearn_ticks, relearn_seconds)
        self._judged: tuple[FeatureTable, FloatArray, FloatArray] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_judged": None}

    @property
    def problem(self) -> str:
        """What the estimator raised, in one line, while it does; empty while it works."""
        return self._estimator.troubles.message

    @property
    def accepted(self) -> BoolArray:
        """(n,) which series had a new level accepted by the last `learn`."""
        return self._learning_gate.accepted

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where a feature is not known. There is no band."""
        _, raw = self._seen(table)
        self._past.make_room(len(raw))
        blank = np.full(len(raw), np.nan)
        return Scores(score=self._past.score(raw), expected=blank, lower=blank, upper=blank)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Learn from the vectors of the series in `rows`, and fit again when it is time."""
        vectors, raw = self._seen(table)
        self._judged = None
        self._past.make_room(len(raw))
        known: BoolArray = np.asarray(np.isfinite(vectors).all(axis=1))
        learn = self._learning_gate.to_learn(known, rows, table.end_ns)
        self._past.learn(raw, learn)
        series = np.flatnonzero(learn)
        self._estimator.learn(vectors[self._scale.known(series)], table.end_ns)
        self._scale.learn(self._values(table), series)

    def contributions(self, table: FeatureTable, rows: BoolArray | None = None) -> dict[str, FloatArray]:
        """What made each of the n series anomalous: how much of it is gone once a feature is replaced by its baseline.

        Shares that sum to 1, by feature, of the series in `rows` (n,); None: of those that are as anomalous as a tenth
        of all at most. The others are NaN. One more batch a feature, of these series only.
        """
        vectors, raw = self._seen(table)
        anomalous = np.flatnonzero(raw > RAW_AT_BASELINE / EXPLAINED_SHARE if rows is None else rows & np.isfinite(raw))
        gone = np.zeros((len(self.features), len(anomalous)))
        for number in range(len(self.features)):
            baseline = vectors[anomalous].copy()
            baseline[:, number] = 0.0
            gone[number] = np.maximum(log(raw[anomalous] / self._estimator.raw(baseline)), 0.0)
        return dict(zip(self.features, shares_of(gone, anomalous, len(raw)), strict=True))

    def _values(self, table: FeatureTable) -> FloatArray:
        return np.stack([table.column(name) for name in self.features])

    def _seen(self, table: FeatureTable) -> tuple[FloatArray, FloatArray]:
        """Vectors and raw scores of a table, kept until it is learned."""
        if self._judged is None or self._judged[0] is not table:
            vectors = self._scale.vectors(self._values(table))
            self._judged = table, vectors, self._estimator.raw(vectors)
        return self._judged[1:]
