"""When each target is due: spread over the interval, each at the same offset in every interval."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One start that is due: which target, when (monotonic seconds)."""

    index: int
    due_seconds: float


class ProbeSchedule:
    """Hands out the starts of n targets in order: target i is due at start + i/n intervals, and then at every interval.

    Starts that are more than one interval late (a suspended machine, a starved process) are skipped and counted, so
    that there is never a burst to catch up. Not thread-safe: the caller holds a lock.

    Examples
    --------
    >>> schedule = ProbeSchedule(2, every_seconds=1.0, start_seconds=10.0)
    >>> [(t.index, t.due_seconds) for t in (schedule.take(10.0), schedule.take(10.0), schedule.take(10.0))]
    [(0, 10.0), (1, 10.5), (0, 11.0)]
    >>> schedule.take(20.0), schedule.missed_total
    (Ticket(index=0, due_seconds=19.0), 15)
    """

    def __init__(self, targets: int, every_seconds: float, start_seconds: float) -> None:
        self.missed_total = 0
        self._targets = targets
        self._every_seconds = every_seconds
        self._start_seconds = start_seconds
        self._next = 0

    def take(self, now_seconds: float) -> Ticket:
        """The next start; it may lie in the past by up to one interval."""
        oldest = math.ceil(
            (now_seconds - self._every_seconds - self._start_seconds) / self._every_seconds * self._targets
        )
        if oldest > self._next:
            self.missed_total += oldest - self._next
            self._next = oldest
        ticket = Ticket(index=self._next % self._targets, due_seconds=self.next_due_seconds)
        self._next += 1
        return ticket

    @property
    def next_due_seconds(self) -> float:
        """When the start that `take` would give is due."""
        return self._start_seconds + self._next * self._every_seconds / self._targets
