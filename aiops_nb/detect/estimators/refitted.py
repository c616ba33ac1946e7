"""One estimator, fitted again on a schedule to a sample of the vectors of all series."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np

from aiops_nb.core.types import NS_PER_SECOND, FloatArray
from aiops_nb.detect.arithmetic.operations import exp
from aiops_nb.detect.estimators.flat_forest import FlatForest
from aiops_nb.detect.estimators.foreign import Troubles, last_step
from aiops_nb.detect.estimators.sample import Sample, SampleTail

ROWS_KEPT = 4096
ROWS_TO_FIT = 64
RAW_AT_BASELINE = 0.1  # so that both both normal values and one in 7,000 lie within the bins of each series' past
MOST_SURPRISE = 40.0
RARE_SHARE = 0.001  # of the sample, beyond its range on each side


def is_of_pyod(estimator: Any) -> bool:
    """Whether an estimator's class is, or derives from, one of PyOD."""
    return any(base.__module__.partition(".")[0] == "pyod" for base in type(estimator).__mro__)


def raw_score_of(estimator: Any, vectors: FloatArray) -> FloatArray:
    """An estimator's own score, larger = more anomalous, as PyOD has it; scikit-learn has the opposite sign."""
    if is_of_pyod(estimator):
        return np.asarray(estimator.decision_function(vectors), np.float64)
    score = getattr(estimator, "score_samples", None) or estimator.decision_function
    return -np.asarray(score(vectors), np.float64)


def _checked(raw_score: FloatArray, vectors: FloatArray) -> FloatArray:
    if raw_score.shape != (len(vectors),):
        raise ValueError(f"expected a score for each of {len(vectors)} vectors, got an array of {raw_score.shape}")
    if len(vectors) and not np.isfinite(raw_score).any():
        raise ValueError(f"expected a score for each of {len(vectors)} vectors, got no number")
    return raw_score


def seeded(estimator: Any, seed: int) -> Any:
    """A copy in which whatever would be random in each run is drawn from the seed."""
    ready = copy.deepcopy(estimator)
    params = ready.get_params() if hasattr(ready, "get_params") else {}
    unseeded = [name for name, value in params.items() if re.fullmatch(r"(.*__)?random_state", name) and value is None]
    return ready.set_params(**dict.fromkeys(unseeded, seed)) if unseeded else ready


class Refitted:
    """An estimator, its sample of the vectors of all series, and how rare its scores are among those of the sample.

    It is fitted as soon as there are ROWS_TO_FIT vectors, again each time there are twice as many, and once the sample
    of ROWS_KEPT is full every `refit_seconds` of the stream's time.

    What the estimator raises is reported as `troubles` until it works again. Until then its last fit goes on, or NaN.

    Parameters
    ----------
    estimator
        Never changed; what is unseeded in it is seeded.
    width
        Numbers a vector has.
    refit_seconds
        How often it is fitted again.
    seed
        Of the sample, and of the estimator where it has none.
    background_ratio
        Vectors added to the sample, as a share of it, spread evenly over three times its range: with them, trees have
        cuts where nothing has been yet, so that far out and farther out differ.
    """

    def __init__(
        self, estimator: Any, width: int, *, refit_seconds: float, seed: int, background_ratio: float = 0.0
    ) -> None:
        self.troubles = Troubles(type(last_step(estimator)).__name__)
        self.fitted_ns = 0
        self._refit_ns = refit_seconds * NS_PER_SECOND
        self._seed, self._background_ratio = seed, background_ratio
        self._blank = seeded(estimator, seed)
        self._fitted: Any = None
        self._flat: FlatForest | None = None
        self._fitted_rows = 0
        self._tail = SampleTail(np.zeros(1))
        self._sample = Sample(ROWS_KEPT, width, seed)

    def surprise(self, vectors: FloatArray) -> FloatArray:
        """(n,) -log of the share of the sample that is as anomalous, >= 0; NaN before a fit and where a number is."""
        out = np.full(len(vectors), np.nan)
        known = np.isfinite(vectors).all(axis=1)
        if self._fitted is not None and known.any():
            out[known] = self._tail.surprise(self._raw_score(vectors[known]))
        return out

    def raw(self, vectors: FloatArray) -> FloatArray:
        """(n,) scores for each series' own past, >= RAW_AT_BASELINE, growing with the surprise; NaN where it is NaN."""
        return RAW_AT_BASELINE * exp(np.minimum(self.surprise(vectors), MOST_SURPRISE))

    def learn(self, vectors: FloatArray, end_ns: int) -> None:
        """Show (n, width) vectors to the sample, and fit again when it is time."""
        self._sample.add(vectors)
        if self._due(end_ns):
            self._fit(end_ns)

    def _raw_score(self, vectors: FloatArray) -> FloatArray:
        try:
            flat = None if self._flat is None else self._flat.raw_score(vectors)
            scores = _checked(raw_score_of(self._fitted, vectors) if flat is None else flat, vectors)
        except Exception as problem:  # whatever a foreign estimator raises must not end the stream
            self.troubles.meet("scoring", "gives no scores", problem)
            return np.full(len(vectors), np.nan)
        self.troubles.over("scoring")
        return scores

    def _due(self, end_ns: int) -> bool:
        if self._sample.seen < ROWS_TO_FIT or self._sample.seen == self._fitted_rows:
            return False
        growing = self._fitted_rows < ROWS_KEPT and len(self._sample.rows) >= min(2 * self._fitted_rows, ROWS_KEPT)
        return growing or end_ns - self.fitted_ns >= self._refit_ns

    def _fit(self, end_ns: int) -> None:
        rows = self._sample.rows
        self.fitted_ns, self._fitted_rows = end_ns, len(rows)
        fitted = copy.deepcopy(self._blank)
        try:
            fitted.fit(self._with_background(rows))
            raw_score = _checked(raw_score_of(fitted, rows), rows)
            self._tail = SampleTail(raw_score[np.isfinite(raw_score)])
        except Exception as problem:  # as above; it is tried again when it is due
            self.troubles.meet("fit", f"was not fitted to {len(rows)} vectors", problem)
        else:
            self._fitted, self._flat = fitted, FlatForest.of(fitted, rows)
            self.troubles.over("fit")
        self._sample.thin()

    def _with_background(self, rows: FloatArray) -> FloatArray:
        if not self._background_ratio:
            return rows
        low, high = np.quantile(rows, (RARE_SHARE, 1 - RARE_SHARE), axis=0)
        shape = int(self._background_ratio * len(rows)), rows.shape[1]
        even = np.random.RandomState(self._seed).random_sample(shape)
        return np.concatenate([rows, low + (3 * even - 1) * (high - low)])
