"""When the monitor slept: time for which nothing was observed, so that nothing counts it."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.schemas import TableName
from aiops_nb.core.types import IntArray

LONG_AGO = -(1 << 62)


class Naps:
    """How much of each window the monitor slept, for each table of rows.

    A nap is known as soon as the recorded clock goes on, which is before the rows that come after it. Rows whose own
    times lie within a nap (a log that another machine has written meanwhile) show that their table was observed in
    their windows. Memory: the naps that reach into windows not closed yet.

    Parameters
    ----------
    tick_ns
        Width of a window.

    Examples
    --------
    >>> from aiops_nb.core.types import NS_PER_SECOND
    >>> naps = Naps(tick_ns=NS_PER_SECOND)
    >>> naps.add(100 * NS_PER_SECOND, 110 * NS_PER_SECOND)
    >>> naps.note_rows("requests", np.array([104 * NS_PER_SECOND + 5]))
    >>> [naps.slept_ns(90, 120, table) // NS_PER_SECOND for table in ("requests", "samples", None)]
    [9, 10, 9]
    """

    def __init__(self, tick_ns: int) -> None:
        self._tick_ns = tick_ns
        self._naps: list[tuple[int, int]] = []
        self._newest_ns: dict[TableName | None, int] = {}
        self._begins_ns: dict[tuple[TableName | None, int], int] = {}  # of a nap, after the rows that were known then
        self._observed: dict[TableName | None, set[int]] = {}

    @property
    def any(self) -> bool:
        """Whether a window that is not closed yet was slept in."""
        return bool(self._naps)

    def add(self, fell_ns: int, woke_ns: int) -> None:
        """The monitor slept between these two beats of the clock."""
        self._naps.append((fell_ns, woke_ns))
        for table, newest_ns in self._newest_ns.items():
            self._begins_ns[table, woke_ns] = max(fell_ns, newest_ns)

    def note_rows(self, table: TableName, time_ns: IntArray) -> None:
        """Rows of a table that are used; `time_ns` is (rows,)."""
        newest_ns = int(time_ns.max())
        for one in (table, None):
            self._newest_ns[one] = max(self._newest_ns.get(one, LONG_AGO), newest_ns)
        for fell_ns, woke_ns in self._naps:
            within = time_ns[(time_ns > fell_ns) & (time_ns < woke_ns)]
            if len(within):
                windows = np.unique(within // self._tick_ns).tolist()
                self._observed.setdefault(table, set()).update(windows)
                self._observed.setdefault(None, set()).update(windows)

    def slept_ns(self, first: int, last: int, table: TableName | None = None) -> int:
        """How much of the windows from `first` to before `last` was slept, as a table sees it; None: as all do."""
        observed = self._observed.get(table, set())
        slept_ns = 0
        for fell_ns, woke_ns in self._naps:
            begin_ns = self._begins_ns.get((table, woke_ns), fell_ns)
            slept_ns += self._overlap_ns(begin_ns, woke_ns, first, last)
            inside = [window for window in observed if first <= window < last]
            slept_ns -= sum(self._overlap_ns(begin_ns, woke_ns, window, window + 1) for window in inside)
        return slept_ns

    def _overlap_ns(self, begin_ns: int, end_ns: int, first: int, last: int) -> int:
        return max(min(end_ns, last * self._tick_ns) - max(begin_ns, first * self._tick_ns), 0)

    def forget_before(self, window: int) -> None:
        """The windows before this one are closed."""
        self._naps = [nap for nap in self._naps if nap[1] > window * self._tick_ns]
        ends_ns = {woke_ns for _, woke_ns in self._naps}
        self._begins_ns = {key: begin for key, begin in self._begins_ns.items() if key[1] in ends_ns}
        open_ns = {table: {one for one in seen if one >= window} for table, seen in self._observed.items()}
        self._observed = open_ns if self._naps else {}
