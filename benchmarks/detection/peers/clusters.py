"""As Netdata's agent does it: two clusters of the last changes; anomalous: far from both in all recent models.

Written again from its documentation: changes, smoothed over 3, six of them a vector, k-means with 2 clusters; the
distance to the nearer centre against the 99th percentile of what the model was trained on; the least of 18 models.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import pandas as pd

from benchmarks.detection.peers.windows import blocks, windows

CLUSTERS, SMOOTHED, LAGS, MODELS, ROUNDS = 2, 3, 6, 18, 30
Model = tuple[np.ndarray, float]


def two_clusters(series: pd.Series) -> np.ndarray:
    """1 at the 99th percentile."""
    known = np.flatnonzero(np.isfinite(series.to_numpy()))
    reported = np.full(len(series), np.nan)
    smooth = np.convolve(np.diff(series.to_numpy()[known]), np.full(SMOOTHED, 1 / SMOOTHED), "valid")
    if len(smooth) < LAGS:
        return reported
    vectors = windows(smooth, LAGS)
    scores, models = np.full(len(vectors), np.nan), deque[Model](maxlen=MODELS)
    for past, judged in blocks(len(vectors)):
        models.append(trained(vectors[past]))
        scores[judged] = np.min(
            [_distances(vectors[judged], centres) / baseline for centres, baseline in models], axis=0
        )
    reported[known[len(known) - len(scores) :]] = scores
    return reported


def trained(vectors: np.ndarray) -> Model:
    """Centres, and the 99th percentile of the distances to them."""
    order = np.argsort(vectors.sum(axis=1), kind="stable")
    centres = vectors[order[[len(order) // 4, 3 * len(order) // 4]]].copy()
    for _ in range(ROUNDS):
        nearest = _all_distances(vectors, centres).argmin(axis=1)
        for number in range(CLUSTERS):
            if (nearest == number).any():
                centres[number] = vectors[nearest == number].mean(axis=0)
    baseline = float(np.quantile(_distances(vectors, centres), 0.99))
    return centres, baseline or 1e-9


def _all_distances(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.stack([np.sqrt(((vectors - centre) ** 2).sum(axis=1)) for centre in centres], axis=1)


def _distances(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return _all_distances(vectors, centres).min(axis=1)
