"""The state of one rule over all its series: inactive, pending, firing; vectorised."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, IntArray

IndexArray = npt.NDArray[np.intp]
INACTIVE, PENDING, FIRING = 0, 1, 2
NEVER = np.iinfo(np.int64).min


class Episodes:
    """State arrays over the series of one rule, each (capacity,).

    `pending_at`, `starts_at` and `clear_since` are UTC ns; `clear_since` is when the series was first seen without the
    condition after it last had it, `NEVER` while it has it.
    """

    __slots__ = ("active", "clear_since", "pending_at", "starts_at", "state")

    def __init__(self) -> None:
        self.state = np.zeros(64, np.int8)
        self.pending_at, self.starts_at, self.clear_since = (np.full(64, NEVER) for _ in range(3))
        self.active = 0

    def make_room(self, count: int) -> None:
        """Hold at least `count` series."""
        capacity = capacity_for(count, len(self.state))
        if capacity > len(self.state):
            self.state = widened(self.state, capacity)
            for name in ("pending_at", "starts_at", "clear_since"):
                setattr(self, name, widened(getattr(self, name), capacity, NEVER))

    def begin_pending(self, series: npt.NDArray[np.integer], at_ns: IntArray | int) -> None:
        """The condition was seen for the first time."""
        self.state[series] = PENDING
        self.pending_at[series] = at_ns
        self.active += len(series)

    def begin_firing(self, series: npt.NDArray[np.integer], at_ns: IntArray | int) -> None:
        """The condition has held long enough."""
        self.state[series] = FIRING
        self.starts_at[series] = at_ns
        self.clear_since[series] = NEVER

    def end(self, series: npt.NDArray[np.integer]) -> None:
        """The episode is over."""
        self.state[series] = INACTIVE
        self.clear_since[series] = NEVER
        self.active -= len(series)

    def due_to_resolve(self, count: int, now_ns: int, keep_firing_for_ns: int) -> BoolArray:
        """Firing series that have been clear for long enough, (count,)."""
        clear_since = self.clear_since[:count]
        clear = (self.state[:count] == FIRING) & (clear_since != NEVER)
        due: BoolArray = clear & (now_ns - np.where(clear, clear_since, now_ns) >= keep_firing_for_ns)
        return due
