"""What owns threads: the live run, the replay, the step store, self-observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.monitor.monitor import Monitor as Monitor
    from aiops_nb.monitor.run import Counters as Counters

__all__ = ["Counters", "Monitor"]
_HOMES = {
    "Counters": "aiops_nb.monitor.run",
    "Monitor": "aiops_nb.monitor.monitor",
}
__getattr__, __dir__ = lazily(__name__, _HOMES)
