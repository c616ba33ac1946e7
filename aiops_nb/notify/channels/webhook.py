"""Alertmanager's webhook payload, version 4, to any URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from aiops_nb.core.references import resolved_text
from aiops_nb.notify.channels.http import Poster
from aiops_nb.notify.message import Message, rfc3339
from aiops_nb.notify.params import WebhookParams

ZERO_TIME = "0001-01-01T00:00:00Z"  # Alertmanager's way to say: not yet


class WebhookNotifier:
    """POSTs one payload a notification; `Idempotency-Key`, a hash of its messages, lets the receiver drop a copy.

    The payload is that of Alertmanager's `webhook_config` (version "4").
    """

    max_single = 5
    max_batch = 1000
    min_interval_seconds = 0.0
    repeat_seconds: float | None = None

    def __init__(self, params: WebhookParams) -> None:
        self.name = params.name
        self._params = params
        self._poster = Poster(params.timeout_seconds)

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """POST them; see `Notifier.send`."""
        url = resolved_text(self._params.url, "url")
        headers = {name: resolved_text(value, f"headers.{name}") for name, value in self._params.headers.items()}
        key = sha256("\n".join(message.idempotency_key for message in messages).encode()).hexdigest()[:32]
        self._poster.post(url, payload(messages, self.name), {**headers, "Idempotency-Key": key})
        return {}

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def payload(messages: Sequence[Message], receiver: str) -> dict[str, Any]:
    """The webhook's JSON: `status` is firing while one of the alerts is.

    Examples
    --------
    >>> one = Message(kind="firing", fingerprint="f", episode_ns=0, labels={"alertname": "a"}, summary="s")
    >>> made = payload([one], "hook")
    >>> made["version"], made["status"], made["alerts"][0]["annotations"], made["commonLabels"]
    ('4', 'firing', {'summary': 's'}, {'alertname': 'a'})
    """
    group = messages[0].group if all(one.group == messages[0].group for one in messages) else {}
    return {
        "version": "4",
        "groupKey": group_key(group),
        "truncatedAlerts": 0,
        "status": "firing" if any(message.kind != "resolved" for message in messages) else "resolved",
        "receiver": receiver,
        "groupLabels": group,
        "commonLabels": _common([message.labels for message in messages]),
        "commonAnnotations": _common([alert_annotations(message) for message in messages]),
        "externalURL": "",
        "alerts": [_alert(message) for message in messages],
    }


def alert_annotations(message: Message) -> dict[str, str]:
    """What is said of the alert: never part of its identity."""
    made = {"summary": message.summary}
    more = {"outcome": message.outcome, "phase": message.phase, "acknowledged_by": message.acknowledged_by}
    more |= {"note": message.note, "update": message.update}
    return made | {name: text for name, text in more.items() if text}


def group_key(group: Mapping[str, str]) -> str:
    """As Alertmanager writes it.

    Examples
    --------
    >>> group_key({"target": "shop"})
    '{}:{target="shop"}'
    """
    return "{}:{" + ", ".join(f'{name}="{value}"' for name, value in group.items()) + "}"


def _alert(message: Message) -> dict[str, Any]:
    return {
        "status": "resolved" if message.kind == "resolved" else "firing",
        "labels": message.labels,
        "annotations": alert_annotations(message),
        "startsAt": rfc3339(message.starts_at_ns),
        "endsAt": ZERO_TIME if message.ends_at_ns is None else rfc3339(message.ends_at_ns),
        "generatorURL": "",
        "fingerprint": message.fingerprint,
    }


def _common(mappings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *rest = mappings
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in rest)}
