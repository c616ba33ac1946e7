"""PyOD's detectors and scikit-learn's forest on windows of the last values, with their own defaults."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.detection.labelled import Judge
from benchmarks.detection.peers.windows import Fit, Fitted, by_blocks

OF_PYOD = {"IForest": "iforest", "ECOD": "ecod", "HBOS": "hbos", "KNN": "knn", "LOF": "lof", "PCA": "pca"}
AT_RANDOM = ("IForest", "PCA")


def of_pyod(name: str) -> Judge:
    def fit(vectors: np.ndarray) -> Fitted:
        made = getattr(import_module(f"pyod.models.{OF_PYOD[name]}"), name)
        model: Any = made(random_state=0) if name in AT_RANDOM else made()
        return fitted(model, vectors).decision_function

    return over_windows(fit)


def forest(vectors: np.ndarray) -> Fitted:
    model: Any = fitted(import_module("sklearn.ensemble").IsolationForest(random_state=0), vectors)
    return lambda judged: -model.score_samples(judged)


def fitted(model: Any, vectors: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constants and duplicates, which metrics have
        return model.fit(vectors)


def over_windows(fit: Fit) -> Judge:
    def judge(series: pd.Series) -> np.ndarray:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return by_blocks(series, fit)

    return lambda many: [judge(series) for series in many]


ESTIMATORS: dict[str, Judge] = {
    **{f"PyOD {name}": of_pyod(name) for name in OF_PYOD},
    "scikit-learn IsolationForest": over_windows(forest),
}
