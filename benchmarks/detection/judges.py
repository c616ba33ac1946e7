"""What is compared: our detectors, and two that no detector may be worse than."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from aiops_nb.detect.limits.robust_z import RobustZ, RobustZParams
from aiops_nb.detect.registry import STREAMING
from aiops_nb.offline.score import score_series
from benchmarks.detection.forest import forest
from benchmarks.detection.labelled import Judge, each
from benchmarks.detection.peers import PEERS


def chance(series: pd.Series) -> np.ndarray:
    """Noise: what a cool-down and a generous scale give away."""
    seed = np.nansum(np.abs(series.to_numpy()))
    return np.random.default_rng(int(seed) % 2**32).random(len(series))


def silence(series: pd.Series) -> np.ndarray:
    return np.zeros(len(series))


def ours(name: str) -> Callable[[pd.Series], np.ndarray]:
    return lambda series: score_series(series, name).score.to_numpy()


def robust(series: pd.Series) -> np.ndarray:
    """The detector of the first alert rules: its score is in deviations."""
    return score_series(series, RobustZ("value", RobustZParams(direction="both"), threshold=6.0)).score.to_numpy()


OURS: dict[str, Judge] = {
    **{name: each(ours(name)) for name in STREAMING},
    "robust_z": each(robust),
    "isolation_forest": forest,
}
BASELINES: dict[str, Judge] = {"random": each(chance), "silent": each(silence)}
JUDGES: dict[str, Judge] = {**OURS, **PEERS, **BASELINES}
