"""river's detectors, one model a series: it scores, then learns each value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.detection.labelled import Judge
from benchmarks.detection.peers.windows import LAGS, windows

Vector = dict[str, float]


def value_and_change(x: np.ndarray) -> Iterator[Vector]:
    change = np.diff(x, prepend=x[:1])
    return ({"value": value, "change": step} for value, step in zip(x.tolist(), change.tolist(), strict=True))


def last_values(x: np.ndarray) -> Iterator[Vector]:
    padded = np.r_[np.full(LAGS - 1, x[0]), x]
    return (dict(enumerate(window)) for window in windows(padded, LAGS).tolist())


def streamed(made: Callable[[], Any], vectors: Callable[[np.ndarray], Iterator[Vector]]) -> Judge:
    def judge(series: pd.Series) -> np.ndarray:
        known = np.flatnonzero(np.isfinite(series.to_numpy()))
        reported, model = np.full(len(series), np.nan), made()
        for at, vector in zip(known.tolist(), vectors(series.to_numpy()[known]), strict=True):
            reported[at] = model.score_one(vector)
            model.learn_one(vector)
        return reported

    return lambda many: [judge(series) for series in many]


def standard_absolute_deviation(many: list[pd.Series]) -> list[np.ndarray]:
    """It takes the value next to the vector, unlike the others."""
    return [_deviations(series) for series in many]


def _deviations(series: pd.Series) -> np.ndarray:
    known = np.flatnonzero(np.isfinite(series.to_numpy()))
    reported, model = np.full(len(series), np.nan), import_module("river.anomaly").StandardAbsoluteDeviation()
    for number, (at, value) in enumerate(zip(known.tolist(), series.to_numpy()[known].tolist(), strict=True)):
        if number > LAGS:
            reported[at] = model.score_one(None, value)
        model.learn_one(None, value)
    return reported


def half_space_trees() -> Any:
    """25 trees as in Tan, Ting and Liu 2011; values to [0, 1], as the class asks for."""
    trees = import_module("river.anomaly").HalfSpaceTrees(n_trees=25, seed=0)
    return import_module("river.preprocessing").MinMaxScaler() | trees


def one_class_svm() -> Any:
    return import_module("river.preprocessing").StandardScaler() | import_module("river.anomaly").OneClassSVM()


def loda() -> Any:
    return import_module("river.preprocessing").StandardScaler() | import_module("river.anomaly").LODA(seed=0)


RIVER: dict[str, Judge] = {
    "river HalfSpaceTrees": streamed(half_space_trees, value_and_change),
    "river StandardAbsoluteDeviation": standard_absolute_deviation,
    "river OneClassSVM": streamed(one_class_svm, value_and_change),
    "river LODA": streamed(loda, last_values),
}
