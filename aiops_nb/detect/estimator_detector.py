"""One estimator of scikit-learn or PyOD as a live detector of the feature vectors of all series."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np

from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FeatureTable, FloatArray, Scores
from aiops_nb.detect.foreign import Troubles, last_step
from aiops_nb.detect.kept_out import KeptOut
from aiops_nb.detect.own_past import OwnPast
from aiops_nb.detect.own_scale import OwnScale
from aiops_nb.detect.sample import Sample
from aiops_nb.detect.sample_tail import SampleTail

ROWS_KEPT = 4096
ROWS_TO_FIT = 64
RAW_AT_USUAL = 0.1  # so that both the usual and one in 7,000 lie within the bins of each series' past
MOST_SURPRISE = 40.0
EXPLAINED_SHARE = 0.1


def is_of_pyod(estimator: Any) -> bool:
    """Whether an estimator's class is, or derives from, one of PyOD."""
    return any(base.__module__.partition(".")[0] == "pyod" for base in type(estimator).__mro__)


def strangeness_of(estimator: Any, vectors: FloatArray) -> FloatArray:
    """An estimator's own score with the sign that larger is stranger: PyOD has it so, scikit-learn the other way."""
    if is_of_pyod(estimator):
        return np.asarray(estimator.decision_function(vectors), np.float64)
    score = getattr(estimator, "score_samples", None) or estimator.decision_function
    return -np.asarray(score(vectors), np.float64)


def _checked(strangeness: FloatArray, vectors: FloatArray) -> FloatArray:
    if strangeness.shape != (len(vectors),):
        raise ValueError(f"expected a score for each of {len(vectors)} vectors, got an array of {strangeness.shape}")
    return strangeness


def seeded(estimator: Any, seed: int) -> Any:
    """A copy in which whatever would be random anew in each run is drawn from the seed."""
    ready = copy.deepcopy(estimator)
    params = ready.get_params() if hasattr(ready, "get_params") else {}
    unseeded = [name for name, value in params.items() if re.fullmatch(r"(.*__)?random_state", name) and value is None]
    return ready.set_params(**dict.fromkeys(unseeded, seed)) if unseeded else ready


class EstimatorDetector:
    """One estimator for the vectors of all series, fitted again on a schedule, scored in one batch a tick.

    Each feature is taken in deviations of its own series, so that series of any scale share the estimator. It is fitted
    to a sample of at most ROWS_KEPT vectors: first as soon as there are ROWS_TO_FIT, again each time there are twice as
    many, and when the sample is full every `refit_seconds` of the stream's time. What the caller keeps from learning
    is not sampled, until its new level is accepted. Memory: the sample, and about 0.5 KB a series.

    What the estimator raises, such as for too few vectors, is logged once and told as `problem` until it works again.
    Until then its last fit goes on, or NaN, and it is tried again when it is due.

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
        When a level that stays anomalous is accepted, see `KeptOut`.
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
        self._troubles = Troubles(type(last_step(estimator)).__name__)
        self._blank = seeded(estimator, seed)
        self._fitted: Any = None
        self._fitted_ns = self._fitted_rows = 0
        self._tail = SampleTail(np.zeros(1))
        self._sample = Sample(ROWS_KEPT, len(features), seed)
        self._scale, self._past = OwnScale(len(features)), OwnPast()
        self._kept_out = KeptOut(relearn_ticks, relearn_seconds)
        self._judged: tuple[FeatureTable, FloatArray, FloatArray] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_judged": None}

    @property
    def problem(self) -> str:
        """What the estimator raised, in one line, while it does; empty while it works."""
        return self._troubles.told

    @property
    def accepted(self) -> BoolArray:
        """(n,) which series had a new level accepted by the last `learn`."""
        return self._kept_out.accepted

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
        learn = self._kept_out.to_learn(known, rows, table.end_ns)
        self._past.learn(raw, learn)
        series = np.flatnonzero(learn)
        self._sample.add(vectors[self._scale.known(series)])
        self._scale.learn(self._values(table), series)
        if self._due(table.end_ns):
            self._fit(table.end_ns)

    def contributions(self, table: FeatureTable, rows: BoolArray | None = None) -> dict[str, FloatArray]:
        """What made each of the n series strange: how much of it is gone once a feature is replaced by its usual value.

        Shares that sum to 1, by feature, of the series in `rows` (n,); None: of those that are as strange as a tenth
        of all at most. The others are NaN. One more batch a feature, of these series only.
        """
        vectors, raw = self._seen(table)
        strange = np.flatnonzero(raw > RAW_AT_USUAL / EXPLAINED_SHARE if rows is None else rows & np.isfinite(raw))
        gone = np.zeros((len(self.features), len(strange)))
        for number in range(len(self.features)):
            usual = vectors[strange].copy()
            usual[:, number] = 0.0
            gone[number] = np.maximum(np.log(raw[strange] / self._raw(usual)), 0.0)
        told = np.full((len(self.features), len(raw)), np.nan)
        total = gone.sum(axis=0)
        told[:, strange] = np.where(total > 0, gone / np.where(total > 0, total, 1.0), 1.0 / len(self.features))
        return dict(zip(self.features, told, strict=True))

    def _values(self, table: FeatureTable) -> FloatArray:
        return np.stack([table.column(name) for name in self.features])

    def _seen(self, table: FeatureTable) -> tuple[FloatArray, FloatArray]:
        """Vectors and raw scores of a table, kept until it is learned."""
        if self._judged is None or self._judged[0] is not table:
            vectors = self._scale.vectors(self._values(table))
            self._judged = table, vectors, self._raw(vectors)
        return self._judged[1:]

    def _raw(self, vectors: FloatArray) -> FloatArray:
        raw = np.full(len(vectors), np.nan)
        known = np.isfinite(vectors).all(axis=1)
        if self._fitted is not None and known.any():
            surprise = self._tail.surprise(self._strangeness(vectors[known]))
            raw[known] = RAW_AT_USUAL * np.exp(np.minimum(surprise, MOST_SURPRISE))
        return raw

    def _strangeness(self, vectors: FloatArray) -> FloatArray:
        try:
            scores = _checked(strangeness_of(self._fitted, vectors), vectors)
        except Exception as problem:  # whatever a foreign estimator raises must not end the stream
            self._troubles.meet("scoring", "gives no scores", problem)
            return np.full(len(vectors), np.nan)
        self._troubles.over("scoring")
        return scores

    def _due(self, end_ns: int) -> bool:
        if self._sample.seen < ROWS_TO_FIT or self._sample.seen == self._fitted_rows:
            return False
        growing = self._fitted_rows < ROWS_KEPT and len(self._sample.rows) >= min(2 * self._fitted_rows, ROWS_KEPT)
        return growing or end_ns - self._fitted_ns >= self.refit_seconds * NS_PER_SECOND

    def _fit(self, end_ns: int) -> None:
        rows = self._sample.rows
        self._fitted_ns, self._fitted_rows = end_ns, len(rows)
        fitted = copy.deepcopy(self._blank)
        try:
            fitted.fit(rows)
            strangeness = _checked(strangeness_of(fitted, rows), rows)
            self._tail = SampleTail(strangeness[np.isfinite(strangeness)])
        except Exception as problem:  # likewise; it is tried again when it is due
            self._troubles.meet("fit", f"was not fitted to {len(rows)} vectors", problem)
        else:
            self._fitted = fitted
            self._troubles.over("fit")
        self._sample.thin()
