"""When each target is due: spread over its interval, at the same offset in every interval."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import msgspec


class Ticket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One start that is due: which target, when (monotonic seconds), and how often the target was dropped before."""

    index: int
    due_seconds: float
    drops: int = 0


class ProbeSchedule:
    """Hands out the starts of n targets in the order in which they are due; O(log n) a start.

    Target i is first due at start + i/n of its interval, and then at every interval. Starts that are more than one
    interval late (a suspended machine, a starved process) are skipped and counted, so that there is never a burst to
    catch up. Targets may be added, dropped and restored at any time. Not thread-safe: the caller holds a lock.

    Examples
    --------
    >>> schedule = ProbeSchedule([1.0, 1.0], start_seconds=10.0)
    >>> [(t.index, t.due_seconds) for t in (schedule.take(10.0), schedule.take(10.0), schedule.take(10.0))]
    [(0, 10.0), (1, 10.5), (0, 11.0)]
    >>> schedule.take(20.0), schedule.missed_total
    (Ticket(index=0, due_seconds=19.0, drops=0), 15)
    >>> schedule.drop(0)
    >>> schedule.drop(1)
    >>> schedule.take(20.0), schedule.add(5.0, 20.0), schedule.take(20.0)
    (None, 2, Ticket(index=2, due_seconds=20.0, drops=0))
    """

    def __init__(self, intervals_seconds: Sequence[float], start_seconds: float) -> None:
        self.missed_total = 0
        self._intervals_seconds = list(intervals_seconds)
        count = len(self._intervals_seconds)
        self._first_seconds = [start_seconds + i / count * every for i, every in enumerate(self._intervals_seconds)]
        self._rounds = [0] * count
        self._drops = [0] * count
        self._due = [(due_seconds, index) for index, due_seconds in enumerate(self._first_seconds)]
        heapq.heapify(self._due)

    def add(self, interval_seconds: float, now_seconds: float) -> int:
        """One more target, due now; its number."""
        self._intervals_seconds.append(interval_seconds)
        self._first_seconds.append(now_seconds)
        self._rounds.append(0)
        self._drops.append(0)
        index = len(self._rounds) - 1
        heapq.heappush(self._due, (now_seconds, index))
        return index

    def drop(self, index: int) -> None:
        """Give no more starts of a target; those that were taken already are out of date."""
        self._drops[index] += 1
        self._due = [entry for entry in self._due if entry[1] != index]
        heapq.heapify(self._due)

    def restore(self, index: int, now_seconds: float) -> None:
        """A target that was dropped is due now, and at every interval from here on."""
        self._first_seconds[index] = now_seconds
        self._rounds[index] = 0
        heapq.heappush(self._due, (now_seconds, index))

    def is_current(self, ticket: Ticket) -> bool:
        """Whether its target was not dropped since it was taken."""
        return ticket.drops == self._drops[ticket.index]

    def take(self, now_seconds: float) -> Ticket | None:
        """The next start; it may lie in the past by up to one interval. None: there is no target."""
        if not self._due:
            return None
        due_seconds, index = self._due[0]
        while now_seconds - due_seconds > self._intervals_seconds[index]:
            self._skip(now_seconds)
            due_seconds, index = self._due[0]
        self._advance(index, 1)
        return Ticket(index=index, due_seconds=due_seconds, drops=self._drops[index])

    @property
    def next_due_seconds(self) -> float:
        """When the start that `take` would give is due; infinite if there is no target."""
        return self._due[0][0] if self._due else math.inf

    def _skip(self, now_seconds: float) -> None:
        due_seconds, index = self._due[0]
        missed = max(1, math.ceil((now_seconds - due_seconds) / self._intervals_seconds[index] - 1))
        self.missed_total += missed
        self._advance(index, missed)

    def _advance(self, index: int, rounds: int) -> None:
        self._rounds[index] += rounds
        due_seconds = self._first_seconds[index] + self._rounds[index] * self._intervals_seconds[index]
        heapq.heapreplace(self._due, (due_seconds, index))
