"""What is compared: our detectors, and two that no detector may be worse than."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from aiops_nb.detect.registry import ALGORITHMS
from aiops_nb.detect.robust_z import RobustZ, RobustZParams
from aiops_nb.scoring import score_series

Judge = Callable[[pd.Series], np.ndarray]


def chance(series: pd.Series) -> np.ndarray:
    """Noise: what a cool-down and a generous scale give away."""
    seed = np.nansum(np.abs(series.to_numpy()))
    return np.random.default_rng(int(seed) % 2**32).random(len(series))


def silence(series: pd.Series) -> np.ndarray:
    return np.zeros(len(series))


def _ours(name: str) -> Judge:
    return lambda series: score_series(series, name).score.to_numpy()


def robust(series: pd.Series) -> np.ndarray:
    """The detector of the first alert rules: its score is in deviations."""
    return score_series(series, RobustZ("value", RobustZParams(direction="both"), threshold=6.0)).score.to_numpy()


JUDGES: dict[str, Judge] = {
    **{name: _ours(name) for name in ALGORITHMS},
    "robust_z": robust,
    "random": chance,
    "silent": silence,
}
