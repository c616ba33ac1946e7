"""Estimators of scikit-learn, PyOD and river as detectors, calibrated like our own."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FeatureTable, FloatArray, Scores
from aiops_nb.detect.calibrate import ANY_BINS, empty_calibration, learn_scores, rarity
from aiops_nb.detect.grown import grown
from aiops_nb.detect.scale import score_of

UNITS_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
ROWS_KEPT = 4096
ROWS_TO_FIT = 64
FARTHEST = 20.0
FIRST_POINTS = 10  # of a series, which tell its scale only


def as_detector(
    estimator: Any, *, features: Sequence[str], refit: str | float = "6h", threshold: float = 50.0
) -> EstimatorDetector | RiverDetector:
    """A detector made of any estimator that scores, its scores calibrated against each series' own past.

    Parameters
    ----------
    estimator
        One with `fit` and `score_samples` or `decision_function` (scikit-learn, PyOD), or with `score_one` and
        `learn_one` (river). It is copied, never changed.
    features
        Names of the features that make the vector of a series.
    refit
        How often it is fitted again to the vectors of late: seconds, or a text such as `30m` or `6h`.
    threshold
        Score, 0 to 100, from which on a tick is anomalous.

    Raises
    ------
    ConfigError
        If it cannot score, or an argument is not what is described here.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> detector = as_detector(IsolationForest(random_state=0), features=["rate_hz", "error_ratio"], refit="6h")
    >>> detector.name, detector.refit_seconds
    ('isolation_forest', 21600.0)
    """
    if not features:
        raise ConfigError.at("features", "at least one name", features)
    if hasattr(estimator, "learn_one") and hasattr(estimator, "score_one"):
        return RiverDetector(estimator, tuple(features), threshold)
    if hasattr(estimator, "fit") and (hasattr(estimator, "score_samples") or hasattr(estimator, "decision_function")):
        return EstimatorDetector(estimator, tuple(features), _seconds(refit), threshold)
    raise ConfigError.at("estimator", "fit and score_samples, or learn_one and score_one", estimator)


def _seconds(duration: str | float) -> float:
    if isinstance(duration, str):
        parts = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", duration.strip())
        if not parts:
            raise ConfigError.at("refit", "seconds, or a text such as 30m or 6h", duration)
        return float(parts[1]) * UNITS_SECONDS[parts[2]]
    if not duration > 0:
        raise ConfigError.at("refit", "more than 0 seconds", duration)
    return float(duration)


def _snake(estimator: Any) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(estimator).__name__).lower()


def strangeness_of(estimator: Any, vectors: FloatArray) -> FloatArray:
    """An estimator's own score with the sign that larger is stranger: PyOD has it so, scikit-learn the other way."""
    if type(estimator).__module__.startswith("pyod"):
        return np.asarray(estimator.decision_function(vectors), np.float64)
    score = getattr(estimator, "score_samples", None) or estimator.decision_function
    return -np.asarray(score(vectors), np.float64)


class _Tails:
    """Raw scores >= 0 of n series to scores of 0 to 100, each against its own past."""

    def __init__(self) -> None:
        self._make(16)

    def _make(self, count: int) -> None:
        self.learned = np.zeros(count, np.int64)
        self.picked = np.zeros(count, np.uint8)
        self.past = empty_calibration(count, 1, ANY_BINS)

    def make_room(self, count: int) -> None:
        if count > len(self.learned):
            old = self.learned, self.past
            self._make(2 * count)
            grown(old, (self.learned, self.past))

    def score(self, raw: FloatArray) -> FloatArray:
        series = np.flatnonzero(np.isfinite(raw))
        told = np.full(len(raw), np.nan)
        with np.errstate(all="ignore"):
            told[series] = rarity(series, raw[series], self.learned[series], self.picked, series, self.past)
        return score_of(told)

    def learn(self, raw: FloatArray, rows: BoolArray) -> None:
        self.score(raw)
        series = np.flatnonzero(np.isfinite(raw) & rows)
        learn_scores(series, self.picked, series, self.past)
        self.learned[series] += 1


