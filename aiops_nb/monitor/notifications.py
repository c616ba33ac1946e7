"""From alert changes to messages: one thread a channel, so that a dead channel costs detection nothing."""

from __future__ import annotations

import logging
import queue
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import resolved_text
from aiops_nb.core.types import NS_PER_SECOND, Step
from aiops_nb.notify.log import COLUMNS, Delivery, NotificationLog
from aiops_nb.notify.message import DeliveryError, Message, Notifier, RejectedError, message_of
from aiops_nb.notify.params import SEVERITIES, NotifyParams
from aiops_nb.notify.registry import make_notifier

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 300.0
RESOLVED_REPEATED_SECONDS = 900.0  # Alertmanager's clients repeat a resolve for 15 min
IDLE_SECONDS = 3600.0
CLOSE_SECONDS = 5.0
LOG_FILE = "notifications.sqlite"
RESTARTED = "monitor restarted; the alert did not fire again"


@dataclass(slots=True)
class _Channel:
    """A channel, its thread's alarm clock, and what is wrong with it now."""

    notifier: Notifier
    wake: threading.Event = field(default_factory=threading.Event)
    problem: str = ""
    failing_since: float | None = None
    escalated: bool = False
    undelivered_total: int = 0


class Notifications:
    """A sink that notifies people: each episode fires once and resolves once in each channel, over restarts too.

    `write` only puts messages into a queue; one thread writes them to the log, and one thread a channel sends what the
    log holds. Time-outs, retries with backoff and jitter, `Retry-After` and rate limits are kept by channel.

    Parameters
    ----------
    params
        Routes and waits.
    notifiers
        The channels.
    log
        Remembers what was sent; closed at the end.
    clock
        Stamps the log; waits are monotonic.
    jitter
        Factor of each wait between retries; a test hands in a constant.
    """

    def __init__(
        self,
        params: NotifyParams,
        notifiers: Sequence[Notifier],
        log: NotificationLog,
        clock: Clock | None = None,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.0),
    ) -> None:
        self._params = params
        self._log = log
        self._clock = clock or SystemClock()
        self._jitter = jitter
        self._channels: dict[str, _Channel] = {}
        self._changes: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._closed = False
        self._adopt: dict[str, set[str]] = {}
        self._adopt_until_ns: int | None = None
        self._threads = [threading.Thread(target=self._write_log, name="aiops-notify-log", daemon=True)]
        self._threads[0].start()
        for notifier in notifiers:
            self.add(notifier)

    def write(self, step: Step) -> None:
        """Queue the messages of a step; never waits for a channel or a disk."""
        for change in step.changes:
            message = message_of(change)
            if message is not None:
                self._changes.put(message)

    def close(self) -> None:
        """Send what is queued, for at most a few seconds; the rest is sent by the next run with this log."""
        if self._closed:
            return
        self._closed = True
        self._changes.put(None)
        self._threads[0].join(CLOSE_SECONDS)
        self._stopping.set()
        for channel in self._channels.values():
            channel.wake.set()
        for thread in self._threads[1:]:
            thread.join(CLOSE_SECONDS)
        for channel in self._channels.values():
            channel.notifier.close()
        self._log.close()

    def add(self, notifier: Notifier) -> None:
        """Serve one more channel, from the next message on.

        Raises
        ------
        ConfigError
            If a channel has that name already.
        """
        name = notifier.name
        if name in self._channels:
            raise ConfigError.at("name", "the name of a new channel", name)
        self._adopt[name] = {message.fingerprint for message in self._log.open_firing(name)}
        channel = _Channel(notifier)
        self._channels = {**self._channels, name: channel}  # replaced whole: other threads iterate over it
        thread = threading.Thread(target=self._deliver, args=(channel,), name=f"aiops-notify-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def problems(self) -> dict[str, str]:
        """What is wrong now, by channel: a sentence without secrets."""
        problems: dict[str, str] = {}
        for name, channel in self._channels.items():
            if channel.problem:
                problems[f"notify {name}"] = channel.problem
            elif channel.undelivered_total:
                problems[f"notify {name}"] = f"{channel.undelivered_total} messages could not be delivered"
        return problems

    def rows(self) -> list[dict[str, object]]:
        """The notification log; see `NotificationLog.rows`."""
        return self._log.rows()

    # -- into the log: one thread

    def _write_log(self) -> None:
        while True:
            try:
                message = self._changes.get(timeout=self._until_adopted())
            except queue.Empty:
                self._end_adopted()
                continue
            if message is None:
                return
            self._enqueue(message, self._channels_for(message))

    def _until_adopted(self) -> float:
        """Seconds until open alerts of an earlier run that did not fire again are taken for resolved."""
        if not any(list(self._adopt.values())):
            return IDLE_SECONDS
        if self._adopt_until_ns is None:
            self._adopt_until_ns = self._clock.now_ns() + round(self._params.adopt_seconds * NS_PER_SECOND)
        return max(0.0, (self._adopt_until_ns - self._clock.now_ns()) / NS_PER_SECOND)

    def _end_adopted(self) -> None:
        now_ns = self._clock.now_ns()
        for name, fingerprints in list(self._adopt.items()):
            for message in self._log.open_firing(name):
                if message.fingerprint in fingerprints:
                    ended = msgspec.structs.replace(message, kind="resolved", ends_at_ns=now_ns, outcome=RESTARTED)
                    self._add(name, ended)
            fingerprints.clear()

    def _channels_for(self, message: Message) -> Sequence[str]:
        """By the routes; channels that were added later, which no route can name, take what goes to the default."""
        configured = {channel.name for channel in self._params.channels}
        later = [name for name in self._channels if name not in configured]
        return [*self._params.channels_for(message.labels), *(later if self._is_severe(message) else ())]

    def _is_severe(self, message: Message) -> bool:
        known = message.severity in SEVERITIES
        return not known or SEVERITIES.index(message.severity) >= SEVERITIES.index(self._params.min_severity)

    def _enqueue(self, message: Message, channels: Sequence[str]) -> None:
        for name in list(self._channels):
            self._adopt[name].discard(message.fingerprint)
            if name in channels or message.kind == "resolved":
                self._add(name, message)

    def _add(self, name: str, message: Message) -> None:
        try:
            if self._log.add(name, message, self._clock.now_ns()):
                self._channels[name].wake.set()
        except Exception as problem:  # a full disk must not end the thread: the problem is shown, the next one is tried
            self._channels[name].problem = f"notification log: {problem}"
            _log.error("notification log: %s", problem)

    # -- out of the log: one thread a channel

    def _deliver(self, channel: _Channel) -> None:
        wait_seconds = 0.0
        failures = 0
        repeat_at = self._clock.monotonic_seconds()
        while True:
            channel.wake.wait(wait_seconds)
            if channel.wake.is_set() and not self._stopping.is_set() and failures == 0:
                self._stopping.wait(self._params.group_wait_seconds)
            channel.wake.clear()
            try:
                sent, wait_seconds = self._send_some(channel)
                if not sent:
                    if self._stopping.is_set():
                        return
                    repeat_at, wait_seconds = self._repeat(channel, repeat_at)
                failures = 0
            except DeliveryError as problem:
                failures += 1
                wait_seconds = self._after_failure(channel, problem, failures)
                if self._stopping.is_set():
                    return
                self._stopping.wait(wait_seconds)
                wait_seconds = 0.0
                continue
            except Exception as problem:  # a broken channel must not end silently
                if self._stopping.is_set():
                    return
                _log.exception("notify %s", channel.notifier.name)
                channel.problem = f"{type(problem).__name__}: {problem}"
                wait_seconds = MAX_BACKOFF_SECONDS

    def _send_some(self, channel: _Channel) -> tuple[bool, float]:
        """Send the next message or digest; whether there was one, and how long to wait before the next."""
        notifier = channel.notifier
        waiting = self._log.waiting(notifier.name, max(1, notifier.max_batch))
        if not waiting:
            return False, IDLE_SECONDS
        total = self._log.waiting_total(notifier.name)
        batch = [delivery for delivery in waiting if delivery.uncertain]  # together again, under the same key
        if not batch:
            batch = _one_of_each(waiting[:1] if total <= notifier.max_single else waiting)
        self._log.sending(batch)
        try:
            external_ids = notifier.send([delivery.message for delivery in batch])
        except DeliveryError as problem:
            if self._is_given_up(batch):
                self._give_up(channel, batch, f"given up after {self._params.give_up_seconds:g} s: {problem}")
                return True, 0.0
            self._log.postponed(batch, str(problem))
            raise
        except (RejectedError, ConfigError) as problem:
            self._give_up(channel, batch, str(problem))
            return True, 0.0
        self._log.sent(batch, external_ids, self._clock.now_ns())
        channel.problem = ""
        channel.failing_since = None
        channel.escalated = False
        if notifier.min_interval_seconds:
            self._stopping.wait(notifier.min_interval_seconds)
        return True, 0.0

    def _is_given_up(self, batch: Sequence[Delivery]) -> bool:
        oldest_ns = min(delivery.queued_ns for delivery in batch)
        return self._clock.now_ns() - oldest_ns > self._params.give_up_seconds * NS_PER_SECOND

    def _give_up(self, channel: _Channel, batch: Sequence[Delivery], reason: str) -> None:
        self._log.failed(batch, reason)
        channel.undelivered_total += len(batch)
        channel.problem = reason
        _log.error("notify %s: %d messages not delivered: %s", channel.notifier.name, len(batch), reason)
        self._escalate(channel, reason)

    def _after_failure(self, channel: _Channel, problem: DeliveryError, failures: int) -> float:
        channel.problem = str(problem)
        now = self._clock.monotonic_seconds()
        if channel.failing_since is None:
            channel.failing_since = now
            _log.warning("notify %s: %s", channel.notifier.name, problem)
        if now - channel.failing_since >= self._params.escalate_seconds:
            self._escalate(channel, str(problem))
        if problem.retry_after_seconds is not None:
            return problem.retry_after_seconds
        backoff: float = min(FIRST_BACKOFF_SECONDS * 2.0 ** (failures - 1), MAX_BACKOFF_SECONDS)
        return backoff * self._jitter()

    def _escalate(self, channel: _Channel, reason: str) -> None:
        """Report a channel that does not deliver through the others, once until it delivers again."""
        if channel.escalated:
            return
        channel.escalated = True
        now_ns = self._clock.now_ns()
        name = channel.notifier.name
        message = Message(
            kind="firing",
            fingerprint=f"notify-{name}",
            episode_ns=now_ns,
            labels={"alertname": "notification_failed", "severity": "error", "target": name, "detector": "notify"},
            summary=reason,
            starts_at_ns=now_ns,
        )
        for other in self._channels:
            if other != name:
                self._add(other, message)
                self._log.forget(other, message.fingerprint)

    def _repeat(self, channel: _Channel, repeat_at: float) -> tuple[float, float]:
        """Send open alerts again where the receiver wants that; when next, and how long to wait."""
        every = channel.notifier.repeat_seconds
        if every is None:
            return repeat_at, IDLE_SECONDS
        now = self._clock.monotonic_seconds()
        if now < repeat_at:
            return repeat_at, repeat_at - now
        since_ns = self._clock.now_ns() - round(RESOLVED_REPEATED_SECONDS * NS_PER_SECOND)
        messages = self._log.open_messages(channel.notifier.name, since_ns)
        size = max(1, channel.notifier.max_batch)
        for first in range(0, len(messages), size):
            channel.notifier.send(messages[first : first + size])
        if messages:
            channel.problem = ""
        return now + every, every


def _one_of_each(batch: Sequence[Delivery]) -> list[Delivery]:
    """The longest beginning of the batch that holds each episode once: its resolve is sent after its firing."""
    seen: set[tuple[str, int]] = set()
    taken: list[Delivery] = []
    for delivery in batch:
        episode = delivery.message.fingerprint, delivery.message.episode_ns
        if episode in seen:
            break
        seen.add(episode)
        taken.append(delivery)
    return taken


def open_notifications(params: NotifyParams, record: str | None) -> Notifications:
    """Channels and log as configured: the log lies in the recording, where `log` names no other file.

    Parameters
    ----------
    params
        The channels, routes and waits.
    record
        Directory of the recording; None: there is none, and without `log` a restart forgets what was sent.

    Raises
    ------
    AiopsError
        If the log cannot be written, a reference cannot be read, or an extra is missing.
    """
    notifiers = [make_notifier(channel) for channel in params.channels]
    return Notifications(params, notifiers, NotificationLog(_log_path(params, record)))


def _log_path(params: NotifyParams, record: str | None) -> Path | None:
    if params.log is not None:
        return Path(resolved_text(params.log, "notify.log"))
    return None if record is None else Path(record) / LOG_FILE


def notifications_frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """One row for each message: channel, kind, state, alertname, target, summary, attempts, times in UTC, problem."""
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    for name in ("queued_at", "sent_at"):
        frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="ns", utc=True).astype("datetime64[ns, UTC]")
    return frame
