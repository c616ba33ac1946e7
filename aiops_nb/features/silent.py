"""How many requests there were, how they were answered, and how fast: of each series, or of all of an origin."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import FloatArray, IntArray

NEVER = -1 << 62


class Silence:
    """Seconds since the last window with a request (or a sample), 0 in one; NaN before the first."""

    def __init__(self, tick_seconds: float) -> None:
        self._tick_seconds = tick_seconds
        self._last: IntArray = np.full(64, NEVER, np.int64)

    def close(self, window: int, requests: FloatArray) -> FloatArray:
        """Take the requests of each series in a closed window, (n,)."""
        last = self.last(len(requests))[: len(requests)]
        last[requests > 0] = window
        return np.where(last == NEVER, np.nan, (window - last) * self._tick_seconds)

    def last(self, count: int) -> IntArray:
        """The last window with a request of each series, `NEVER` before the first; of at least `count` series."""
        capacity = capacity_for(count, len(self._last))
        if capacity > len(self._last):
            self._last = widened(self._last, capacity, NEVER)
        return self._last
