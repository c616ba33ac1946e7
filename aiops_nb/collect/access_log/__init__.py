"""Access logs: follow a file, parse its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.collect.access_log.collector import AccessLog as AccessLog
    from aiops_nb.collect.access_log.collector import read_access_log as read_access_log
    from aiops_nb.collect.access_log.lines import AccessLogLines as AccessLogLines

__all__ = ["AccessLog", "AccessLogLines", "read_access_log"]
__getattr__, __dir__ = lazily(
    __name__,
    {
        "AccessLog": "aiops_nb.collect.access_log.collector",
        "AccessLogLines": "aiops_nb.collect.access_log.lines",
        "read_access_log": "aiops_nb.collect.access_log.collector",
    },
)
