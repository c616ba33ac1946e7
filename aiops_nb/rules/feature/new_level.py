"""New levels that were accepted while an alert fired, told when it resolves."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.readable import readable
from aiops_nb.core.types import BoolArray, FloatArray

LEVEL_WINDOWS = 16  # that the mean of the last strange values goes back


class Acceptances:
    """Counts each series' strange windows on end, and keeps what was expected and what came until it was accepted."""

    def __init__(self) -> None:
        self._windows, self._level = np.zeros(16, np.int64), np.zeros(16)
        self._counts = False
        self._from: dict[int, tuple[int, float, float]] = {}

    def note(
        self, strange: BoolArray, known: BoolArray, accepted: BoolArray, expected: FloatArray, value: FloatArray
    ) -> None:
        """Move on by one window of n series; `accepted` are those whose level was accepted in it."""
        capacity = capacity_near(len(strange), len(self._windows))
        if capacity > len(self._windows):
            self._windows, self._level = widened(self._windows, capacity), widened(self._level, capacity)
        windows, level = self._windows[: len(strange)], self._level[: len(strange)]
        if self._counts or strange.any():
            windows[:] = np.where(strange, windows + 1, np.where(known, 0, windows))
            level += np.where(strange, (value - level) / np.clip(windows, 1, LEVEL_WINDOWS), 0.0)
            self._counts = bool(windows.any())
        if accepted.any():
            for at in np.flatnonzero(accepted).tolist():
                self._from[at] = int(windows[at]), float(expected[at]), float(level[at])

    def over(self, at: int, feature: str) -> str:
        """What there is to say of a series that is usual again; then forgotten.

        The new level is that of the values that were accepted: a slow expectation is still on its way there.

        Examples
        --------
        >>> known = np.array([True])
        >>> acceptances = Acceptances()
        >>> acceptances.note(known, known, known, np.array([0.085]), np.array([0.14]))
        >>> acceptances.over(0, "duration_p95_seconds")
        'new level accepted after 1 window: 85 ms -> 140 ms'
        """
        if at not in self._from:
            return ""
        windows, before, after = self._from.pop(at)
        told = f"new level accepted after {windows} window{'s' if windows != 1 else ''}"
        levels = f": {readable(before, feature)} -> {readable(after, feature)}"
        return told + (levels if before == before and after == after else "")
