"""From alert changes to messages: what of the stream matters, the log, a thread a channel, and the charts."""

from __future__ import annotations

from aiops_nb.monitor.notifications.sink import Notifications, notifications_frame, open_notifications

__all__ = ["Notifications", "notifications_frame", "open_notifications"]
