"""Worker threads that each wait for one start, ask one target, and hand over what they found."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from aiops_nb.collect.http.attempt import ProbedTarget
from aiops_nb.collect.http.result import Outcome, ProbeResult
from aiops_nb.collect.http.schedule import ProbeSchedule, Ticket
from aiops_nb.core.clock import Clock

_LOGGER = logging.getLogger(__name__)
_ASSUMED_SECONDS = 0.05
_HANDLING_SECONDS = 0.02  # around each transfer: waits for the interpreter lock, mostly
_LATE_SECONDS = 0.05
_SHORT_SECONDS = 1.5
_MAX_NEW_THREADS = 16  # a thread is slow to start where many compete, and meanwhile nobody polls
_IDLE_SECONDS = 0.25  # between looks for a target, where there is none to ask
_JOIN_SECONDS = 2.0  # libcurl looks about once a second whether it should abort


class ProbePool:
    """Twice the threads that targets x latency / interval needs, and more when starts come late, up to `max_threads`.

    Parameters
    ----------
    targets
        The targets, in the order of the schedule; `add` adds to this list.
    intervals_seconds
        The interval of each target.
    clock
        Stamps the start of each transfer; the end is the start plus what the transfer measured.
    emit
        Takes each result, from any of the threads.
    closing
        Set to end: waiting threads leave at once, running transfers when they can be aborted or time out.
    max_threads
        Never more threads than this, nor more than targets.
    """

    def __init__(
        self,
        targets: list[ProbedTarget],
        *,
        intervals_seconds: Sequence[float],
        clock: Clock,
        emit: Callable[[ProbeResult], None],
        closing: threading.Event,
        max_threads: int,
    ) -> None:
        self.skipped_total = 0
        self.failed_total = 0
        self._targets = targets
        self._clock = clock
        self._emit = emit
        self._closing = closing
        self._most_threads = max_threads
        self._schedule = ProbeSchedule(intervals_seconds, clock.monotonic_seconds())
        self._lock = threading.Lock()
        self._gate = threading.Lock()  # what threads wait for between starts: one call, where an Event needs dozens
        self._gate.acquire()
        self._threads: list[threading.Thread] = []
        self._lags: deque[float] = deque(maxlen=len(targets))
        self._durations: deque[float] = deque(maxlen=len(targets))
        self._rates_hz = [1 / interval_seconds for interval_seconds in intervals_seconds]
        self._grow_to(self._needed(_ASSUMED_SECONDS))

    @property
    def counters(self) -> dict[str, float]:
        """The largest start lag of the last start of each target, and totals."""
        with self._lock:
            return {
                "start_lag_seconds": max(self._lags.copy(), default=0.0),
                "skipped_total": self.skipped_total,
                "failed_total": self.failed_total,
                "missed_total": self._schedule.missed_total,
                "threads": len(self._threads),
            }

    def add(self, target: ProbedTarget, interval_seconds: float) -> None:
        """Ask one more target, at once and then at every interval."""
        with self._lock:
            self._targets.append(target)
            self._rates_hz.append(1 / interval_seconds)
            self._schedule.add(interval_seconds, self._clock.monotonic_seconds())
            self._grow_to(len(self._threads) + 1)  # all others may wait for a start that is far away

    def drop(self, index: int) -> None:
        """Ask a target no more, until it is restored; the outcome of a transfer that runs now is not given."""
        with self._lock:
            self._targets[index].is_asked = False
            self._schedule.drop(index)

    def restore(self, index: int) -> None:
        """Ask a target again that was dropped."""
        with self._lock:
            self._targets[index].is_asked = True
            self._schedule.restore(index, self._clock.monotonic_seconds())
            self._grow_to(len(self._threads) + 1)

    def close(self) -> None:
        """End the threads; one that hangs in a transfer which cannot be aborted ends at its timeout."""
        self._closing.set()
        with suppress(RuntimeError):  # it is open
            self._gate.release()
        deadline = self._clock.monotonic_seconds() + _JOIN_SECONDS
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - self._clock.monotonic_seconds()))
        for target in self._targets:
            if not target.turn.locked():
                target.transfer.close()

    def grow(self, results: Sequence[ProbeResult]) -> None:
        """Add threads if a start is overdue that no thread has taken; called by the one who polls.

        By measured latency, because starts are also late when the interpreter is busy, and more threads make that
        worse; without any result (all hang) by a quarter.
        """
        self._durations.extend(result.outcome.duration_seconds for result in results)
        with self._lock:
            overdue_seconds = self._clock.monotonic_seconds() - self._schedule.next_due_seconds
        if overdue_seconds > _LATE_SECONDS:
            mean_seconds = sum(self._durations) / max(1, len(self._durations))
            needed = self._needed(mean_seconds) if results else len(self._threads) * 5 // 4 + 1
            with self._lock:
                self._grow_to(min(needed, len(self._threads) + _MAX_NEW_THREADS))

    def _needed(self, latency_seconds: float) -> int:
        return 1 + math.ceil(2 * sum(self._rates_hz) * (latency_seconds + _HANDLING_SECONDS))

    def _grow_to(self, count: int) -> None:
        for place in range(len(self._threads), min(count, len(self._targets), self._most_threads)):
            thread = threading.Thread(target=self._work, name=f"aiops-probe-{place}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        handle = self._targets[0].transfer.make_handle()
        while not self._closing.is_set():
            ticket = self._take()
            now_seconds = self._clock.monotonic_seconds()
            wait_seconds = _IDLE_SECONDS if ticket is None else ticket.due_seconds - now_seconds
            if wait_seconds > 0 and self._gate.acquire(timeout=wait_seconds):
                self._gate.release()  # for the next who waits
                break
            if ticket is not None and self._is_current(ticket):
                self._probe(self._targets[ticket.index], ticket.due_seconds, handle)
        handle.close()

    def _take(self) -> Ticket | None:
        with self._lock:
            return self._schedule.take(self._clock.monotonic_seconds())

    def _is_current(self, ticket: Ticket) -> bool:
        with self._lock:
            return self._schedule.is_current(ticket)

    def _probe(self, target: ProbedTarget, due_seconds: float, handle: Any) -> None:
        if not target.turn.acquire(blocking=False):
            with self._lock:
                self.skipped_total += 1
            return
        self._lags.append(self._clock.monotonic_seconds() - due_seconds)
        try:
            if target.wants_another(self._ask(target, handle)) and not self._closing.is_set():
                self._ask(target, handle)
        except Exception:  # a fault of ours in one target must not end the thread that serves the others
            self.failed_total += 1
            _LOGGER.exception("probe of %s failed to run", target.name)
        finally:
            target.turn.release()

    def _ask(self, target: ProbedTarget, handle: Any) -> Outcome:
        start_ns = self._clock.now_ns()
        outcome = target.transfer.run(handle, may_abort=target.is_slow)
        target.is_slow = outcome.duration_seconds > _SHORT_SECONDS
        end_ns = start_ns + round(outcome.duration_seconds * 1e9)
        if self._closing.is_set() or not target.is_asked:  # it may have been aborted
            return outcome
        judged = target.judge(outcome, end_ns)
        self._emit(ProbeResult(time_ns=end_ns, target=target.name, method=target.method, outcome=judged))
        return judged
