"""Whole-number totals of slots over a sliding span of closed windows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import IntArray
from aiops_nb.features.accumulate import count_into

Amounts = tuple[IntArray, IntArray | None]
"""Slots of rows, and what each adds; None: 1."""


class SlotTotals:
    """Columns of totals; a slot that is given to another name starts again.

    Closed windows are kept by the slots that were touched only, so that memory follows the traffic.

    Parameters
    ----------
    columns
        Number of totals of each slot; the first is not 0 where any other is not.
    span_ticks
        Windows in the span.

    Examples
    --------
    >>> totals = SlotTotals(1, span_ticks=2)
    >>> for window in range(3):
    ...     totals.add(window, [(np.array([0, 1]), None)])
    ...     totals.close(window)
    >>> totals.of(2)
    array([[2, 2]])
    """

    def __init__(self, columns: int, span_ticks: int) -> None:
        self._columns, self._span_ticks = columns, span_ticks
        self._capacity = 64
        self._total = np.zeros((columns, self._capacity), np.int64)
        self._since = np.zeros(self._capacity, np.int64)
        self._open: dict[int, IntArray] = {}
        self._closed: deque[tuple[int, IntArray, IntArray]] = deque()

    def make_room(self, count: int) -> None:
        """Hold at least `count` slots."""
        capacity = capacity_for(count, self._capacity)
        if capacity > self._capacity:
            self._capacity = capacity
            self._total, self._since = widened(self._total, capacity), widened(self._since, capacity)
            self._open = {window: widened(totals, capacity) for window, totals in self._open.items()}

    def add(self, window: int, columns: Sequence[Amounts]) -> None:
        """Add rows of an open window to each column."""
        totals = self._open.get(window)
        if totals is None:
            totals = self._open[window] = np.zeros((self._columns, self._capacity), np.int64)
        for total, (slots, amounts) in zip(totals, columns, strict=True):
            if amounts is not None:
                np.add.at(total, slots, amounts)
            elif len(slots):
                count_into(total, slots)

    def close(self, window: int) -> None:
        """Take the next window into the span, and let go of what leaves it."""
        entering = self._open.pop(window, None)
        if entering is not None:
            places = np.flatnonzero(entering[0] != 0)
            values = entering.take(places, axis=1)
            for total, amounts in zip(self._total, values, strict=True):
                np.add.at(total, places, amounts)
            self._closed.append((window, places, values))
        while self._closed and self._closed[0][0] <= window - self._span_ticks:
            self._let_go(*self._closed.popleft())

    def _let_go(self, window: int, places: IntArray, values: IntArray) -> None:
        own = self._since[places] <= window
        if not own.all():
            places, values = places[own], values[:, own]
        for total, amounts in zip(self._total, values, strict=True):
            np.subtract.at(total, places, amounts)

    def of(self, count: int) -> IntArray:
        """Totals over the span of the first `count` slots, (columns, count); a view, good until the next row."""
        self.make_room(count)
        return self._total[:, :count]

    def with_open(self, count: int) -> IntArray:
        """The first total, over the span and over windows that are still open, (count,)."""
        return sum((totals[0, :count] for totals in self._open.values()), self.of(count)[0])

    def forget(self, slots: IntArray, window: int) -> None:
        """The slots are given up after this window; what they added in open windows goes with them."""
        self._total[:, slots] = 0
        self._since[slots] = window + 1
        for totals in self._open.values():
            totals[:, slots] = 0
