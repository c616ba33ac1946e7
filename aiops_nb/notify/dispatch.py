"""What to send, and when: groups of alerts with their waits, as a pure function of the stream."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from aiops_nb.core.types import NS_PER_SECOND, AlertChange
from aiops_nb.notify.delivery import SHOWN_UPDATES
from aiops_nb.notify.message import Message, message_of
from aiops_nb.notify.params import EACH_ALERT, NotifyParams, Route

HEARTBEAT_NS = NS_PER_SECOND  # how far apart the recorded heartbeats of the clock are
RESTARTED = "monitor restarted; the alert did not fire again"
NOTICED_UPDATES = ("severity", "flapping")  # people must hear of these; the others are shown where a message is edited

GroupKey = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification of one group: what goes out as one message, unless a flood makes a digest of several.

    Attributes
    ----------
    at_ns
        When it is due, in the time of the stream.
    channels
        Names of the channels that take it.
    group
        The labels that its alerts share by `group_by`.
    messages
        The alerts that changed since the last notice of the group, or, repeated, all that fire.
    firing_total
        How many alerts of the group fire.
    """

    at_ns: int
    channels: tuple[str, ...]
    group: Mapping[str, str]
    messages: tuple[Message, ...]
    firing_total: int


@dataclass(slots=True)
class _Alert:
    """One alert of a group: its newest message, its channels there, and what they know of it."""

    message: Message
    is_suppressed: bool
    channels: tuple[str, ...]
    is_notified: bool = False
    has_ended: bool = False
    update: str = ""

    @property
    def is_due(self) -> bool:
        """Whether people are to hear of it at the next notice."""
        if self.has_ended or self.update:
            return self.is_notified
        return not self.is_notified and not self.is_suppressed


