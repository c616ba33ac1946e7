"""The channels that there are, by their parameters."""

from __future__ import annotations

from importlib import import_module

from aiops_nb.notify.message import Notifier
from aiops_nb.notify.params import (
    AlertmanagerParams,
    AppriseParams,
    ChannelParams,
    EmailParams,
    PagerDutyParams,
    SlackParams,
    WebhookParams,
)

# Modules are loaded when a channel is made: an unused one costs nothing.
_CLASSES: dict[type[ChannelParams], tuple[str, str]] = {
    AlertmanagerParams: ("alertmanager", "AlertmanagerNotifier"),
    AppriseParams: ("apprise", "AppriseNotifier"),
    EmailParams: ("smtp", "EmailNotifier"),
    PagerDutyParams: ("pagerduty", "PagerDutyNotifier"),
    SlackParams: ("slack", "SlackNotifier"),
    WebhookParams: ("webhook", "WebhookNotifier"),
}


def make_notifier(params: ChannelParams) -> Notifier:
    """The channel that these parameters describe; nothing is sent yet.

    Examples
    --------
    >>> make_notifier(WebhookParams(url="http://127.0.0.1:9/", name="chat")).name
    'chat'
    """
    module, name = _CLASSES[type(params)]
    made: Notifier = getattr(import_module(f"aiops_nb.notify.{module}"), name)(params)
    return made
