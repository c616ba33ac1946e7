"""What was found out about keys lately, looked up for many rows at once: a direct-mapped cache."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from aiops_nb import kernel
from aiops_nb.core.types import BoolArray, IntArray

KeyArray = npt.NDArray[np.uint64]
CELLS_LOG2 = 16
UNRESOLVED = -2
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: neighbouring addresses spread well (Knuth 1973, 6.4)


class LookupCache:
    """Slot of a client, and whether it is new, as long as nothing changes either; of two in one cell, the later one.

    What is missing has to be asked for again, so the cache changes no result.

    Examples
    --------
    >>> lately = LookupCache()
    >>> keys = np.array([7, 8], np.uint64)
    >>> lately.note(keys, np.array([0, 1]), np.array([True, False]))
    >>> lately.find(np.array([8, 9], np.uint64))
    (array([ 1, -2]), array([False, False]))
    """

    def __init__(self) -> None:
        self._key = np.zeros(1 << CELLS_LOG2, np.uint64)
        self._slot = np.full(1 << CELLS_LOG2, UNRESOLVED)
        self._is_new = np.zeros(1 << CELLS_LOG2, np.bool_)
        self._state: Hashable = None

    def hold_for(self, state: Hashable) -> None:
        """What was found out holds only as long as this state does."""
        if state != self._state:
            self._state = state
            self._slot[:] = UNRESOLVED

    def find(self, keys: KeyArray) -> tuple[IntArray, BoolArray]:
        """Slots, `UNRESOLVED` where nothing is known, and who is new, each (rows,)."""
        if kernel.compiled is not None:
            found, is_new = np.empty(len(keys), np.int64), np.empty(len(keys), np.bool_)
            kernel.compiled.find_clients(keys, self._key, self._slot, self._is_new, found, is_new)
            return found, is_new
        cells = _cells(keys)
        slots = np.where(self._key[cells] == keys, self._slot[cells], UNRESOLVED)
        return slots, self._is_new[cells]

    def note(self, keys: KeyArray, slots: IntArray, is_new: BoolArray) -> None:
        """Keep what was found out about different keys."""
        cells = _cells(keys)
        self._key[cells], self._slot[cells], self._is_new[cells] = keys, slots, is_new


def _cells(keys: KeyArray) -> IntArray:
    return (keys * _MIX >> np.uint64(64 - CELLS_LOG2)).view(np.int64)
