"""Which notebook cell is running, so that the monitors of its earlier run can be stopped."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import ref


class Stoppable(Protocol):
    """What a cell may have started: a monitor."""

    def stop(self) -> None:
        """End it."""
        ...


_lock = threading.Lock()
_begun: list[tuple[tuple[str, str], ref[Stoppable]]] = []


def running_request() -> Mapping[str, Any]:
    """The execute request of the running cell; empty where there is no kernel."""
    getipython = sys.modules.get("IPython.core.getipython")
    kernel = getattr(getipython.get_ipython(), "kernel", None) if getipython is not None else None
    request: Mapping[str, Any] = kernel.get_parent("shell") if kernel is not None else {}
    return request


def running_cell(request: Mapping[str, Any]) -> tuple[str, str]:
    """Identity of the cell of a request, and of this run of it; empty where it is not known.

    Examples
    --------
    >>> running_cell({"metadata": {"cellId": "c1"}, "header": {"msg_id": "m7"}}), running_cell({})
    (('c1', 'm7'), ('', ''))
    """
    cell = str(request.get("metadata", {}).get("cellId") or "")
    return (cell, str(request.get("header", {}).get("msg_id", ""))) if cell else ("", "")


def stop_earlier(here: tuple[str, str]) -> list[Stoppable]:
    """Stop and return the monitors that an earlier run of this cell started: its variable is about to be rebound."""
    cell, run = here
    with _lock:
        earlier = [monitor() for (its_cell, its_run), monitor in _begun if its_cell == cell and its_run != run]
        _begun[:] = [entry for entry in _begun if entry[1]() is not None and entry[1]() not in earlier]
    stopped = [monitor for monitor in earlier if monitor is not None]
    for monitor in stopped:
        monitor.stop()
    return stopped


def note_begun(here: tuple[str, str], monitor: Stoppable) -> None:
    """Remember the monitor that this run of the cell started."""
    if here[0]:
        with _lock:
            _begun.append((here, ref(monitor)))
