"""The services that Apprise knows: Teams, Discord, Telegram, ntfy, Matrix and a hundred more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiops_nb.core.errors import MissingExtraError
from aiops_nb.core.references import resolved_text
from aiops_nb.notify.channels.hiding import quiet_libraries
from aiops_nb.notify.message import DeliveryError, Message, RejectedError
from aiops_nb.notify.params import AppriseParams
from aiops_nb.notify.templates import Texts, worst_first

TYPES = {"critical": "failure", "error": "failure", "warning": "warning", "info": "info"}


class AppriseNotifier:
    """Hands a title and a message to Apprise 2; it does not say which of several URLs failed, so use one a channel.

    Raises
    ------
    MissingExtraError
        Without Apprise.
    RejectedError
        For a URL that Apprise does not know.
    """

    max_single = 5
    max_batch = 1000
    min_interval_seconds = 1.0
    repeat_seconds: float | None = None

    def __init__(self, params: AppriseParams) -> None:
        self.name = params.name
        self.texts = Texts()
        try:
            import apprise
        except ImportError:
            raise MissingExtraError("apprise", "notify") from None
        self._service: Any = apprise.Apprise()
        for index, reference in enumerate(params.urls):
            with quiet_libraries():
                is_known = self._service.add(resolved_text(reference, f"urls[{index}]"))
            if not is_known:
                raise RejectedError(
                    f"urls[{index}]: expected an Apprise URL, got one that it does not know (not shown)"
                )

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Send by each URL; see `Notifier.send`."""
        worst = worst_first(messages)[0]
        kind = "success" if worst.kind == "resolved" else TYPES.get(worst.severity, "warning")
        title, body = self.texts.title(messages), self.texts.text(messages)
        with quiet_libraries():
            delivered = self._service.notify(title=title, body=body, notify_type=kind, body_format="text")
        if not delivered:
            raise DeliveryError(f"{self.name}: Apprise could not deliver")
        return {}

    def close(self) -> None:
        """Nothing is kept open."""
