"""One thread a channel, so that a dead one costs detection and the other channels nothing."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence

from aiops_nb.core.clock import Clock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.notify.delivery import MAX_BACKOFF_SECONDS, backoff_seconds, is_digest, next_batch
from aiops_nb.notify.log import Delivery, NotificationLog
from aiops_nb.notify.message import DeliveryError, Message, Notifier, RejectedError
from aiops_nb.notify.params import NotifyParams

_log = logging.getLogger(__name__)

RESOLVED_REPEATED_SECONDS = 900.0  # Alertmanager's clients repeat a resolve for 15 min
IDLE_SECONDS = 3600.0

Escalate = Callable[[str, str], None]
Prepare = Callable[[Sequence[Message]], Sequence[Message]]


class ChannelThread:
    """Sends what the log holds for one channel, in order: retries with backoff and jitter, obeys `Retry-After`.

    Parameters
    ----------
    notifier
        The channel; only this thread calls it.
    log
        Holds what waits; each send is noted in it before and after.
    params
        When messages are given up, a channel is reported, and how far apart digests are.
    clock
        Stamps the log; waits are monotonic.
    escalate
        Takes the name of a channel that does not deliver, and why; called once until it delivers again.
    prepare
        Adds to messages what the log does not keep: the chart of a single one.
    jitter
        Factor of each wait between retries.
    """

    def __init__(
        self,
        notifier: Notifier,
        log: NotificationLog,
        params: NotifyParams,
        clock: Clock,
        escalate: Escalate,
        prepare: Prepare = lambda messages: messages,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.0),
    ) -> None:
        self.notifier = notifier
        self._log, self._params, self._clock = log, params, clock
        self._escalate, self._prepare, self._jitter = escalate, prepare, jitter
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failures = 0
        self._failing_since: float | None = None
        self._is_escalated = False
        self._repeat_at = clock.monotonic_seconds()
        self.undelivered_total = 0
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name=f"aiops-notify-{notifier.name}", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """Of the channel."""
        return self.notifier.name

    def wake(self) -> None:
        """Something waits in the log."""
        self._wake.set()

    def stop(self) -> None:
        """Send what waits, without waiting for a receiver that fails; see `join`."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end of the thread, and close the channel."""
        self._thread.join(timeout_seconds)
        self.notifier.close()

    def trouble(self) -> str:
        """What is wrong now, a sentence without secrets; empty if nothing is."""
        if self.problem or not self.undelivered_total:
            return self.problem
        count = self.undelivered_total
        return f"{count:,} message{'' if count == 1 else 's'} could not be delivered"

    def _run(self) -> None:
        wait_seconds = 0.0
        while True:
            self._wake.wait(wait_seconds)
            self._wake.clear()
            try:
                wait_seconds = self._round()
            except DeliveryError as problem:
                self._failed(problem)
                if self._stopping.is_set():
                    return
                self._stopping.wait(self._backoff(problem))
                wait_seconds = 0.0
            except Exception as problem:  # a broken channel must not end silently
                if self._stopping.is_set():
                    return
                _log.exception("notify %s", self.name)
                self.problem = f"{type(problem).__name__}: {problem}"
                wait_seconds = MAX_BACKOFF_SECONDS
            if self._stopping.is_set() and wait_seconds:
                return

    def _round(self) -> float:
        """Send the next message or digest, or what is to be sent again; returns how long to wait then."""
        waiting = self._log.waiting(self.name, max(1, self.notifier.max_batch))
        if waiting:
            self._send_next(waiting)
            self._failures = 0
            return 0.0
        seconds = self._repeat()
        self._failures = 0
        return seconds

    def _send_next(self, waiting: Sequence[Delivery]) -> None:
        notifier = self.notifier
        batch = next_batch(waiting, notifier.max_single)
        self._log.sending(batch)
        try:
            external_ids = notifier.send(self._prepare([delivery.message for delivery in batch]))
        except DeliveryError as problem:
            if self._is_given_up(batch):
                self._give_up(batch, f"given up after {self._params.give_up_seconds:g} s: {problem}")
                return
            self._log.postponed(batch, str(problem))
            raise
        except (RejectedError, ConfigError) as problem:
            self._give_up(batch, str(problem))
            return
        self._log.sent(batch, external_ids, self._clock.now_ns())
        self._recovered()
        pause_seconds = notifier.min_interval_seconds
        if notifier.max_single > 0 and is_digest(waiting, notifier.max_single) and len(waiting) < notifier.max_batch:
            pause_seconds = max(pause_seconds, self._params.digest_interval_seconds)  # a flood: the next one holds more
        if pause_seconds:
            self._stopping.wait(pause_seconds)

    def _recovered(self) -> None:
        self.problem = ""
        self._failing_since = None
        self._is_escalated = False

    def _is_given_up(self, batch: Sequence[Delivery]) -> bool:
        oldest_ns = min(delivery.queued_ns for delivery in batch)
        return self._clock.now_ns() - oldest_ns > self._params.give_up_seconds * NS_PER_SECOND

    def _give_up(self, batch: Sequence[Delivery], reason: str) -> None:
        self._log.failed(batch, reason)
        self.undelivered_total += len(batch)
        self.problem = reason
        _log.error("notify %s: %d messages not delivered: %s", self.name, len(batch), reason)
        self._report(reason)

    def _failed(self, problem: DeliveryError) -> None:
        self._failures += 1
        self.problem = str(problem)
        now = self._clock.monotonic_seconds()
        if self._failing_since is None:
            self._failing_since = now
            _log.warning("notify %s: %s", self.name, problem)
        if now - self._failing_since >= self._params.escalate_seconds:
            self._report(str(problem))

    def _backoff(self, problem: DeliveryError) -> float:
        return backoff_seconds(self._failures, self._jitter(), problem.retry_after_seconds)

    def _report(self, reason: str) -> None:
        if not self._is_escalated:
            self._is_escalated = True
            self._escalate(self.name, reason)

    def _repeat(self) -> float:
        """Send open alerts again where the receiver wants that; returns how long to wait."""
        every = self.notifier.repeat_seconds
        if every is None or self._stopping.is_set():
            return IDLE_SECONDS
        now = self._clock.monotonic_seconds()
        if now < self._repeat_at:
            return self._repeat_at - now
        since_ns = self._clock.now_ns() - round(RESOLVED_REPEATED_SECONDS * NS_PER_SECOND)
        messages = self._log.open_messages(self.name, since_ns)
        size = max(1, self.notifier.max_batch)
        for first in range(0, len(messages), size):
            self.notifier.send(messages[first : first + size])
        if messages:
            self._recovered()
        self._repeat_at = now + every
        return every
