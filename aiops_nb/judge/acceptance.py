"""New levels that were accepted while an alert fired, told when it resolves."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.readable import readable
from aiops_nb.core.types import BoolArray, FloatArray


class Acceptances:
    """Counts each series' strange windows on end, and keeps what was expected when its new level was accepted."""

    def __init__(self) -> None:
        self._windows = np.zeros(16, np.int64)
        self._counts = False
        self._from: dict[int, tuple[int, float]] = {}

    def note(self, strange: BoolArray, known: BoolArray, accepted: BoolArray, expected: FloatArray) -> None:
        """Move on by one window of n series; `accepted` are those whose level was accepted in it."""
        capacity = capacity_near(len(strange), len(self._windows))
        if capacity > len(self._windows):
            self._windows = widened(self._windows, capacity)
        windows = self._windows[: len(strange)]
        if self._counts or strange.any():
            windows[:] = np.where(strange, windows + 1, np.where(known, 0, windows))
            self._counts = bool(windows.any())
        if accepted.any():
            for at in np.flatnonzero(accepted).tolist():
                self._from[at] = int(windows[at]), float(expected[at])

    def over(self, at: int, feature: str, expected: float) -> str:
        """What there is to say of a series that is usual again, given what is expected of it now; then forgotten.

        Examples
        --------
        >>> known = np.array([True])
        >>> acceptances = Acceptances()
        >>> acceptances.note(known, known, known, np.array([0.085]))
        >>> acceptances.over(0, "duration_p95_seconds", 0.14)
        'new level accepted after 1 window: 85 ms -> 140 ms'
        """
        if at not in self._from:
            return ""
        windows, before = self._from.pop(at)
        told = f"new level accepted after {windows} window{'s' if windows != 1 else ''}"
        levels = f": {readable(before, feature)} -> {readable(expected, feature)}"
        return told + (levels if before == before and expected == expected else "")
