"""Notification channels: what is sent about an alert, by which channel, and the durable log that sends it once.

Importing this package is cheap: each public name loads its module on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.notify.message import DeliveryError as DeliveryError
    from aiops_nb.notify.message import Message as Message
    from aiops_nb.notify.message import Notifier as Notifier
    from aiops_nb.notify.message import RejectedError as RejectedError
    from aiops_nb.notify.params import ChannelParams as ChannelParams
    from aiops_nb.notify.params import NotifyParams as NotifyParams
    from aiops_nb.notify.registry import NotifierSpec as NotifierSpec
    from aiops_nb.notify.registry import notifiers as notifiers

_MODULES = {
    "ChannelParams": "params",
    "DeliveryError": "message",
    "Message": "message",
    "Notifier": "message",
    "NotifierSpec": "registry",
    "NotifyParams": "params",
    "RejectedError": "message",
    "notifiers": "registry",
}
__all__ = [
    "ChannelParams",
    "DeliveryError",
    "Message",
    "Notifier",
    "NotifierSpec",
    "NotifyParams",
    "RejectedError",
    "notifiers",
]
__getattr__, __dir__ = lazily(__name__, {name: f"aiops_nb.notify.{module}" for name, module in _MODULES.items()})
