"""The detectors of one series as an outlier detector of scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from aiops_nb.core.errors import ConfigError, MissingExtraError
from aiops_nb.core.types import FloatArray, IntArray
from aiops_nb.detect.kernel import Kernel, StreamParams, known
from aiops_nb.detect.registry import series_detector
from aiops_nb.detect.score_scale import fused, score_of
from aiops_nb.detect.spec import DetectorSpec
from aiops_nb.offline.walk import best_way, walked

try:
    from sklearn.base import BaseEstimator, OutlierMixin
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingExtraError("SeriesDetector", "detect") from None

BINS = 24
ROWS_AT_ONCE = 256


class SeriesDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """A detector of aiops_nb in scikit-learn's shape: each column of X is a series, each row the next moment.

    `fit` walks the rows in their order, by the code that runs live. Each row that is scored afterwards is judged as the
    one that would come next, so that rows may be scored in any order. X holds no times, so the time of day plays no
    part: `score_series` takes times into account, and judges each value by the past before it.

    Several columns are fused by the mean of the three largest raw scores of a row. NaN is not known: it is neither
    learned nor scored. Cost: 5,000 to 20,000 values a second in `fit`, far more with numba on long series.

    Parameters
    ----------
    detector
        Name of a detector that `aiops_nb.detectors()` lists and that can walk one series.
    parameters
        Its parameters, by name; None: the defaults.
    threshold
        Score, 0 to 100, from which on `predict` says -1.

    Attributes
    ----------
    n_features_in_
        Number of columns seen by `fit`.
    offset_
        `decision_function` is `score_samples` minus this: `-threshold`.

    Raises
    ------
    MissingExtraError
        On import, without scikit-learn.

    Examples
    --------
    >>> latency_seconds = 0.1 + 0.01 * np.sin(np.arange(400.0)).reshape(-1, 1)
    >>> detector = SeriesDetector("faults").fit(latency_seconds)
    >>> detector.predict([[0.105], [0.4]]).tolist()
    [1, -1]
    """

    def __init__(
        self, detector: str = "default", *, parameters: Mapping[str, Any] | None = None, threshold: float = 50.0
    ) -> None:
        self.detector = detector
        self.parameters = parameters
        self.threshold = threshold

    def fit(self, X: Any, y: Any = None) -> SeriesDetector:
        """Learn the rows, oldest first.

        Parameters
        ----------
        X
            (rows, features) numbers; NaN where not known.
        y
            Not used.

        Returns
        -------
        SeriesDetector
            Itself.

        Raises
        ------
        ConfigError
            If there is no such detector, or it does not take these parameters.
        """
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        spec = _spec(self.detector)
        params, kernel = _params(spec, self.parameters), _kernel(spec)
        self.states_ = [_learned(kernel, params, column) for column in values.T.copy()]
        self.offset_ = -float(self.threshold)
        return self

    def score_samples(self, X: Any) -> FloatArray:
        """(rows,) minus the score of each row, -100 to 0: lower = more anomalous; NaN while the fit is too short.

        Parameters
        ----------
        X
            (rows, features) numbers; NaN where not known.

        Returns
        -------
        ndarray
            (rows,) scores.
        """
        check_is_fitted(self, "states_")
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        kernel = _kernel(_spec(self.detector))
        raw = np.stack(
            [_judged(kernel, state, column) for state, column in zip(self.states_, values.T.copy(), strict=True)]
        )
        return -score_of(fused(raw))

    def decision_function(self, X: Any) -> FloatArray:
        """(rows,) `score_samples` minus `offset_`: below 0 is anomalous.

        Parameters
        ----------
        X
            (rows, features) numbers; NaN where not known.

        Returns
        -------
        ndarray
            (rows,) distances from the threshold.
        """
        scores: FloatArray = self.score_samples(X) - self.offset_
        return scores

    def predict(self, X: Any) -> IntArray:
        """(rows,) -1 for anomalous rows, 1 for the others, and where the fit is too short to know.

        Parameters
        ----------
        X
            (rows, features) numbers; NaN where not known.

        Returns
        -------
        ndarray
            (rows,) -1 or 1.
        """
        anomalous = self.decision_function(X) < 0
        return np.where(anomalous, -1, 1)

    def __sklearn_tags__(self) -> Any:
        """NaN is allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _spec(name: str) -> DetectorSpec:
    return series_detector(name)


def _kernel(spec: DetectorSpec) -> Kernel:
    assert spec.kernel is not None
    return spec.kernel


def _params(spec: DetectorSpec, given: Mapping[str, Any] | None) -> StreamParams:
    try:
        params = msgspec.convert(dict(given or {}), spec.params)
    except (msgspec.ValidationError, TypeError, ValueError) as problem:
        raise ConfigError.at("parameters", f"those of {spec.type}", str(problem)) from None
    assert isinstance(params, StreamParams)
    return params


def _learned(kernel: Kernel, params: StreamParams, column: FloatArray) -> Any:
    """State of one series after its values; never begun if none of them is known."""
    column[~known(column)] = np.nan
    state = kernel.empty(1, BINS, params)
    walked(kernel, column, np.zeros(len(column), np.int64), state, best_way(kernel, len(column)), fresh=True)
    return state if np.isfinite(column).any() else None


def _judged(kernel: Kernel, state: Any, column: FloatArray) -> FloatArray:
    """(rows,) raw score of each value as if it came next: a copy of the state for each row."""
    raw = np.full(len(column), np.nan)
    rows = np.flatnonzero(known(column))
    if state is None:
        return raw
    for first in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[first : first + ROWS_AT_ONCE]
        series = np.arange(len(some))
        with np.errstate(all="ignore"):
            raw[some] = kernel.judge(series, column[some], np.zeros_like(series), _repeated(state, len(some)))[0]
    return raw


def _repeated(state: Any, times: int) -> Any:
    if isinstance(state, np.ndarray):
        return np.tile(state, times)
    if not isinstance(state, tuple):
        return state
    parts = [_repeated(one, times) for one in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
