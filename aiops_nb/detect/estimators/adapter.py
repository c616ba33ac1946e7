"""Estimators of scikit-learn, PyOD and river as detectors, calibrated like our own."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from aiops_nb.core.errors import ConfigError, not_negative
from aiops_nb.core.quantities import parse_duration
from aiops_nb.detect.estimators.detector import EstimatorDetector
from aiops_nb.detect.estimators.foreign import last_step, snake
from aiops_nb.detect.estimators.river import RiverDetector

MOST_SHOWN_CHARACTERS = 100


def as_detector(
    estimator: Any, *, features: Sequence[str] = (), refit: str | float = "6h", threshold: float = 50.0
) -> EstimatorDetector | RiverDetector:
    """A detector made of any estimator that scores, its scores calibrated against each series' own past.

    Parameters
    ----------
    estimator
        One with `fit` and `score_samples` or `decision_function` (scikit-learn, PyOD), or with `score_one` and
        `learn_one` (river), pipelines of them included. It is copied, never changed. Where it would draw at random
        (`random_state` or `seed` is None), a seed is set, so that a replay gives what was live; of river's such a copy
        starts again.
    features
        Names of the features that make the vector of a series. A river model may go without: it is shown all that are
        known.
    refit
        How often it is fitted again to the vectors of late: seconds, or a string such as `30m` or `6h`.
    threshold
        Score, 0 to 100, from which on a tick is anomalous.

    Returns
    -------
    EstimatorDetector or RiverDetector
        Pass it to `score_series` or `score_frame`.

    Raises
    ------
    ConfigError
        If it cannot score, or an argument is not what is described here.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> detector = as_detector(IsolationForest(), features=["rate_hz", "error_ratio"], refit="6h")
    >>> detector.name, detector.refit_seconds
    ('isolation_forest', 21600.0)
    """
    of_river = hasattr(estimator, "learn_one") and hasattr(estimator, "score_one")
    _require_estimator(estimator, of_river)
    names, threshold = _names(features, of_river), not_negative("threshold", threshold, most=100.0)
    if of_river:
        return RiverDetector(snake(last_step(estimator)), estimator, names, threshold)
    name = snake(last_step(estimator))
    return EstimatorDetector(name, estimator, names, refit_seconds=_seconds(refit), threshold=threshold)


def _names(features: object, of_river: bool) -> tuple[str, ...]:
    names = tuple(features) if isinstance(features, Sequence) and not isinstance(features, str) else None
    if names is None or not all(isinstance(name, str) for name in names) or not (names or of_river):
        raise ConfigError.at("features", "a list of names, such as ['rate_hz', 'error_ratio']", features)
    if len(set(names)) < len(names):
        raise ConfigError.at("features", "each name once", list(names))
    return names


def _require_estimator(estimator: Any, of_river: bool) -> None:
    last = last_step(estimator)
    if isinstance(estimator, type):
        raise _unlike(f"an object, such as {estimator.__name__}()", estimator)
    if of_river:
        if _asks_for_labels(last.learn_one) or _asks_for_labels(last.score_one):
            raise _unlike("a model that learns without labels: learn_one(x), score_one(x)", estimator)
        return
    if getattr(last, "novelty", True) is False:
        raise _unlike(f"one for values to come: {type(last).__name__}(novelty=True)", last)
    scores = hasattr(estimator, "score_samples") or hasattr(estimator, "decision_function")
    if not hasattr(estimator, "fit") or not scores:
        raise _unlike("fit and score_samples or decision_function, or learn_one and score_one", estimator)
    if _asks_for_labels(last.fit):
        raise _unlike("one that is fitted without labels: fit(X)", estimator)


def _unlike(expected: str, got: object) -> ConfigError:
    """One line, however long the estimator's own repr."""
    text = " ".join(repr(got).split())
    shown = text if len(text) <= MOST_SHOWN_CHARACTERS else f"{text[:MOST_SHOWN_CHARACTERS]}..."
    return ConfigError(f"estimator: expected {expected}, got {shown}")


def _asks_for_labels(method: Any) -> bool:
    required = [
        one
        for one in inspect.signature(method).parameters.values()
        if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    return len(required) > 1


def _seconds(duration: str | float) -> float:
    if isinstance(duration, str):
        seconds = parse_duration(duration)
        if seconds is None:
            raise ConfigError.at("refit", "seconds, or a string such as 30m or 6h", duration)
        duration = seconds
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        raise ConfigError.at("refit", "seconds, or a string such as 30m or 6h", duration)
    if not 0 < duration < float("inf"):
        raise ConfigError.at("refit", "more than 0 seconds", duration)
    return float(duration)
