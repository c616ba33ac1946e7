"""Feature vectors that few random cuts set apart (Liu, Ting and Zhou 2008; scikit-learn), or rare in a column."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.errors import MissingExtraError
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, IntArray, Scores
from aiops_nb.detect.estimators.attribution import shares_of
from aiops_nb.detect.estimators.calibration import SeriesCalibration
from aiops_nb.detect.estimators.refitted import Refitted
from aiops_nb.detect.estimators.vectors import RecentVectors
from aiops_nb.detect.relearning import LearningGate
from aiops_nb.detect.score_scale import score_of


class IsolationForestParams(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="isolation_forest", tag_field="type"
):
    """Parameters of the forest over the features of a rule.

    Attributes
    ----------
    trees
        Of at most 256 vectors each. More are steadier; scoring 10,000 vectors costs about 0.4 ms a tree.
    refit_seconds
        How often the forest is grown again from a sample of the vectors since the last time.
    seed
        Of the sample and of the cuts.
    relearn_ticks
        Vectors in a row that may be excluded from learning because they were anomalous; then the new level is accepted.
    relearn_seconds
        The same in time since the first of them, if there were ten at least; whichever comes first.
    """

    trees: Annotated[int, Meta(ge=1, le=1000)] = 100
    refit_seconds: Annotated[float, Meta(gt=0)] = 21_600.0
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    relearn_ticks: Annotated[int, Meta(ge=0)] = 300
    relearn_seconds: Annotated[float, Meta(gt=0)] = 3600.0


def isolation_forest(params: IsolationForestParams, features: tuple[str, ...], threshold: float) -> ForestDetector:
    """The forest as a live detector of the vectors of all series: one batch a tick, see `ForestDetector`.

    Raises
    ------
    MissingExtraError
        Without scikit-learn.

    Examples
    --------
    >>> isolation_forest(IsolationForestParams(), ("rate_hz", "error_ratio"), threshold=60.0).features
    ('rate_hz', 'error_ratio')
    """
    try:
        ensemble: Any = import_module("sklearn.ensemble")
    except ImportError:
        raise MissingExtraError("isolation forests", "detect") from None
    return ForestDetector(
        ensemble.IsolationForest(n_estimators=params.trees, random_state=params.seed),
        features,
        refit_seconds=params.refit_seconds,
        threshold=threshold,
        seed=params.seed,
        relearn_ticks=params.relearn_ticks,
        relearn_seconds=params.relearn_seconds,
    )


EXPLAINED_SCORE = 1.0
BACKGROUND_RATIO = 0.25
DEVIATION_BINS = (36, 32)  # from 0.6 deviations, which are rare nowhere, to the 20 that are the most
# A mean of many is high less often than each: of four features 2.2 was passed by one healthy vector in a thousand.
RARITY_OF_MEAN = 1.4


class ForestDetector:
    """Root mean square of the rarities of each column of `RecentVectors`, and of the depth that the forest finds it at.

    A forest alone takes far out and farther out for the same, and one bad column of many is diluted in it; the rarities
    of the columns alone do not see what is odd only together. Each is a tail probability among the series' own past.
    Memory: the sample of the forest, and about 2 KB a series of four features.

    Parameters
    ----------
    estimator
        The forest.
    features
        That make the vector of a series.
    refit_seconds
        How often it is grown again.
    threshold
        Score, 0 to 100, from which on a tick is anomalous.
    seed
        Of the sample.
    relearn_ticks, relearn_seconds
        When a level that stays anomalous is accepted, see `LearningGate`.
    """

    name = "isolation_forest"

    def __init__(
        self,
        estimator: Any,
        features: tuple[str, ...],
        *,
        refit_seconds: float,
        threshold: float,
        seed: int,
        relearn_ticks: int,
        relearn_seconds: float,
    ) -> None:
        self.features = features
        self.refit_seconds = refit_seconds
        self.threshold = threshold
        self._columns = 2 * len(features)
        self._forest = Refitted(
            estimator, self._columns, refit_seconds=refit_seconds, seed=seed, background_ratio=BACKGROUND_RATIO
        )
        self._vectors = RecentVectors(len(features))
        self._past_of_columns, self._past_of_depth = SeriesCalibration(DEVIATION_BINS), SeriesCalibration()
        self._learning_gate = LearningGate(relearn_ticks, relearn_seconds)
        self._judged: tuple[FeatureTable, FloatArray, FloatArray] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_judged": None}

    @property
    def problem(self) -> str:
        """What the forest raised, in one line, while it does; empty while it works."""
        return self._forest.troubles.message

    @property
    def accepted(self) -> BoolArray:
        """(n,) which series had a new level accepted by the last `learn`."""
        return self._learning_gate.accepted

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where a feature is not known. There is no band."""
        _, raw = self._seen(table)
        blank = np.full(len(raw), np.nan)
        score = score_of(self._raw_score(raw, np.arange(len(raw))))
        return Scores(score=score, expected=blank, lower=blank, upper=blank)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Learn from the vectors of the series in `rows`, and grow the forest again when it is time."""
        vectors, raw = self._seen(table)
        self._judged = None
        known: BoolArray = np.asarray(np.isfinite(vectors).all(axis=1))
        normal = self._learning_gate.to_learn(known, rows, table.end_ns)
        scaled = self._vectors.known(np.flatnonzero(normal))
        learned = np.zeros(len(raw), np.bool_)
        learned[scaled] = True
        self._past_of_columns.learn(raw[:, :-1].ravel(), np.repeat(learned, self._columns))
        self._past_of_depth.learn(raw[:, -1], learned)
        self._forest.learn(vectors[scaled], table.end_ns)
        self._vectors.learn(self._values(table), known, normal)

    def contributions(self, table: FeatureTable, rows: BoolArray | None = None) -> dict[str, FloatArray]:
        """What made each of the n series anomalous: how much of it is gone once a feature is replaced by its baseline.

        Shares that sum to 1, by feature, of the series in `rows` (n,); None: of those that are as anomalous as a tenth
        of all at most. The others are NaN. One more batch a feature, of these series only.
        """
        vectors, raw = self._seen(table)
        raw_score = self._raw_score(raw, np.arange(len(raw)))
        wanted = raw_score > EXPLAINED_SCORE if rows is None else rows & np.isfinite(raw_score)
        anomalous = np.flatnonzero(wanted)
        gone = np.stack([self._gone(vectors, anomalous, raw_score, number) for number in range(len(self.features))])
        return dict(zip(self.features, shares_of(gone, anomalous, len(raw)), strict=True))

    def _gone(self, vectors: FloatArray, series: IntArray, raw_score: FloatArray, number: int) -> FloatArray:
        normal = vectors[series].copy()
        normal[:, number :: len(self.features)] = 0.0
        left = self._raw_score(self._raw(normal), series)
        return np.maximum(raw_score[series] ** 2 - left**2, 0.0)

    def _values(self, table: FeatureTable) -> FloatArray:
        return np.stack([table.column(name) for name in self.features])

    def _seen(self, table: FeatureTable) -> tuple[FloatArray, FloatArray]:
        """Vectors and raw scores of a table, kept until it is learned."""
        if self._judged is None or self._judged[0] is not table:
            vectors = self._vectors.of(self._values(table))
            self._judged = table, vectors, self._raw(vectors)
            self._past_of_columns.make_room(vectors.size)
            self._past_of_depth.make_room(len(vectors))
        return self._judged[1:]

    def _raw(self, vectors: FloatArray) -> FloatArray:
        """(n, columns + 1) how far out each column is, and the surprise of the forest."""
        return np.column_stack([np.abs(vectors), self._forest.raw(vectors)])

    def _raw_score(self, raw: FloatArray, series: IntArray) -> FloatArray:
        """(n,) of the (n, columns + 1) raw scores of these series; NaN unless all are known."""
        columns = series[:, None] * self._columns + np.arange(self._columns)
        rare = self._past_of_columns.raw_score(raw[:, :-1].ravel(), columns.ravel()).reshape(columns.shape)
        total = self._past_of_depth.raw_score(raw[:, -1], series) ** 2
        for column in range(self._columns):  # in this order, so that a series has the same bits among any others
            total = total + rare[:, column] ** 2
        return RARITY_OF_MEAN * np.sqrt(total / (self._columns + 1))
