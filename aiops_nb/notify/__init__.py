"""Notification channels: what is sent about an alert, by which channel, and the durable log that sends it once."""

from __future__ import annotations

from aiops_nb.notify.message import DeliveryError, Message, Notifier, RejectedError
from aiops_nb.notify.params import NotifyParams

__all__ = ["DeliveryError", "Message", "Notifier", "NotifyParams", "RejectedError"]
