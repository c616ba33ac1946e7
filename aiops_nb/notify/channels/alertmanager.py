"""Alerts to a real Alertmanager, which then groups, silences and routes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aiops_nb.core.references import resolved_text
from aiops_nb.notify.channels.http import Poster
from aiops_nb.notify.channels.webhook import alert_annotations
from aiops_nb.notify.message import Message, rfc3339
from aiops_nb.notify.params import AlertmanagerParams

_NOT_A_LABEL = re.compile(r"[^a-zA-Z0-9_]")


class AlertmanagerNotifier:
    """POSTs to `/api/v2/alerts`; sending one again is harmless, so a crash doubles nothing.

    Open alerts are sent again every `repeat_seconds`; if we are gone for longer than Alertmanager's `resolve_timeout`
    (5 min by default), it resolves them by itself.
    """

    max_single = 0
    max_batch = 500
    min_interval_seconds = 0.0

    def __init__(self, params: AlertmanagerParams) -> None:
        self.name = params.name
        self.repeat_seconds: float | None = params.repeat_seconds
        self._params = params
        self._poster = Poster(params.timeout_seconds)

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """POST them; see `Notifier.send`."""
        url = resolved_text(self._params.url, "url").rstrip("/") + "/api/v2/alerts"
        headers = {name: resolved_text(value, f"headers.{name}") for name, value in self._params.headers.items()}
        self._poster.post(url, [_alert(message) for message in messages], headers)
        return {}

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def _alert(message: Message) -> dict[str, object]:
    labels = {_NOT_A_LABEL.sub("_", name): value for name, value in message.labels.items()}
    alert: dict[str, object] = {
        "labels": labels,
        "annotations": alert_annotations(message),
        "startsAt": rfc3339(message.starts_at_ns),
    }
    if message.ends_at_ns is not None:
        alert["endsAt"] = rfc3339(message.ends_at_ns)
    return alert
