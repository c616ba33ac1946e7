"""A batch of one source while it is taken in: which of its rows come late, and which from the future."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aiops_nb.core.types import BoolArray, IntArray

NS_PER_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Rows whose time is not where it should be, and by how much all of them together."""

    rows: int = 0
    milliseconds: int = 0

    @classmethod
    def of(cls, off_ns: IntArray) -> Misplaced:
        """Of rows that are so far off, (rows,).

        Examples
        --------
        >>> Misplaced.of(np.array([2_000_000, 3_999_999]))
        Misplaced(rows=2, milliseconds=5)
        """
        return cls(len(off_ns), int((off_ns // NS_PER_MILLISECOND).sum()))


NONE = Misplaced()
Count = Callable[[int, Misplaced, Misplaced], None]


class Arrivals:
    """Counts the rows of a batch in their order, part by part.

    Rows too far ahead to be used travel with the used row before them, so that the counts do not depend on the cut.

    Parameters
    ----------
    count
        Takes rows, those late, those of the future.
    unused
        Which rows of the whole batch are not used, (all rows,); None: all are.
    future_ns
        How far each row of the whole batch lies in the future, <= 0 if it does not, (all rows,); None: none does.
    """

    def __init__(self, count: Count, unused: BoolArray | None, future_ns: IntArray | None) -> None:
        self._count, self._future_ns = count, future_ns
        self._used: IntArray | None = None if unused is None else np.cumsum(~unused)
        if self._used is not None:
            self._add(0, int(np.searchsorted(self._used, 1)), NONE)

    def take(self, first: int, last: int, late_ns: IntArray | None) -> None:
        """Count the used rows [first, last); `late_ns` is of those that are late."""
        late = NONE if late_ns is None else Misplaced.of(late_ns)
        if self._used is not None:
            first, last = np.searchsorted(self._used, (first + 1, last + 1)).tolist()
        self._add(first, last, late)

    def _add(self, first: int, last: int, late: Misplaced) -> None:
        future = NONE
        if self._future_ns is not None:
            off = self._future_ns[first:last]
            future = Misplaced.of(off[off > 0])
        if last > first:
            self._count(last - first, late, future)
