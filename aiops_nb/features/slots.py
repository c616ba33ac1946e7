"""Places in fixed arrays for names that come and go: bounded, however many names an outsider invents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiops_nb.core.types import BoolArray, IntArray

NO_SLOT = -1
CROWDED_RATIO = 0.75


class Slots:
    """Key -> place, first come, first served; when it is crowded, the quietest leave at the end of a window.

    That is the idea of lossy counting (Manku and Motwani 2002): who makes many requests gets in, and stays in.

    Parameters
    ----------
    capacity
        Number of places.
    roomy_ratio
        When three quarters of the places are taken, so many of them stay taken.

    Examples
    --------
    >>> slots = Slots(2)
    >>> slots.admit(np.array([70, 80, 90], np.uint64))
    array([ 0,  1, -1])
    >>> slots.release(np.array([0]))
    >>> slots.admit(np.array([90, 80], np.uint64))
    array([0, 1])
    """

    def __init__(self, capacity: int, roomy_ratio: float = 0.5) -> None:
        self.capacity = capacity
        self._roomy = int(roomy_ratio * capacity)
        self.high = 0
        self.generation = 0
        self.keys = np.zeros(capacity, np.uint64)
        self._taken = np.zeros(capacity, np.bool_)
        self._ordered, self._slot = np.zeros(0, np.uint64), np.zeros(0, np.int64)  # keys in order, and their slots
        self._free = np.arange(capacity - 1, -1, -1)

    def __len__(self) -> int:
        return len(self._ordered)

    def admit(self, keys: npt.NDArray[np.uint64]) -> IntArray:
        """Slots of the keys, all of them different, in their order, `NO_SLOT` where there is no room left."""
        slots = self._find(keys)
        fresh = np.flatnonzero(slots == NO_SLOT)[: self.capacity - len(self)]
        if len(fresh):
            slots[fresh] = self._take(keys[fresh])
        return slots

    def _find(self, keys: npt.NDArray[np.uint64]) -> IntArray:
        if not len(self):
            return np.full(len(keys), NO_SLOT)
        places = np.minimum(np.searchsorted(self._ordered, keys), len(self) - 1)
        return np.where(self._ordered[places] == keys, self._slot[places], NO_SLOT)

    def _take(self, keys: npt.NDArray[np.uint64]) -> IntArray:
        room = self.capacity - len(self)
        slots: IntArray = self._free[room - len(keys) : room][::-1].copy()
        self.keys[slots], self._taken[slots] = keys, True
        self.high = max(self.high, int(slots.max()) + 1)
        order = np.argsort(keys)
        places = np.searchsorted(self._ordered, keys[order])
        self._ordered = np.insert(self._ordered, places, keys[order])
        self._slot = np.insert(self._slot, places, slots[order])
        return slots

    def taken(self) -> BoolArray:
        """Which of the first `high` slots are taken."""
        return self._taken[: self.high]

    def crowded_out(self, count: IntArray) -> IntArray:
        """The slots to release now, given the count of each of the first `high`: none while there is room."""
        if len(self) < CROWDED_RATIO * self.capacity:
            return np.zeros(0, np.int64)
        taken = np.flatnonzero(self.taken())
        quietest = taken[np.argsort(count[taken], kind="stable")]
        idle = int((count[taken] == 0).sum())
        return quietest[: max(idle, len(self) - self._roomy)].astype(np.int64)

    def release(self, slots: IntArray) -> None:
        """Forget the keys of these slots."""
        if not len(slots):
            return
        room = self.capacity - len(self)
        self._free[room : room + len(slots)] = slots
        self._taken[slots] = False
        kept = self._taken[self._slot]
        self._ordered, self._slot = self._ordered[kept], self._slot[kept]
        self.generation += 1


def largest(count: IntArray, most: int, least: int = 1) -> IntArray:
    """Places of the largest counts of at least `least`, the largest first, of equal ones the first.

    Examples
    --------
    >>> largest(np.array([3, 0, 5, 3]), most=2)
    array([2, 0])
    """
    if len(count) > most:
        least = max(least, int(np.partition(count, -most)[-most]))
    busy = np.flatnonzero(count >= least)
    top: IntArray = busy[np.argsort(-count[busy], kind="stable")[:most]]
    return top
