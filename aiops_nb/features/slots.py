"""Places in fixed arrays for names that come and go: bounded, however many names an outsider invents."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

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
    >>> slots.admit([70, 80, 90])
    array([ 0,  1, -1])
    >>> slots.release(np.array([0]))
    >>> slots.admit([90, 80])
    array([0, 1])
    """

    def __init__(self, capacity: int, roomy_ratio: float = 0.5) -> None:
        self.capacity = capacity
        self._roomy = int(roomy_ratio * capacity)
        self.high = 0
        self.generation = 0
        self.keys: list[int] = [0] * capacity
        self._taken = np.zeros(capacity, np.bool_)
        self._slot: dict[int, int] = {}
        self._free = list(range(capacity - 1, -1, -1))

    def __len__(self) -> int:
        return len(self._slot)

    def admit(self, keys: Iterable[int]) -> IntArray:
        """Slots of the keys in their order, `NO_SLOT` where there is no room left."""
        wanted = list(keys)
        find = self._slot.get
        slots = [find(key, NO_SLOT) for key in wanted]
        if self._free and NO_SLOT in slots:
            slots = [self._admit(key) if slot == NO_SLOT else slot for key, slot in zip(wanted, slots, strict=True)]
        return np.array(slots, np.int64)

    def _admit(self, key: int) -> int:
        slot = self._slot.get(key, NO_SLOT)
        if slot == NO_SLOT and self._free:
            slot = self._slot[key] = self._free.pop()
            self.keys[slot], self._taken[slot] = key, True
            if slot >= self.high:
                self.high = slot + 1
        return slot

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
        for slot in slots.tolist():
            del self._slot[self.keys[slot]]
            self._free.append(slot)
        self._taken[slots] = False
        self.generation += bool(len(slots))


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
