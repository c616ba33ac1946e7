"""How a channel's queue becomes sends: what goes together, and how long to wait after a failure. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from aiops_nb.notify.log import Delivery
from aiops_nb.notify.message import Message

FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 300.0
SHOWN_UPDATES = ("calm", "acknowledged", "unacknowledged", "silenced", "unsilenced", "comment")


def takes(channel: object, message: Message) -> bool:
    """Whether a channel, given as its `Notifier` or its parameters, is to send a message.

    A channel that sends open alerts again by itself (`repeat_seconds`) needs no repeats. Updates that only say who
    answered are sent where they can be shown in place (`shows_answers`).

    Examples
    --------
    >>> from aiops_nb.notify.params import AlertmanagerParams, PagerDutyParams
    >>> repeated = Message(kind="repeat", fingerprint="f", episode_ns=0, labels={})
    >>> pager, alertmanager = PagerDutyParams(routing_key="env:KEY"), AlertmanagerParams(url="http://127.0.0.1:9093")
    >>> takes(alertmanager, repeated), takes(pager, repeated)
    (False, True)
    """
    if message.kind == "repeat":
        return getattr(channel, "repeat_seconds", None) is None
    return message.update not in SHOWN_UPDATES or bool(getattr(channel, "shows_answers", False))


def next_batch(waiting: Sequence[Delivery], max_single: int) -> list[Delivery]:
    """What to send next as one message, of what waits in order.

    What may have arrived is sent again whole, under the same key. Otherwise the first notification is sent by itself;
    with more than `max_single` waiting, all that waits becomes one digest.

    Examples
    --------
    >>> def waits(number, notice, fingerprint):
    ...     message = Message(kind="firing", fingerprint=fingerprint, episode_ns=0, labels={})
    ...     return Delivery(number, message, notice, attempts=0, queued_ns=0, uncertain=False)
    >>> waiting = [waits(1, "g", "a"), waits(2, "g", "b"), waits(3, "h", "c")]
    >>> [one.id for one in next_batch(waiting, max_single=5)], [one.id for one in next_batch(waiting, max_single=1)]
    ([1, 2], [1, 2, 3])
    """
    uncertain = [delivery for delivery in waiting if delivery.uncertain]
    if uncertain:
        return uncertain
    if is_digest(waiting, max_single):
        return _one_of_each(waiting)
    return _one_of_each([delivery for delivery in waiting if delivery.notice == waiting[0].notice])


def is_digest(waiting: Sequence[Delivery], max_single: int) -> bool:
    """Whether more notifications wait than are sent by themselves."""
    return len({delivery.notice for delivery in waiting}) > max_single


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


def backoff_seconds(failures: int, jitter: float, retry_after_seconds: float | None = None) -> float:
    """How long to wait after so many failures in a row; what the receiver asks for is obeyed.

    Examples
    --------
    >>> [backoff_seconds(failures, jitter=1.0) for failures in (1, 2, 3, 30)], backoff_seconds(1, 1.0, 7.0)
    ([0.5, 1.0, 2.0, 300.0], 7.0)
    """
    if retry_after_seconds is not None:
        return retry_after_seconds
    doubled: float = FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 30)
    return min(doubled, MAX_BACKOFF_SECONDS) * jitter
