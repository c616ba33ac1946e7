"""When each target is due: spread over its interval, at the same offset in every interval."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import msgspec


class Ticket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One start that is due: which target, when (monotonic seconds)."""

    index: int
    due_seconds: float


class ProbeSchedule:
    """Hands out the starts of n targets in the order in which they are due; O(log n) a start.

    Target i is first due at start + i/n of its interval, and then at every interval. Starts that are more than one
    interval late (a suspended machine, a starved process) are skipped and counted, so that there is never a burst to
    catch up. Not thread-safe: the caller holds a lock.

    Examples
    --------
    >>> schedule = ProbeSchedule([1.0, 1.0], start_seconds=10.0)
    >>> [(t.index, t.due_seconds) for t in (schedule.take(10.0), schedule.take(10.0), schedule.take(10.0))]
    [(0, 10.0), (1, 10.5), (0, 11.0)]
    >>> schedule.take(20.0), schedule.missed_total
    (Ticket(index=0, due_seconds=19.0), 15)
    """

    def __init__(self, intervals_seconds: Sequence[float], start_seconds: float) -> None:
        self.missed_total = 0
        self._intervals_seconds = tuple(intervals_seconds)
        count = len(self._intervals_seconds)
        self._first_seconds = [start_seconds + i / count * every for i, every in enumerate(self._intervals_seconds)]
        self._rounds = [0] * count
        self._due = [(due_seconds, index) for index, due_seconds in enumerate(self._first_seconds)]
        heapq.heapify(self._due)

    def take(self, now_seconds: float) -> Ticket:
        """The next start; it may lie in the past by up to one interval."""
        due_seconds, index = self._due[0]
        while now_seconds - due_seconds > self._intervals_seconds[index]:
            self._skip(now_seconds)
            due_seconds, index = self._due[0]
        self._advance(index, 1)
        return Ticket(index=index, due_seconds=due_seconds)

    @property
    def next_due_seconds(self) -> float:
        """When the start that `take` would give is due."""
        return self._due[0][0]

    def _skip(self, now_seconds: float) -> None:
        due_seconds, index = self._due[0]
        missed = max(1, math.ceil((now_seconds - due_seconds) / self._intervals_seconds[index] - 1))
        self.missed_total += missed
        self._advance(index, missed)

    def _advance(self, index: int, rounds: int) -> None:
        self._rounds[index] += rounds
        due_seconds = self._first_seconds[index] + self._rounds[index] * self._intervals_seconds[index]
        heapq.heapreplace(self._due, (due_seconds, index))