@dataclass(slots=True)
class _Group:
    """Alerts of one route that share the labels of `group_by`; `changed` are those that the next notice looks at."""

    route: Route
    key: GroupKey
    labels: dict[str, str]
    alerts: dict[str, _Alert] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    anchor_ns: int | None = None
    last_ns: int = 0
    repeat_from_ns: int = 0
    due_ns: int | None = None

    @property
    def has_news(self) -> bool:
        """Whether people are to hear of a change."""
        return any(self.alerts[fingerprint].is_due for fingerprint in self.changed)

    @property
    def repeats(self) -> bool:
        """Whether something fires that is notified again and again."""
        return self.route.repeat_interval_seconds is not None and any(map(_is_repeated, self.alerts.values()))

    def next_multiple_ns(self, at_least_ns: int) -> int:
        """The first beginning of an interval of the group that is not earlier, and later than its last notice."""
        interval_ns = nanoseconds(self.route.group_interval_seconds)
        if not interval_ns or self.anchor_ns is None:
            return at_least_ns
        passed = -(-(at_least_ns - self.anchor_ns) // interval_ns)
        due_ns = self.anchor_ns + passed * interval_ns
        return due_ns if due_ns > self.last_ns else due_ns + interval_ns


class Dispatcher:
    """Groups alert changes by route and label, as Alertmanager does, and says what is due.

    It reads no clock: time moves on by `advance`, the recorded heartbeats, and between them by the changes. The same
    calls give the same notices, so a replay
    of a recording derives those of the live run.

    The first notice of a group is due `group_wait` after its first alert; later changes wait for the next multiple of
    `group_interval`; what still fires is repeated at the first multiple after `repeat_interval`. An alert is part of a
    notice when it begins, ends, or becomes worse. A suppressed or acknowledged alert is not notified; one that was
    notified before is always notified of its end. An alert that fires again before its end was notified goes on.

    Parameters
    ----------
    params
        Routes and waits.
    added
        Gives the names of channels that were added at run time, which no route names: they take every alert.

    Examples
    --------
    >>> from aiops_nb.notify.params import WebhookParams
    >>> dispatcher = Dispatcher(NotifyParams(channels=(WebhookParams(url="http://127.0.0.1:9/"),)))
    >>> labels = {"alertname": "http_5xx", "severity": "error", "target": "shop"}
    >>> change = AlertChange(time_ns=0, state="firing", labels=labels, fingerprint="f", pending_at_ns=0)
    >>> dispatcher.take(change), [notice.at_ns for notice in dispatcher.advance(10**9)]
    ([], [500000000])
    """

    def __init__(self, params: NotifyParams, added: Callable[[], Sequence[str]] = tuple) -> None:
        self._params = params
        self._added = added
        self._now_ns = 0
        self._clock_ns: int | None = None
        self._groups: dict[GroupKey, _Group] = {}
        self._of_alert: dict[str, list[GroupKey]] = {}
        self._due: list[tuple[int, int, GroupKey]] = []
        self._order = 0
        self._adopted: dict[str, Message] = {}
        self._adopt_until_ns: int | None = None

    @property
    def held_total(self) -> int:
        """Alerts that are held: those that fire, and those whose end is not notified yet."""
        return sum(len(group.alerts) for group in self._groups.values())

    def adopt(self, messages: Iterable[Message]) -> None:
        """Take over alerts that an earlier run notified of and never ended.

        One that does not fire again within `adopt_seconds` has ended.
        """
        for message in messages:
            if message.fingerprint in self._of_alert:
                continue
            self._adopted[message.fingerprint] = message
            for group in self._groups_of(message):
                group.alerts[message.fingerprint].is_notified = True
                group.anchor_ns = self._now_ns if group.anchor_ns is None else group.anchor_ns

    def advance(self, time_ns: int) -> list[Notice]:
        """Time has moved on: the notices that were due until then, that moment included."""
        self._clock_ns = time_ns
        self._now_ns = max(self._now_ns, time_ns)
        return [*self._end_adopted(), *self._until(self._now_ns)]

    def take(self, change: AlertChange) -> list[Notice]:
        """The notices due before this change, and those that it makes due at once."""
        # a source whose clock is fast must not move the time of the others, whose notices would be due too late
        latest_ns = change.time_ns if self._clock_ns is None else self._clock_ns + HEARTBEAT_NS
        self._now_ns = max(self._now_ns, min(change.time_ns, latest_ns))
        return [*self._end_adopted(), *self._until(self._now_ns - 1), *self._changed(change)]

    def finish(self) -> list[Notice]:
        """The run ends: everything that waits is due now. What comes next may have an earlier time."""
        waiting = [group for group in self._groups.values() if group.has_news]
        notices = [notice for group in waiting for notice in self._flush(group, self._now_ns)]
        self._now_ns = 0
        self._clock_ns = None
        self._due.clear()
        for group in self._groups.values():
            group.due_ns = None
            group.last_ns = group.repeat_from_ns = group.anchor_ns = 0
        return notices

    # -- changes

    def _changed(self, change: AlertChange) -> Iterator[Notice]:
        if change.is_firing:
            self._adopted.pop(change.fingerprint, None)
            message = message_of(change)
            for group in self._groups_of(message):
                self._fires(group, message, change)
                yield from self._schedule(group, message.fingerprint)
        elif change.state == "resolved":
            self._adopted.pop(change.fingerprint, None)
            yield from self._ended(message_of(change))

    def _groups_of(self, message: Message) -> list[_Group]:
        """Where the alert is already, and where its labels put it now: a severity that rose may open another route.

        There, only the channels that do not have the alert yet take it.
        """
        keys = self._of_alert.get(message.fingerprint, [])
        numbers = {number for number, _ in keys}
        taken = {name for key in keys for name in self._groups[key].alerts[message.fingerprint].channels}
        for route in self._params.routes_for(message.labels, self._added()):
            channels = tuple(name for name in route.channels if name not in taken)
            if route.number not in numbers and channels:
                group = self._group(route, message)
                group.alerts[message.fingerprint] = _Alert(message, is_suppressed=True, channels=channels)
                taken.update(channels)
                keys = self._of_alert[message.fingerprint] = [*keys, group.key]
        return [self._groups[key] for key in keys]

    def _group(self, route: Route, message: Message) -> _Group:
        values = {name: message.labels.get(name, "") for name in route.group_by if name != EACH_ALERT}
        own = (message.fingerprint,) if EACH_ALERT in route.group_by else tuple(values.values())
        key = route.number, own
        return self._groups.setdefault(key, _Group(route, key, values))

    def _fires(self, group: _Group, message: Message, change: AlertChange) -> None:
        alert = group.alerts[message.fingerprint]
        if alert.is_notified or alert.has_ended:
            alert.message = _in_episode_of(alert.message, message)
        else:
            alert.message = message
        alert.is_suppressed = bool(change.inhibited_by or change.silenced_by or change.acknowledged)
        alert.has_ended = False
        update = "calm" if change.update == "flapping" and not change.flapping else change.update
        if alert.is_notified and (update in NOTICED_UPDATES or (update in SHOWN_UPDATES and not alert.update)):
            alert.update = update

    def _ended(self, message: Message) -> Iterator[Notice]:
        for key in self._of_alert.get(message.fingerprint, ()):
            group = self._groups[key]
            alert = group.alerts[message.fingerprint]
            if not alert.is_notified:
                self._forget(group, message.fingerprint)
                continue
            alert.message = _in_episode_of(alert.message, message)
            alert.has_ended = True
            yield from self._schedule(group, message.fingerprint)

    def _end_adopted(self) -> Iterator[Notice]:
        if not self._adopted:
            return
        if self._adopt_until_ns is None:  # counted from the first moment of this run
            self._adopt_until_ns = self._now_ns + nanoseconds(self._params.adopt_seconds)
        if self._now_ns < self._adopt_until_ns:
            return
        left = list(self._adopted.values())
        self._adopted.clear()
        for message in left:
            yield from self._ended(replace(message, kind="resolved", ends_at_ns=self._now_ns, outcome=RESTARTED))

    # -- time

    def _schedule(self, group: _Group, fingerprint: str) -> Iterator[Notice]:
        """An alert of the group has changed: find out when the group is due next; flush it if that is now."""
        group.changed[fingerprint] = None
        if group.alerts[fingerprint].is_due:
            yield from self._due_at(group, self._news_due_ns(group))
        elif group.due_ns is None and group.repeats:
            yield from self._due_at(group, _repeat_due_ns(group, self._now_ns))

    def _news_due_ns(self, group: _Group) -> int:
        if group.anchor_ns is None:
            return self._now_ns + nanoseconds(group.route.group_wait_seconds)
        return group.next_multiple_ns(self._now_ns)

    def _due_at(self, group: _Group, due_ns: int) -> list[Notice]:
        if due_ns <= self._now_ns:
            return self._flush(group, due_ns)
        self._wait(group, due_ns)
        return []

    def _wait(self, group: _Group, due_ns: int) -> None:
        if group.due_ns is not None and group.due_ns <= due_ns:
            return
        group.due_ns = due_ns
        self._order += 1
        heapq.heappush(self._due, (due_ns, self._order, group.key))

    def _until(self, time_ns: int) -> Iterator[Notice]:
        while self._due and self._due[0][0] <= time_ns:
            due_ns, _, key = heapq.heappop(self._due)
            group = self._groups.get(key)
            if group is not None and group.due_ns == due_ns:
                yield from self._flush(group, due_ns)

    def _flush(self, group: _Group, at_ns: int) -> list[Notice]:
        """The notice of a group, if there is something to say; then it waits for its next moment."""
        group.due_ns = None
        changed, group.changed = group.changed, {}
        alerts = {fingerprint: group.alerts[fingerprint] for fingerprint in changed}
        made = [(alert, one) for alert in alerts.values() if (one := self._message_due(group, alert)) is not None]
        if not made and group.repeats and at_ns >= _repeat_due_ns(group, group.repeat_from_ns):
            repeated = [alert for alert in group.alerts.values() if _is_repeated(alert)]
            made = [(alert, replace(alert.message, kind="repeat")) for alert in repeated]
        if made:
            group.anchor_ns = at_ns if group.anchor_ns is None else group.anchor_ns
            group.last_ns = at_ns
            if any(one.update not in SHOWN_UPDATES for _, one in made):  # most channels are not sent an answer
                group.repeat_from_ns = at_ns
        if not group.alerts:
            self._groups.pop(group.key, None)
        elif group.repeats:
            self._wait(group, _repeat_due_ns(group, at_ns))
        by_channels: dict[tuple[str, ...], list[Message]] = {}
        for alert, one in made:
            by_channels.setdefault(alert.channels, []).append(replace(one, group=group.labels, at_ns=at_ns))
        total = len(group.alerts)
        return [Notice(at_ns, channels, group.labels, tuple(some), total) for channels, some in by_channels.items()]

    def _message_due(self, group: _Group, alert: _Alert) -> Message | None:
        is_due, update, alert.update = alert.is_due, alert.update, ""
        if not is_due:
            return None
        if alert.has_ended:
            self._forget(group, alert.message.fingerprint)
            return alert.message
        if alert.is_notified:
            return replace(alert.message, kind="update", update=update)
        alert.is_notified = True
        return alert.message

    def _forget(self, group: _Group, fingerprint: str) -> None:
        del group.alerts[fingerprint]
        group.changed.pop(fingerprint, None)
        keys = [key for key in self._of_alert[fingerprint] if key != group.key]
        if keys:
            self._of_alert[fingerprint] = keys
        else:
            del self._of_alert[fingerprint]
        if not group.alerts:
            self._groups.pop(group.key, None)


def _is_repeated(alert: _Alert) -> bool:
    return alert.is_notified and not alert.is_suppressed and not alert.has_ended


def _repeat_due_ns(group: _Group, now_ns: int) -> int:
    """When what fires is to be repeated, not before now: it may have been acknowledged for longer than the interval."""
    interval_ns = nanoseconds(group.route.repeat_interval_seconds or 0.0)
    return group.next_multiple_ns(max(group.repeat_from_ns + interval_ns, now_ns))


def _in_episode_of(first: Message, message: Message) -> Message:
    """The newest state of an alert, under the episode that people were notified of."""
    return replace(message, episode_ns=first.episode_ns, starts_at_ns=first.starts_at_ns)


def nanoseconds(seconds: float) -> int:
    """The same in nanoseconds."""
    return round(seconds * NS_PER_SECOND)
