"""One collector, polled in a thread: retries, back-off and heartbeats are here, so that collectors need none."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, MutableMapping

import pyarrow as pa

from aiops_nb.collect.backoff import Backoff
from aiops_nb.core.clock import Clock
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import control_batch
from aiops_nb.core.types import NS_PER_SECOND

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
FAILING_SECONDS = 10.0
MOST_REASON = 300
HEARTBEAT_NS = NS_PER_SECOND


class Poller:
    """Polls until the collector has ended or `stopping` is set.

    Parameters
    ----------
    collector
        Closed at the end.
    offer
        Takes each batch; may wait for a place in the queue: a slow engine slows the collectors, it loses nothing.
    stopping
        Ends the polling.
    clock
        Stamps heartbeats.
    problems
        Where a failing collector is shown while it fails.
    rng
        Draws the jitter of the waits after failures. A collector with a `backoff` of its own draws its own.
    failing
        Called with the time of the first failure and a reason without secrets when polls have failed for 10 s, and with
        None and an empty reason when they succeed again.
    """

    def __init__(
        self,
        collector: Collector,
        offer: Callable[[pa.RecordBatch], object],
        stopping: threading.Event,
        clock: Clock,
        problems: MutableMapping[str, str],
        rng: random.Random | None = None,
        failing: Callable[[int | None, str], object] = lambda since_ns, reason: None,
    ) -> None:
        self.collector, self._offer, self._stopping = collector, offer, stopping
        self._clock, self._problems = clock, problems
        self._failing = failing
        self._failed_since: tuple[int, float] | None = None
        self._is_reported = False
        self.errors_total = 0
        self._backoff = Backoff(clock, rng)
        self._beaten_ns = 0

    def run(self) -> None:
        """Poll until the end; meant for a thread of its own."""
        while not self._stopping.is_set():
            began_ns = self._clock.now_ns()
            try:
                batch = self.collector.poll(POLL_SECONDS)
            except BaseException as problem:  # a third party's collector may raise anything, SystemExit too
                self._back_off(problem)
                continue
            self._note_recovery()
            if batch is None:
                break
            self._pass_on(batch, began_ns)
        self.close()

    def _pass_on(self, batch: pa.RecordBatch, began_ns: int) -> None:
        if batch.num_rows:
            self._offer(batch)
        elif abs(began_ns - self._beaten_ns) >= HEARTBEAT_NS:
            self._beaten_ns = began_ns  # rows that end before this moment would have been in this poll
            self._offer(control_batch(self.collector.name, "heartbeat", began_ns))

    def _back_off(self, problem: BaseException) -> None:
        self.errors_total += 1
        if not self._backoff.failures:
            expected = isinstance(problem, (OSError, AiopsError))
            _log.warning("collector %s: %s", self.collector.name, problem, exc_info=None if expected else problem)
        self._problems[self._part] = f"{type(problem).__name__}: {problem}"
        self._backoff.failed()
        self._report(problem)
        self._stopping.wait(self._wait_seconds(problem))

    def _wait_seconds(self, problem: BaseException) -> float:
        """What is left of the back-off: of the collector's own where it has one and could not connect."""
        own = getattr(self.collector, "backoff", None)
        if isinstance(own, Backoff) and own.failures and isinstance(problem, OSError):
            return own.left_seconds
        return self._backoff.left_seconds

    def _report(self, problem: BaseException) -> None:
        now = self._clock.monotonic_seconds()
        if self._failed_since is None:
            self._failed_since = self._clock.now_ns(), now
        since_ns, since = self._failed_since
        if not self._is_reported and now - since >= FAILING_SECONDS:
            self._is_reported = True
            self._failing(since_ns, recordable_reason(problem))

    def _note_recovery(self) -> None:
        self._failed_since = None
        if self._is_reported:
            self._is_reported = False
            self._failing(None, "")
        if self._backoff.failures:
            self._backoff.succeeded()
            self._problems.pop(self._part, None)
            _log.info("collector %s works again", self.collector.name)

    @property
    def _part(self) -> str:
        return f"collector {self.collector.name}"

    def close(self) -> None:
        """Close the collector; may be called twice, and from another thread."""
        try:
            self.collector.close()
        except BaseException as problem:  # as in polling
            _log.warning("collector %s: close failed: %s", self.collector.name, problem)


def recordable_reason(problem: BaseException) -> str:
    """What failed, for the recording: the text of a library may hold a URL with a secret, so it is left out.

    Examples
    --------
    >>> recordable_reason(ConnectionRefusedError(111, "Connection refused"))
    'ConnectionRefusedError: Connection refused'
    >>> recordable_reason(ValueError("http://user:secret@host/"))
    'ValueError'
    """
    name = type(problem).__name__
    if isinstance(problem, AiopsError):
        return f"{name}: {problem}"[:MOST_REASON]
    reason = problem.strerror if isinstance(problem, OSError) else None
    return f"{name}: {reason}"[:MOST_REASON] if isinstance(reason, str) else name
