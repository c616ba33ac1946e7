"""Which items come, and how far windows close with them: so that many windows can be closed at once.

It only looks: every item is still pushed, one after the other, and moves the real state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import times_ns
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.schemas import CLOCK_SOURCE, SELF_SOURCE
from aiops_nb.core.types import IntArray, Item
from aiops_nb.engine.observed import ObservedTime
from aiops_nb.engine.watermark import Watermarks
from aiops_nb.features.params import WindowParams

MOST_WINDOWS, MOST_CELLS, MOST_ROWS = 60, 1 << 13, 1 << 15
MOST_ITEMS = 4 * MOST_WINDOWS


@dataclass(slots=True)
class Ahead:
    """Items that may be looked at together: of each, the window up to which windows are closed after it.

    None of their rows of requests is late or too far ahead, no command is among them, nothing was slept and no window
    is jumped over. `requests` are the places of those that hold requests, `windows` the windows of their rows.
    """

    ends: list[int] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    windows: list[IntArray] = field(default_factory=list)

    def batches(self, items: Sequence[Item]) -> list[pa.RecordBatch]:
        """Those with requests."""
        return [items[place].batch for place in self.requests]

    def cut(self, count: int) -> None:
        """Keep the first items only."""
        self.ends = self.ends[:count]
        self.requests = [place for place in self.requests if place < count]
        self.windows = self.windows[: len(self.requests)]


class LookAhead:
    """Follows the watermark and the windows through items, as the pipeline will; see `Ahead`.

    Parameters
    ----------
    params
        How the stream is cut into windows.
    watermarks, observed
        Of the pipeline; they are not changed.
    next_window, newest
        The next window to close, and the newest with a row.
    """

    def __init__(
        self, params: WindowParams, watermarks: Watermarks, observed: ObservedTime, next_window: int, newest: int
    ) -> None:
        self._tick_ns, self._gap_ticks = params.tick_ns, max(params.gap_ticks, params.span_ticks)
        self._watermarks, self._observed = watermarks.copy(), observed
        self._clock_ns = observed.clock_ns
        self._next, self._newest = next_window, newest

    def over(self, items: Sequence[Item], most_windows: int) -> Ahead:
        """As many of the items as can be, closing so many windows at most."""
        ahead, limit, rows = Ahead(), self._next + most_windows, 0
        for place, item in enumerate(items):
            is_control = item.table == "control"
            closed = self._closed_by_control(item) if is_control else self._closed_by_rows(item, ahead, place)
            rows += item.batch.num_rows
            if closed is None or closed > limit or (rows > MOST_ROWS and place):
                ahead.cut(place)
                return ahead
            self._next = max(self._next, closed)
            ahead.ends.append(self._next)
        return ahead

    def _closed_by_control(self, item: Item) -> int | None:
        """The window before which a heartbeat closes all; None of other control items."""
        time_ns = heartbeat_ns(item)
        if time_ns is None:
            return None
        if item.source == CLOCK_SOURCE:
            if self._observed.would_wake(self._clock_ns, time_ns):
                return None
            self._clock_ns = max(time_ns, self._clock_ns or time_ns)
        return self._without_jump(self._watermarks.after_heartbeat(item.source, time_ns) // self._tick_ns)

    def _closed_by_rows(self, item: Item, ahead: Ahead, place: int) -> int | None:
        if not item.batch.num_rows or item.source == SELF_SOURCE:
            return self._next if item.table != "requests" or not item.batch.num_rows else None
        time = times_ns(item.batch.column("time"))
        if self._watermarks.too_far_ahead(time) is not None:
            return None
        closed = self._watermarks.after_rows(item.source, time) // self._tick_ns
        window = time // self._tick_ns
        last = self._without_jump(int(closed[-1]))
        if item.table == "requests":
            if (window < np.maximum(closed, self._next)).any():
                return None
            ahead.requests.append(place)
            ahead.windows.append(window)
        self._newest = max(self._newest, int(window.max()))
        return last

    def _without_jump(self, end: int) -> int | None:
        return None if end > max(self._newest + 1, self._next) + self._gap_ticks else end


def pieces_of(item: Item, longest_ns: int) -> list[Item]:
    """The item, cut into pieces of so much time if it covers more than two of them.

    Examples
    --------
    >>> from aiops_nb.core.schemas import make_batch
    >>> batch = make_batch("requests", "demo", {"time": [0, 5, 10, 15, 31], "origin": "probe", "target": ["a"] * 5})
    >>> [piece.batch.num_rows for piece in pieces_of(Item(0, "requests", "demo", batch), longest_ns=10)]
    [2, 2, 1]
    """
    time = times_ns(item.batch.column("time"))
    if int(time[-1]) - int(time[0]) <= 2 * longest_ns:
        return [item]
    piece = (np.maximum.accumulate(time) - time[0]) // longest_ns
    edges = [0, *(np.flatnonzero(piece[1:] > piece[:-1]) + 1).tolist(), len(time)]
    parts = (item.batch.slice(first, last - first) for first, last in pairwise(edges))
    return [Item(item.seq, item.table, item.source, part) for part in parts]


def grouped(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Groups of items in their order, to be pushed many at once; a command is the last of its group.

    If an item cannot be read, those before it come first.
    """
    held: list[Item] = []
    rows = 0
    try:
        for item in items:
            held.append(item)
            rows += item.batch.num_rows
            is_command = item.table == "control" and heartbeat_ns(item) is None
            if is_command or len(held) >= MOST_ITEMS or rows >= MOST_ROWS:
                group, held, rows = held, [], 0
                yield group
    except (AiopsError, OSError):
        if held:
            yield held
        raise
    if held:
        yield held


def heartbeat_ns(item: Item) -> int | None:
    """The time of an item that is one heartbeat; None of any other control item."""
    if item.batch.num_rows != 1 or item.batch.column("kind")[0].as_py() != "heartbeat":
        return None
    return int(times_ns(item.batch.column("time"))[0])
