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
_JOIN_SECONDS = 2.0  # libcurl looks about once a second whether it should abort


class ProbePool:
    """Twice the threads that targets x latency / interval needs, and more when starts come late, up to `max_threads`.

    Parameters
    ----------
    targets
        The targets, in the order of the schedule.
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
        targets: Sequence[ProbedTarget],
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
        self._max_threads = min(len(targets), max_threads)
        self._schedule = ProbeSchedule(intervals_seconds, clock.monotonic_seconds())
        self._lock = threading.Lock()
        self._gate = threading.Lock()  # what threads wait for between starts: one call, where an Event needs dozens
        self._gate.acquire()
        self._threads: list[threading.Thread] = []
        self._lags: deque[float] = deque(maxlen=len(targets))
        self._durations: deque[float] = deque(maxlen=len(targets))
        self._rate_hz = sum(1 / interval_seconds for interval_seconds in intervals_seconds)
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
            self._grow_to(min(needed, len(self._threads) + _MAX_NEW_THREADS))

    def _needed(self, latency_seconds: float) -> int:
        return 1 + math.ceil(2 * self._rate_hz * (latency_seconds + _HANDLING_SECONDS))

    def _grow_to(self, count: int) -> None:
        for place in range(len(self._threads), min(count, self._max_threads)):
            thread = threading.Thread(target=self._work, name=f"aiops-probe-{place}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        handle = self._targets[0].transfer.make_handle()
        while not self._closing.is_set():
            ticket = self._take()
            wait_seconds = ticket.due_seconds - self._clock.monotonic_seconds()
            if wait_seconds > 0 and self._gate.acquire(timeout=wait_seconds):
                self._gate.release()  # for the next who waits
                break
            self._probe(self._targets[ticket.index], ticket.due_seconds, handle)
        handle.close()

    def _take(self) -> Ticket:
        with self._lock:
            return self._schedule.take(self._clock.monotonic_seconds())

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
        if self._closing.is_set():  # it may have been aborted
            return outcome
        judged = target.judge(outcome, end_ns)
        self._emit(ProbeResult(time_ns=end_ns, target=target.name, method=target.method, outcome=judged))
        return judged
