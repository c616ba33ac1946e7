"""The answers to an alert that the alert table offers, and the commands that they are."""

from __future__ import annotations

import getpass
import secrets
from typing import Literal, TypeAlias, get_args

from aiops_nb.core.matchers import Matcher
from aiops_nb.core.quantities import exact_duration
from aiops_nb.core.types import AlertChange

Action: TypeAlias = Literal["acknowledge", "unacknowledge", "snooze", "silence", "unsilence"]
ACTIONS: tuple[Action, ...] = get_args(Action)
SNOOZE_SECONDS = 3_600.0
SILENCE_SECONDS = 7_200.0
Commands: TypeAlias = list[dict[str, object]]


def offered(change: AlertChange) -> list[list[str]]:
    """The actions that make sense for an alert now, each with its label.

    Examples
    --------
    >>> change = AlertChange(time_ns=0, state="firing", labels={"alertname": "a"}, fingerprint="f", pending_at_ns=0)
    >>> [label for _, label in offered(change)]
    ['Acknowledge', 'Snooze 1 h', 'Silence a 2 h']
    """
    if not change.is_active:
        return []
    known = ("unacknowledge", "Undo acknowledge") if change.acknowledged else ("acknowledge", "Acknowledge")
    if change.silenced_by:
        return [[*known], ["unsilence", "Undo silence"]]
    name = change.labels.get("alertname", "alert")
    snooze = f"Snooze {exact_duration(SNOOZE_SECONDS)}"
    silence = f"Silence {name} {exact_duration(SILENCE_SECONDS)}"
    return [[*known], ["snooze", snooze], ["silence", silence]]


def commands_of(action: str, change: AlertChange) -> Commands:
    """The commands that carry out an action; none for one that there is not.

    Examples
    --------
    >>> labels = {"alertname": "http_5xx", "target": "shop", "severity": "error"}
    >>> change = AlertChange(time_ns=0, state="firing", labels=labels, fingerprint="f", pending_at_ns=0)
    >>> [command] = commands_of("silence", change)
    >>> command["matchers"], command["hold_seconds"]
    (['alertname="http_5xx"', 'target="shop"'], 7200.0)
    """
    author = _user()
    fingerprint = change.fingerprint
    match action:
        case "acknowledge" | "unacknowledge":
            return [{"type": action, "fingerprint": fingerprint, "author": author}]
        case "snooze":
            return [_silence(author, SNOOZE_SECONDS, fingerprint=fingerprint)]
        case "silence":
            wanted = [name for name in ("alertname", "target") if name in change.labels]
            matchers = [str(Matcher(name, "=", change.labels[name])) for name in wanted]
            return [_silence(author, SILENCE_SECONDS, matchers=matchers)]
        case "unsilence":
            return [{"type": "end_silence", "id": one, "author": author} for one in change.silenced_by]
        case _:
            return []


def _silence(author: str, seconds: float, **about: object) -> dict[str, object]:
    fixed = {"type": "silence", "id": secrets.token_hex(4), "hold_seconds": seconds, "author": author}
    return fixed | {"reason": "from the dashboard"} | about


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def answer_text(change: AlertChange) -> str:
    """What people answered, in a phrase; empty while nobody has.

    Examples
    --------
    >>> change = AlertChange(time_ns=0, state="firing", labels={}, fingerprint="f", pending_at_ns=0)
    >>> answer_text(change)
    ''
    """
    parts = [f"acknowledged by {change.acknowledged_by or 'somebody'}"] if change.acknowledged else []
    parts += [f"silenced by {', '.join(change.silenced_by)}"] if change.silenced_by else []
    parts += ["flapping"] if change.flapping else []
    parts += [f"note: {change.note}"] if change.note else []
    return "; ".join(parts)
