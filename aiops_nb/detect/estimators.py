"""Estimators of scikit-learn, PyOD and river as detectors, calibrated like our own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from aiops_nb.core.durations import parse_duration
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.estimator_detector import EstimatorDetector, snake
from aiops_nb.detect.river_detector import RiverDetector


def as_detector(
    estimator: Any, *, features: Sequence[str] = (), refit: str | float = "6h", threshold: float = 50.0
) -> EstimatorDetector | RiverDetector:
    """A detector made of any estimator that scores, its scores calibrated against each series' own past.

    Parameters
    ----------
    estimator
        One with `fit` and `score_samples` or `decision_function` (scikit-learn, PyOD), or with `score_one` and
        `learn_one` (river). It is copied, never changed. Where it would draw at random, a seed is set, so that a replay
        gives what was live.
    features
        Names of the features that make the vector of a series. A river model may go without: it is shown all that are
        known.
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
    >>> detector = as_detector(IsolationForest(), features=["rate_hz", "error_ratio"], refit="6h")
    >>> detector.name, detector.refit_seconds
    ('isolation_forest', 21600.0)
    """
    names, of_river = tuple(features), hasattr(estimator, "learn_one") and hasattr(estimator, "score_one")
    if isinstance(features, str) or not all(isinstance(name, str) for name in names) or not (names or of_river):
        raise ConfigError.at("features", "a list of names, such as ['rate_hz', 'error_ratio']", features)
    if of_river:
        return RiverDetector(snake(estimator), copy.deepcopy(estimator), names, threshold)
    if hasattr(estimator, "fit") and (hasattr(estimator, "score_samples") or hasattr(estimator, "decision_function")):
        return EstimatorDetector(snake(estimator), estimator, names, refit_seconds=_seconds(refit), threshold=threshold)
    raise ConfigError.at("estimator", "fit and score_samples, or learn_one and score_one", estimator)


def _seconds(duration: str | float) -> float:
    if isinstance(duration, str):
        seconds = parse_duration(duration)
        if seconds is None:
            raise ConfigError.at("refit", "seconds, or a text such as 30m or 6h", duration)
        duration = seconds
    if not duration > 0:
        raise ConfigError.at("refit", "more than 0 seconds", duration)
    return float(duration)
