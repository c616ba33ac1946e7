"""How far event time has got: the minimum over the live sources (Akidau et al. 2015, The Dataflow Model)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aiops_nb.core.schemas import CLOCK_SOURCE, SELF_SOURCE
from aiops_nb.core.types import BoolArray, IntArray
from aiops_nb.features.params import WindowParams

BEGINNING = -(1 << 62)


class Watermarks:
    """Watermark of the stream from the rows and heartbeats of its sources.

    A source's own watermark is its largest time less the lateness, or its heartbeat. The stream's is the minimum over
    live sources, but never more than `idle_seconds` behind the foremost. A source is live while it was heard of within
    `idle_seconds` of the recorded clock (heartbeats of the source named `clock`); expected sources hold the windows
    from the start until they go idle. The monitor's samples of itself (source `aiops_nb`) move nothing: they are
    stamped with now, which may lie far from the times of what is observed.

    Parameters
    ----------
    params
        The rules of lateness.
    expected
        Sources known to come.
    """

    def __init__(self, params: WindowParams, expected: Iterable[str] = ()) -> None:
        self._lateness_ns, self._idle_ns, self._ahead_ns = params.lateness_ns, params.idle_ns, params.ahead_ns
        self._own: dict[str, int] = {name: BEGINNING for name in expected if name != SELF_SOURCE}
        self._heard: dict[str, int | None] = dict.fromkeys(self._own)
        self._clock: int | None = None

    def copy(self) -> Watermarks:
        """The same state, to look ahead with."""
        other = Watermarks.__new__(Watermarks)
        other._lateness_ns, other._idle_ns, other._ahead_ns = self._lateness_ns, self._idle_ns, self._ahead_ns
        other._own, other._heard, other._clock = dict(self._own), dict(self._heard), self._clock
        return other

    def too_far_ahead(self, time_ns: IntArray) -> BoolArray | None:
        """Rows with timestamps ahead of the recorded clock, (rows,); None if there are none."""
        if self._clock is None or int(time_ns.max()) <= self._clock + self._ahead_ns:
            return None
        ahead: BoolArray = time_ns > self._clock + self._ahead_ns
        return ahead

    def ahead_of_clock_ns(self, time_ns: IntArray, more_than_ns: int) -> IntArray | None:
        """How much more than that rows are ahead of the recorded clock, (rows,); None if none are or no clock is."""
        if self._clock is None or not len(time_ns) or int(time_ns.max()) <= self._clock + more_than_ns:
            return None
        return time_ns - (self._clock + more_than_ns)

    def after_rows(self, source: str, time_ns: IntArray) -> IntArray:
        """The stream's watermark after each row of one source, (rows,), never falling."""
        if source == SELF_SOURCE:
            return np.full(len(time_ns), self._unmoved())
        previous = self._own.get(source, BEGINNING)
        own = np.maximum.accumulate(np.maximum(time_ns - self._lateness_ns, previous))
        self._hear(source, int(own[-1]))
        others = self._lowest_other(source)
        return own if others is None else np.maximum(np.minimum(own, others), own - self._idle_ns)

    def after_heartbeat(self, source: str, time_ns: int) -> int:
        """The stream's watermark after a heartbeat; of the clock too, which holds nothing itself."""
        if source == CLOCK_SOURCE:
            return self._after_clock(time_ns)
        if source == SELF_SOURCE:
            return self._unmoved()
        self._hear(source, max(self._own.get(source, BEGINNING), time_ns))
        others = self._lowest_other(source)
        own = self._own[source]
        return own if others is None else max(min(own, others), own - self._idle_ns)

    def woke(self, slept_ns: int) -> None:
        """The monitor had slept for so long: its sources have the full idle time to be heard of again."""
        self._heard = {name: None if heard is None else heard + slept_ns for name, heard in self._heard.items()}

    def forget(self, source: str) -> None:
        """The source has ended and holds nothing any more."""
        self._own.pop(source, None)

    def _unmoved(self) -> int:
        lowest = self._lowest_other(SELF_SOURCE)
        return BEGINNING if lowest is None else lowest

    def _after_clock(self, time_ns: int) -> int:
        first = self._clock is None
        self._clock = time_ns if first else max(time_ns, self._clock or 0)
        if first:
            self._heard = {name: self._clock if heard is None else heard for name, heard in self._heard.items()}
        lowest = self._lowest_other(CLOCK_SOURCE)
        return self._clock - self._idle_ns if lowest is None else lowest

    def _hear(self, source: str, own: int) -> None:
        self._own[source] = own
        self._heard[source] = self._clock

    def _lowest_other(self, source: str) -> int | None:
        live = [own for name, own in self._own.items() if name != source and self._is_live(name)]
        return min(live) if live else None

    def _is_live(self, source: str) -> bool:
        heard = self._heard[source]
        return self._clock is None or heard is None or self._clock - heard <= self._idle_ns
