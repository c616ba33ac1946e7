"""The last minutes of the figures on the tiles: one value of each a window."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from aiops_nb.core.types import FloatArray

MOST_WINDOWS = 120
DIGITS = 4


class Trends:
    """Requests a second of all targets, their errors, and the slowest p95, by window.

    Examples
    --------
    >>> trends = Trends()
    >>> trends.take(rate=np.array([2.0, 1.0]), error=np.array([0.5, np.nan]), p95=np.array([np.nan, 0.2]))
    >>> trends.of("rate"), trends.of("error"), trends.of("p95")
    ([3.0], [0.5], [0.2])
    """

    def __init__(self) -> None:
        names = ("rate", "error", "p95")
        self._values: dict[str, deque[float | None]] = {name: deque(maxlen=MOST_WINDOWS) for name in names}

    def take(self, *, rate: FloatArray, error: FloatArray, p95: FloatArray) -> None:
        """Add one window; each is (n,), NaN where it is not known."""
        known = np.isfinite(error) & np.isfinite(rate)
        requests = float(rate[known].sum())
        failed = float((error[known] * rate[known]).sum())
        self._add("rate", float(np.nansum(rate)) if np.isfinite(rate).any() else math.nan)
        self._add("error", failed / requests if requests else math.nan)
        self._add("p95", float(np.nanmax(p95)) if np.isfinite(p95).any() else math.nan)

    def of(self, name: str) -> list[float | None]:
        """The values of one figure, oldest first; None where it is not known."""
        return list(self._values[name])

    def _add(self, name: str, value: float) -> None:
        self._values[name].append(float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None)
