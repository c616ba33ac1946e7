"""Which clients were seen before, in a fixed amount of memory.

By hand: Bloom filters of libraries take a key a call, forget nothing, or salt their hash.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from aiops_nb.core.types import BoolArray

ByteArray = npt.NDArray[np.uint8]
HASHES = 3
CACHED_CELLS = 1 << 16
FULL_RATIO = 0.5
_KNOWN, _KNOWN_BEFORE, _STILL_HERE, _NEW, _NEW_BEFORE = (np.uint8(1 << bit) for bit in range(5))


class KnownClients:
    """A Bloom filter (Bloom 1970) in two generations, and those who have just come apart from it.

    Whoever comes is new until `new_ticks` later, at most twice that, and then known. A generation ends after
    `known_ticks`, or when half of its cells are taken; the one before it is forgotten. So a client is known for one to
    two generations after its last request, and never for longer. About 1 in 8 new clients is taken for known when a
    generation is full, far fewer before. The hash is fixed: the same stream gives the same answers.

    What is noted counts from the end of a window on, so that the order within it does not matter.

    Parameters
    ----------
    cells
        Bytes of the map, a power of two. A bit of each for each set of clients: the processor fetches a cell once.
    new_ticks, known_ticks
        Windows, see above.

    Examples
    --------
    >>> known = KnownClients(cells=1024, new_ticks=1, known_ticks=100)
    >>> for window in range(3):
    ...     print(known.note(np.array([7], np.uint64)))
    ...     known.tick(learn=True)
    [ True]
    [ True]
    [False]
    """

    def __init__(self, cells: int, new_ticks: int, known_ticks: int) -> None:
        self._mask = np.uint64(cells - 1)
        self._new_ticks, self._known_ticks = new_ticks, known_ticks
        self._cells = np.zeros(cells, np.uint8)
        self._age = self._new_age = 0
        self._may_learn = True
        self.generation = 0

    def note(self, keys: npt.NDArray[np.uint64]) -> BoolArray:
        """Whether each client is new, (n,); all are noted as having come."""
        places = self._places(keys)
        found = np.bitwise_and.reduce(self._cells[places])
        is_new_client: BoolArray = (found & (_KNOWN | _KNOWN_BEFORE)) == 0
        is_back = (found & (_KNOWN | _KNOWN_BEFORE)) == _KNOWN_BEFORE
        self._cells[places[:, np.flatnonzero(is_back)]] |= _STILL_HERE
        self._cells[places[:, np.flatnonzero(is_new_client)]] |= _NEW
        return is_new_client

    def _places(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Places of each key, (HASHES, n), by double hashing (Kirsch and Mitzenmacher 2006)."""
        first = _mixed(keys)
        step = (first >> np.uint64(32)) | np.uint64(1)
        return np.stack([(first + np.uint64(i) * step) & self._mask for i in range(HASHES)]).view(np.int64)

    def newcomers_total(self) -> int:
        """About how many different clients are new, from how many cells are taken (Swamidass and Baldi 2007)."""
        cells = len(self._cells)
        taken = min(self._count(_NEW | _NEW_BEFORE), cells - 1)
        return round(-cells / HASHES * math.log(1 - taken / cells))

    def tick(self, learn: bool) -> None:
        """End of a window; whoever is new when `learn` is false stays new."""
        self._age, self._new_age = self._age + 1, self._new_age + 1
        self._may_learn &= learn
        if self._new_age >= self._new_ticks:
            self._turn()

    def _turn(self) -> None:
        self._new_age = 0
        self.generation += 1
        for cells in self._blocks():
            cells[:] = _learned(cells) if self._may_learn else cells & (_KNOWN | _KNOWN_BEFORE | _NEW_BEFORE)
        self._may_learn = True
        if self._age >= self._known_ticks or self._count(_KNOWN) >= FULL_RATIO * len(self._cells):
            self._age = 0
            for cells in self._blocks():
                cells[:] = (cells & _NEW_BEFORE) | _moved(cells, _KNOWN, _KNOWN_BEFORE)

    def _blocks(self) -> ByteArray:
        """All cells, in rows that stay in the processor's cache."""
        return self._cells.reshape(-1, min(CACHED_CELLS, len(self._cells)))

    def _count(self, bits: np.uint8) -> int:
        return sum(int(np.count_nonzero(cells & bits)) for cells in self._blocks())


def _learned(cells: ByteArray) -> ByteArray:
    """Whoever was known is, and so is whoever came one to two turns ago, or is back; who is new waits for a turn."""
    known: ByteArray = cells & (_KNOWN | _KNOWN_BEFORE)
    known |= _moved(cells, _NEW_BEFORE, _KNOWN)
    known |= _moved(cells, _STILL_HERE, _KNOWN)
    known |= _moved(cells, _NEW, _NEW_BEFORE)
    return known


def _moved(cells: ByteArray, bit: np.uint8, to: np.uint8) -> ByteArray:
    """The bit `to` where `bit` is set, by a shift: to look for the cells would take five times as long."""
    chosen, places = cells & bit, int(to).bit_length() - int(bit).bit_length()
    moved: ByteArray = chosen << np.uint8(places) if places > 0 else chosen >> np.uint8(-places)
    return moved


def _mixed(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Finaliser of splitmix64 (Steele, Lea and Flood 2014): every bit of the key moves half of those of the hash."""
    mixed = keys + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
