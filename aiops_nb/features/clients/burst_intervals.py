"""Intervals between bursts of requests: what is sent by a machine comes at regular ones."""

from __future__ import annotations

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, IntArray

NEVER = -(1 << 62)
BURST_NS, LONGEST_NS = NS_PER_SECOND // 5, 60 * NS_PER_SECOND
UNIT_NS = NS_PER_SECOND // 100


class Pulses:
    """Finds where bursts begin, and the time since the burst before, for many slots at once.

    A row begins a burst if it comes more than 0.2 s after the row before it in the same slot. Where times are whole
    seconds, as in most access logs, neighbouring seconds say nothing about the time between: there it is 1 s.
    Rows of a slot that go back in time begin nothing.
    """

    def __init__(self, capacity: int) -> None:
        self._last_row, self._last_burst = np.full(capacity, NEVER), np.full(capacity, NEVER)

    def intervals(self, slots: IntArray, time_ns: IntArray) -> tuple[IntArray, IntArray]:
        """Rows that end an interval of at most 60 s, in any order, and its length in units of 10 ms."""
        if kernel.compiled is not None:
            rows, units = np.empty(len(slots), np.int64), np.empty(len(slots), np.int64)
            columns = (slots, time_ns, self._last_row, self._last_burst)
            found = kernel.compiled.burst_intervals(*columns, rows, units)
            return rows[:found], units[:found]
        order = np.argsort(slots.astype(np.uint16), kind="stable")  # 16 bits are sorted by counting
        slot, time = slots[order], time_ns[order]
        gap = time - _before(slot, time, self._last_row)
        begins = np.flatnonzero(gap > np.where(time % NS_PER_SECOND == 0, NS_PER_SECOND, BURST_NS))
        slot, time = slot[begins], time[begins]
        interval = time - _before(slot, time, self._last_burst)
        counts = (interval > 0) & (interval <= LONGEST_NS)
        return order[begins[counts]], interval[counts] // UNIT_NS

    def forget(self, slots: IntArray) -> None:
        """The slots are given up."""
        self._last_row[slots] = self._last_burst[slots] = NEVER


def _before(slot: IntArray, time: IntArray, last: IntArray) -> IntArray:
    """Time of the row before in the same slot; `last` holds it for the first row of each, and takes the last."""
    if not len(slot):
        return time
    first: BoolArray = np.append(True, slot[1:] != slot[:-1])
    before = np.append(0, time[:-1])
    before[first] = last[slot[first]]
    final = np.append(first[1:], True)
    last[slot[final]] = time[final]
    return before
