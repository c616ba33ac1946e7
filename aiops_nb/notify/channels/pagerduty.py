"""PagerDuty's Events API, version 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiops_nb.core.references import resolved_text
from aiops_nb.notify.channels.http import Poster
from aiops_nb.notify.message import Message, rfc3339
from aiops_nb.notify.params import PagerDutyParams
from aiops_nb.notify.templates import Texts

MAX_SUMMARY_CHARACTERS = 1024


class PagerDutyNotifier:
    """One event a message; the episode's `dedup_key` makes a second copy harmless."""

    max_single = 1_000_000
    max_batch = 1
    min_interval_seconds = 0.5  # 120 events a minute and integration key
    repeat_seconds: float | None = None
    shows_answers = True

    def __init__(self, params: PagerDutyParams) -> None:
        self.name = params.name
        self.texts = Texts()
        self._params = params
        self._poster = Poster(params.timeout_seconds)

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Enqueue the events; see `Notifier.send`."""
        key = resolved_text(self._params.routing_key, "routing_key")
        for message in messages:
            made = {"routing_key": key, **event(message, self.texts)}
            self._poster.post(self._params.api_url, made, hide=[key], shown="PagerDuty")
        return {message.fingerprint: message.dedup_key for message in messages}

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def event(message: Message, texts: Texts) -> dict[str, Any]:
    """The event without its routing key.

    Examples
    --------
    >>> made = event(Message(kind="resolved", fingerprint="f", episode_ns=3, labels={"target": "shop"}), Texts())
    >>> made["event_action"], made["dedup_key"], made["payload"]["source"]
    ('resolve', 'aiops_nb-f-3', 'shop')
    """
    links = [{"text": word, "href": url} for word, url in texts.link_lines(message).items()]
    return {
        "event_action": _action(message),
        "dedup_key": message.dedup_key,
        "client": "aiops_nb",
        "links": links,
        "payload": {
            "summary": f"{texts.title([message])}: {message.summary}"[:MAX_SUMMARY_CHARACTERS],
            "source": message.target or "aiops_nb",
            "severity": message.severity,
            "timestamp": rfc3339(message.starts_at_ns),
            "class": message.labels.get("alertname", ""),
            "custom_details": message.labels,
        },
    }


def _action(message: Message) -> str:
    if message.kind == "resolved":
        return "resolve"
    return "acknowledge" if message.update == "acknowledged" else "trigger"
