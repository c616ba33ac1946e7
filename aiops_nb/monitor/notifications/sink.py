"""From alert changes to messages: what the dispatcher says is written to the log, and sent from there."""

from __future__ import annotations

import logging
import queue
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import resolved_text
from aiops_nb.core.types import NS_PER_SECOND, Step
from aiops_nb.monitor.notifications.channel import ChannelThread
from aiops_nb.monitor.notifications.charts import ChartHistory
from aiops_nb.monitor.notifications.stream import Events, events_of, notices_of
from aiops_nb.notify.answer_links import AnswerLinks
from aiops_nb.notify.delivery import takes
from aiops_nb.notify.dispatch import Dispatcher, Notice
from aiops_nb.notify.log import COLUMNS, Entry, NotificationLog
from aiops_nb.notify.message import Message, Notifier
from aiops_nb.notify.params import NotifyParams
from aiops_nb.notify.registry import make_notifier
from aiops_nb.notify.templates import Texts

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
PRUNE_SECONDS = 86_400.0
LOG_FILE = "notifications.sqlite"
TIMES = ("episode_at", "due_at", "queued_at", "sent_at")


class Notifications:
    """A sink that notifies people: each episode fires once and resolves once in each channel, over restarts too.

    `write` only puts changes into a queue. One thread asks the `Dispatcher` what is due and writes it to the log; one
    `ChannelThread` a channel sends what the log holds.

    Parameters
    ----------
    params
        Routes and waits.
    notifiers
        The channels.
    log
        Remembers what was sent; closed at the end.
    record
        Directory of the recording, for the command that replays the moment of an alert.
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
        record: str | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.0),
    ) -> None:
        self._params = params
        self._texts = Texts(params.messages, record)
        self._charts = ChartHistory()
        self._log = log
        self._clock = clock or SystemClock()
        self._jitter = jitter
        self._channels: dict[str, ChannelThread] = {}
        self._dispatcher = Dispatcher(params, self._added)
        self._dispatching = threading.Lock()
        self._open_elsewhere: dict[str, set[str]] = {}
        self._queue: queue.SimpleQueue[Events | None] = queue.SimpleQueue()
        self._problem = ""
        self._closed = False
        self._prune_at = 0.0
        for notifier in notifiers:
            self.add(notifier)
        self._thread = threading.Thread(target=self._dispatch, name="aiops-notify-log", daemon=True)
        self._thread.start()

    def write(self, step: Step) -> None:
        """Queue the alert changes of a step; never waits for a channel or a disk."""
        self._charts.write(step.ticks)
        events = events_of(step)
        if events:
            self._queue.put(events)

    def close(self) -> None:
        """Send what is queued, for at most a few seconds; the rest is sent by the next run with this log."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join(CLOSE_SECONDS)
        for channel in self._channels.values():
            channel.stop()
        until = self._clock.monotonic_seconds() + CLOSE_SECONDS  # for all of them: many may be dead
        for channel in self._channels.values():
            channel.join(max(0.0, until - self._clock.monotonic_seconds()))
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
        if hasattr(notifier, "texts"):
            notifier.texts = self._texts
        shows_charts = bool(getattr(notifier, "shows_charts", False))
        self._charts.is_wanted = self._charts.is_wanted or shows_charts
        channel = ChannelThread(
            notifier,
            self._log,
            self._params,
            self._clock,
            self._escalate,
            prepare=self._with_chart if shows_charts else _as_they_are,
            jitter=self._jitter,
        )
        with self._dispatching:
            self._channels = {**self._channels, name: channel}  # replaced whole: other threads iterate over it
            open_messages = self._log.open_firing(name)
            self._dispatcher.adopt(open_messages)
            for message in open_messages:
                self._open_elsewhere.setdefault(message.fingerprint, set()).add(name)

    def link_answers(self, links: AnswerLinks) -> None:
        """Messages link to the page on which their alert is answered."""
        self._texts.links = links

    def problems(self) -> dict[str, str]:
        """What is wrong now, by channel: a sentence without secrets."""
        found = {f"notify {name}": channel.trouble() for name, channel in self._channels.items()}
        return {part: text for part, text in {**found, "notification log": self._problem}.items() if text}

    def undelivered(self) -> dict[tuple[str, int], str]:
        """Channels and errors of what did not reach people, by fingerprint and episode."""
        return self._log.undelivered()

    def rows(self) -> list[dict[str, object]]:
        """The notification log; see `NotificationLog.rows`."""
        return self._log.rows()

    def _with_chart(self, messages: Sequence[Message]) -> Sequence[Message]:
        """A chart for a message by itself; one that cannot be drawn must not hold up the message."""
        if len(messages) != 1:
            return messages
        try:
            return [replace(messages[0], chart=self._charts.drawn(messages[0]))]
        except Exception as problem:
            _log.warning("chart of %s: %s", messages[0].title, problem)
            return messages

    def _added(self) -> Sequence[str]:
        """Channels that were added at run time, which no route can name."""
        configured = {channel.name for channel in self._params.channels}
        return [name for name in self._channels if name not in configured]

    def _dispatch(self) -> None:
        while True:
            events = self._queue.get()
            try:
                self._take(events)
            except Exception as problem:  # one bad change must not end all notifications
                self._problem = f"{type(problem).__name__}: {problem}"
                _log.exception("notifications")
            if events is None:
                return
            self._prune()

    def _prune(self) -> None:
        """Once a day, and at the beginning."""
        now = self._clock.monotonic_seconds()
        if now < self._prune_at:
            return
        self._prune_at = now + PRUNE_SECONDS
        try:
            self._log.prune(self._clock.now_ns() - round(self._params.keep_log_seconds * NS_PER_SECOND))
        except Exception as problem:  # a full disk: the log grows, and the next day is tried
            _log.warning("notification log: not pruned: %s", problem)

    def _take(self, events: Events | None) -> None:
        with self._dispatching:
            notices = self._dispatcher.finish() if events is None else notices_of(self._dispatcher, events)
            entries = [entry for notice in notices for entry in self._entries(notice)]
        if entries:
            self._add_all(entries)

    def _entries(self, notice: Notice) -> Iterator[Entry]:
        """The messages of a notice for each channel that takes them."""
        name = f"{notice.at_ns}-{notice.messages[0].fingerprint}"
        channels = dict.fromkeys(notice.channels)
        for message in notice.messages:
            if message.kind == "resolved":  # also where an earlier configuration had sent it
                channels |= dict.fromkeys(self._open_elsewhere.pop(message.fingerprint, ()))
        for channel in channels:
            if channel in self._channels:
                notifier = self._channels[channel].notifier
                messages = [self._with_unit(message) for message in notice.messages if takes(notifier, message)]
                yield Entry(channel, name, messages)

    def _with_unit(self, message: Message) -> Message:
        feature = self._charts.feature_of(message.labels.get("alertname", ""))
        return replace(message, feature=feature) if feature else message

    def _add_all(self, entries: Sequence[Entry]) -> None:
        try:
            for channel in self._log.add_all(entries, self._clock.now_ns()):
                self._channels[channel].wake()
            self._problem = ""
        except Exception as problem:  # a full disk must not end the thread: the problem is shown, the next one is tried
            self._problem = str(problem)
            _log.error("notification log: %s", problem)

    def _escalate(self, channel: str, reason: str) -> None:
        """Report a channel that does not deliver through the others."""
        now_ns = self._clock.now_ns()
        message = Message(
            kind="firing",
            fingerprint=f"notify-{channel}",
            episode_ns=now_ns,
            labels={"alertname": "notification_failed", "severity": "error", "target": channel, "detector": "notify"},
            summary=reason,
            starts_at_ns=now_ns,
        )
        others = [name for name in self._channels if name != channel]
        self._add_all([Entry(other, message.idempotency_key, (message,)) for other in others])
        for other in others:
            self._log.forget(other, message.fingerprint)


def _as_they_are(messages: Sequence[Message]) -> Sequence[Message]:
    return messages


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
    return Notifications(params, notifiers, NotificationLog(_log_path(params, record)), record)


def _log_path(params: NotifyParams, record: str | None) -> Path | None:
    if params.log is not None:
        return Path(resolved_text(params.log, "notify.log"))
    return None if record is None else Path(record) / LOG_FILE


def notifications_frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """One row for each message: channel, kind, state, alertname, target, summary, attempts, times in UTC, problem."""
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    for name in TIMES:
        frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="ns", utc=True).astype("datetime64[ns, UTC]")
    return frame
