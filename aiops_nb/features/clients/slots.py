"""Slots in fixed arrays for names that come and go: bounded, however many names an outsider invents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiops_nb.core.types import BoolArray, IntArray

NO_SLOT = -1
CROWDED_RATIO = 0.75


class SlotPool:
    """Places that are taken and given up; when it is crowded, the quietest leave at the end of a window.

    That is the idea of lossy counting (Manku and Motwani 2002): who makes many requests gets in, and stays in.

    Parameters
    ----------
    capacity
        Number of places.
    roomy_ratio
        When three quarters of the places are taken, so many of them stay taken.

    Examples
    --------
    >>> places = SlotPool(2)
    >>> places.take(3)
    array([0, 1])
    >>> places.release(np.array([0]))
    >>> places.take(1)
    array([0])
    """

    def __init__(self, capacity: int, roomy_ratio: float = 0.5) -> None:
        self.capacity = capacity
        self._roomy = int(roomy_ratio * capacity)
        self.high = 0
        self._taken = np.zeros(capacity, np.bool_)
        self._free, self._room = np.arange(capacity - 1, -1, -1), capacity

    def __len__(self) -> int:
        return self.capacity - self._room

    def take(self, count: int) -> IntArray:
        """So many places, or as many as are left."""
        room = self._room
        self._room = max(room - count, 0)
        slots: IntArray = self._free[self._room : room][::-1].copy()
        if len(slots):
            self._taken[slots] = True
            self.high = max(self.high, int(slots.max()) + 1)
        return slots

    def taken(self) -> BoolArray:
        """Which of the first `high` places are taken."""
        return self._taken[: self.high]

    def crowded_out(self, count: IntArray) -> IntArray:
        """The places to release now, given the count of each of the first `high`: none while there is room."""
        if len(self) < CROWDED_RATIO * self.capacity:
            return np.zeros(0, np.int64)
        taken = np.flatnonzero(self.taken())
        counts = count[taken]
        most = max(len(counts) - int(np.count_nonzero(counts)), len(self) - self._roomy)
        return taken[quietest(counts, most)]

    def release(self, slots: IntArray) -> None:
        """Give up these places."""
        self._free[self._room : self._room + len(slots)] = slots
        self._room += len(slots)
        self._taken[slots] = False


class Slots:
    """Key -> place, first come, first served.

    Parameters
    ----------
    capacity
        Number of places.

    Examples
    --------
    >>> slots = Slots(2)
    >>> slots.admit(np.array([70, 80, 90], np.uint64))
    array([ 0,  1, -1])
    >>> slots.release(np.array([0]))
    >>> slots.admit(np.array([90, 80], np.uint64))
    array([0, 1])
    """

    def __init__(self, capacity: int) -> None:
        self.pool = SlotPool(capacity)
        self.generation = 0
        self.keys = np.zeros(capacity, np.uint64)
        self._ordered, self._slot = np.zeros(0, np.uint64), np.zeros(0, np.int64)  # keys in order, and their slots

    def admit(self, keys: npt.NDArray[np.uint64]) -> IntArray:
        """Slots of the keys, all of them different, in their order, `NO_SLOT` where there is no room left."""
        order = np.argsort(keys)
        in_order = keys[order]
        places = np.searchsorted(self._ordered, in_order)  # ten times as fast for keys in order
        known = self._is_at(places, in_order)
        slots = np.full(len(keys), NO_SLOT)
        slots[order[known]] = self._slot[places[known]]
        fresh = np.flatnonzero(slots == NO_SLOT)
        taken = self.pool.take(len(fresh))
        if len(taken):
            fresh = fresh[: len(taken)]
            slots[fresh], self.keys[taken] = taken, keys[fresh]
            self._insert(places, in_order, slots[order], ~known & (slots[order] != NO_SLOT))
        return slots

    def _is_at(self, places: IntArray, keys: npt.NDArray[np.uint64]) -> BoolArray:
        if not len(self._ordered):
            return np.zeros(len(keys), np.bool_)
        known: BoolArray = self._ordered.take(places, mode="clip") == keys
        return known

    def _insert(self, places: IntArray, keys: npt.NDArray[np.uint64], slots: IntArray, chosen: BoolArray) -> None:
        """Put the chosen ones of these keys, all in order, before the given places."""
        at = places[chosen] + np.arange(np.count_nonzero(chosen))
        kept = np.ones(len(self._ordered) + len(at), np.bool_)
        kept[at] = False
        ordered, slot = np.empty(len(kept), np.uint64), np.empty(len(kept), np.int64)
        ordered[kept], slot[kept] = self._ordered, self._slot
        ordered[at], slot[at] = keys[chosen], slots[chosen]
        self._ordered, self._slot = ordered, slot

    def release(self, slots: IntArray) -> None:
        """Forget the keys of these slots."""
        if not len(slots):
            return
        self.pool.release(slots)
        kept = self.pool.taken()[self._slot]
        self._ordered, self._slot = self._ordered[kept], self._slot[kept]
        self.generation += 1


def quietest(count: IntArray, most: int) -> IntArray:
    """Places of the smallest counts, the smallest first, of equal ones the first.

    Examples
    --------
    >>> quietest(np.array([3, 0, 5, 0]), most=3)
    array([1, 3, 0])
    """
    if most < len(count):
        limit = np.partition(count, most - 1)[most - 1] if most else 0
        quiet = np.flatnonzero(count <= limit)
    else:
        quiet = np.arange(len(count))
    first: IntArray = quiet[np.argsort(count[quiet], kind="stable")[:most]]
    return first


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
