"""New levels that were accepted while an alert fired: said when it resolves."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.quantities import format_duration, readable, without_unit
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray

LEVEL_WINDOWS = 16  # over which the last anomalous values are averaged


class Acceptances:
    """Counts each series' consecutive anomalous windows; keeps the baseline before and after it was updated."""

    def __init__(self) -> None:
        self._windows, self._level = np.zeros(16, np.int64), np.zeros(16)
        self._since_ns: IntArray = np.zeros(16, np.int64)
        self._counts = False
        self._from: dict[int, tuple[int, float, float, float]] = {}

    @property
    def is_counting(self) -> bool:
        """Whether a series was anomalous in the last window."""
        return self._counts

    def note(
        self,
        anomalous: BoolArray,
        known: BoolArray,
        accepted: BoolArray,
        expected: FloatArray,
        value: FloatArray,
        end_ns: int,
    ) -> None:
        """Move on by one window of n series; `accepted` are those whose level was accepted in it."""
        capacity = capacity_near(len(anomalous), len(self._windows))
        if capacity > len(self._windows):
            self._windows, self._level = widened(self._windows, capacity), widened(self._level, capacity)
            self._since_ns = widened(self._since_ns, capacity)
        windows, level = self._windows[: len(anomalous)], self._level[: len(anomalous)]
        if self._counts or anomalous.any():
            windows[:] = np.where(anomalous, windows + 1, np.where(known, 0, windows))
            np.copyto(self._since_ns[: len(anomalous)], end_ns, where=anomalous & (windows == 1))
            level += np.where(anomalous, (value - level) / np.clip(windows, 1, LEVEL_WINDOWS), 0.0)
            self._counts = bool(windows.any())
        if accepted.any():
            for at in np.flatnonzero(accepted).tolist():
                count = int(windows[at])
                seconds = (end_ns - int(self._since_ns[at])) / NS_PER_SECOND * count / max(count - 1, 1)
                self._from[at] = count, seconds, float(expected[at]), float(level[at])

    def over(self, at: int, feature: str) -> str:
        """The outcome of an alert whose series has a new baseline; then forgotten.

        The new level is that of the values that were accepted: a slow expectation is still on its way there.

        Examples
        --------
        >>> known = np.array([True])
        >>> acceptances = Acceptances()
        >>> acceptances.note(known, known, known, np.array([0.085]), np.array([0.14]), end_ns=0)
        >>> acceptances.over(0, "duration_p95_seconds")
        'baseline updated after 1 window: 85 -> 140 ms'
        """
        if at not in self._from:
            return ""
        windows, seconds, before, after = self._from.pop(at)
        length = f"{windows} windows ({format_duration(seconds)})" if windows != 1 else "1 window"
        now = readable(after, feature)
        levels = f": {without_unit(readable(before, feature), now)} -> {now}"
        return f"baseline updated after {length}" + (levels if before == before and after == after else "")
