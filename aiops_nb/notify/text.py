"""Messages for people: a title, and a body that reads well on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.notify.message import Message, rfc3339

MAX_LISTED = 20


def subject(messages: Sequence[Message]) -> str:
    """One line for one message or for a digest.

    Examples
    --------
    >>> one = Message(kind="firing", fingerprint="f", episode_ns=0, labels={"alertname": "http_5xx", "target": "shop"})
    >>> subject([one]), subject([one, one])
    ('FIRING: http_5xx on shop', '2 firing, 0 resolved')
    """
    if len(messages) == 1:
        return messages[0].title
    firing = sum(message.kind == "firing" for message in messages)
    return f"{firing} firing, {len(messages) - firing} resolved"


def body(messages: Sequence[Message]) -> str:
    """Plain text: all facts of one message; of a digest a line each, worst first, and how many more there are."""
    if len(messages) == 1:
        return "\n".join(facts(messages[0]))
    listed = worst_first(messages)[:MAX_LISTED]
    lines = [f"{message.title}: {message.summary}" for message in listed]
    more = len(messages) - len(listed)
    return "\n".join([*lines, f"and {more} more"] if more else lines)


def facts(message: Message) -> list[str]:
    """What, since when, how bad, in lines.

    Examples
    --------
    >>> ended = Message(
    ...     kind="resolved", fingerprint="f", episode_ns=0, labels={}, summary="502", ends_at_ns=9 * 10**10
    ... )
    >>> facts(ended)[0], facts(ended)[-1]
    ('502', 'Resolved: 1970-01-01T00:01:30.000Z, after 0:01:30')
    """
    lines = [message.summary] if message.summary else []
    lines += [f"Severity: {message.severity}", f"Firing since: {rfc3339(message.starts_at_ns)}"]
    if message.ends_at_ns is not None:
        seconds = max(0, message.ends_at_ns - message.starts_at_ns) / NS_PER_SECOND
        lines.append(f"Resolved: {rfc3339(message.ends_at_ns)}, after {timedelta(seconds=round(seconds))}")
    if message.outcome:
        lines.append(f"Why it ended: {message.outcome}")
    return lines


def worst_first(messages: Sequence[Message]) -> list[Message]:
    """Firing before resolved, then by severity; else in order."""
    rank = {"critical": 0, "error": 1, "warning": 2, "info": 3}
    return sorted(messages, key=lambda message: (message.kind != "firing", rank.get(message.severity, 2)))