class EstimatorDetector:
    """One estimator for the vectors of all series, fitted again on a schedule, scored in one batch a tick.

    Each feature is taken in deviations of its own series, so that series of any scale share the estimator. The schedule
    is in the stream's time. Memory: ROWS_KEPT vectors and a histogram a series.
    """

    def __init__(self, estimator: Any, features: tuple[str, ...], refit_seconds: float, threshold: float) -> None:
        self.name = _snake(estimator)
        self.features = features
        self.refit_seconds = refit_seconds
        self.threshold = threshold
        self._blank = estimator
        self._fitted: Any = None
        self._fitted_ns = 0
        self._usual, self._spread = 0.0, 1.0
        self._rows = np.zeros((ROWS_KEPT, len(features)))
        self._rows_seen = 0
        self._seen = np.zeros(16, np.int64)
        self._mean, self._deviation = np.zeros((len(features), 16)), np.zeros((len(features), 16))
        self._tails = _Tails()
        self._judged: tuple[FeatureTable, FloatArray, FloatArray] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_judged": None}

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where a feature is not known."""
        vectors = self._vectors(table)
        raw = self._raw(vectors)
        self._judged = table, vectors, raw
        blank = np.full(len(raw), np.nan)
        return Scores(score=self._tails.score(raw), expected=blank, lower=blank, upper=blank)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Keep the vectors of the series in `rows`, and fit again when it is time."""
        if self._judged is None or self._judged[0] is not table:
            self.score(table)
        assert self._judged is not None
        (_, vectors, raw), self._judged = self._judged, None
        self._tails.learn(raw, rows)
        known = np.flatnonzero(rows & np.isfinite(vectors).all(axis=1))
        self._keep(vectors[known[self._seen[known] > FIRST_POINTS]])
        self._learn_scale(np.stack([table.column(name) for name in self.features]), known)
        due = self._fitted is None or table.end_ns - self._fitted_ns >= self.refit_seconds * NS_PER_SECOND
        if due and self._rows_seen >= ROWS_TO_FIT:
            self._fit(table.end_ns)

    def _vectors(self, table: FeatureTable) -> FloatArray:
        """(n, k): features in deviations from their series' mean."""
        values = np.stack([table.column(name) for name in self.features])
        count = values.shape[1]
        self._make_room(count)
        floor = 1e-9 * np.abs(values) + 1e-300
        far = (values - self._mean[:, :count]) / (self._deviation[:, :count] + floor)
        return np.clip(np.where(np.isfinite(values), far, np.nan), -FARTHEST, FARTHEST).T

    def _raw(self, vectors: FloatArray) -> FloatArray:
        raw = np.full(len(vectors), np.nan)
        known = np.isfinite(vectors).all(axis=1)
        if self._fitted is not None and known.any():
            strange = strangeness_of(self._fitted, vectors[known])
            raw[known] = np.maximum((strange - self._usual) / self._spread, 0.0)
        return raw

    def _fit(self, end_ns: int) -> None:
        rows = self._rows[: min(self._rows_seen, ROWS_KEPT)]
        self._fitted, self._fitted_ns = copy.deepcopy(self._blank).fit(rows), end_ns
        strange = strangeness_of(self._fitted, rows)
        self._usual = float(np.median(strange))
        self._spread = float(np.median(np.abs(strange - self._usual))) + 1e-9

    def _keep(self, vectors: FloatArray) -> None:
        vectors = vectors[-ROWS_KEPT:]
        self._rows[(self._rows_seen + np.arange(len(vectors))) % ROWS_KEPT] = vectors
        self._rows_seen += len(vectors)

    def _learn_scale(self, values: FloatArray, known: np.ndarray) -> None:
        rate = 1.0 / (1.0 + np.minimum(self._seen[known], 500))
        fresh = self._seen[known] == 0
        self._mean[:, known] = np.where(fresh, values[:, known], self._mean[:, known])
        off = values[:, known] - self._mean[:, known]
        self._mean[:, known] += rate * off
        self._deviation[:, known] += rate * (np.abs(off) - self._deviation[:, known])
        self._seen[known] += 1

    def _make_room(self, count: int) -> None:
        self._tails.make_room(count)
        if count > len(self._seen):
            old = self._seen, self._mean.T, self._deviation.T
            wide = 2 * count
            self._seen = np.zeros(wide, np.int64)
            self._mean, self._deviation = (np.zeros((len(self.features), wide)) for _ in range(2))
            grown(old, (self._seen, self._mean.T, self._deviation.T))


class RiverDetector:
    """One river model for each series: a Python call a series and tick, so for dozens of series, not thousands."""

    def __init__(self, model: Any, features: tuple[str, ...], threshold: float) -> None:
        self.name = _snake(model)
        self.features = features
        self.threshold = threshold
        self._blank = model
        self._models: list[Any] = []
        self._tails = _Tails()

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where a feature is not known."""
        raw = self._raw(table)
        blank = np.full(len(raw), np.nan)
        return Scores(score=self._tails.score(raw), expected=blank, lower=blank, upper=blank)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Let the models of the series in `rows` learn."""
        raw = self._raw(table)
        self._tails.learn(raw, rows)
        for at in np.flatnonzero(rows & np.isfinite(raw)).tolist():
            self._models[at].learn_one(self._vector(table, at))

    def _raw(self, table: FeatureTable) -> FloatArray:
        count = table.values.shape[1]
        self._tails.make_room(count)
        while len(self._models) < count:
            self._models.append(copy.deepcopy(self._blank))
        vectors = (self._vector(table, at) for at in range(count))
        told = (
            abs(self._models[at].score_one(vector)) if np.isfinite(list(vector.values())).all() else np.nan
            for at, vector in enumerate(vectors)
        )
        return np.fromiter(told, np.float64, count)

    def _vector(self, table: FeatureTable, at: int) -> dict[str, float]:
        return {name: float(table.column(name)[at]) for name in self.features}
