"""What every listener on a port of ours shares: polled until it is closed, which any thread may do."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

import pyarrow as pa

from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.json_lines.inlet import JsonInlet
from aiops_nb.collect.sockets.wait import SocketWait
from aiops_nb.core.schemas import empty_batch

Source = TypeVar("Source")


class Listener(ABC, Generic[Source]):
    """A bound socket, what waits for it and for what is read from it, and where the lines go.

    Parameters
    ----------
    name
        The `source` of the rows.
    bound
        The socket; closed with the listener.
    inlet
        Takes what is read.
    """

    def __init__(self, name: str, bound: socket.socket, inlet: JsonInlet) -> None:
        self.name = name
        self._bound, self._inlet = bound, inlet
        self.address: tuple[str, int] = bound.getsockname()[:2]
        self._wait: SocketWait[Source] = SocketWait()
        self._closing, self._lock = threading.Event(), threading.Lock()

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, and why."""
        return self._inlet.rejected

    @property
    def unknown_fields(self) -> Mapping[str, int]:
        """How often each field came that no column is for; at most 100 names, the rest as `__other__`."""
        return self._inlet.unknown_fields

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next rows; an empty batch if none came; None after `close`."""
        with self._lock:
            if self._closing.is_set():
                return None
            batch = self._inlet.take()
            if batch is None:
                self._wait.drain(timeout_seconds, self._serve)
                batch = self._inlet.take()
        if batch is None and not self._closing.is_set():
            return empty_batch("requests")
        return batch

    def close(self) -> None:
        """Close the port and all connections; ends a waiting `poll`."""
        self._closing.set()
        self._wait.wake()
        with self._lock:
            self._release()
            self._bound.close()
            self._wait.close()

    @abstractmethod
    def _serve(self, source: Source) -> int:
        """Read what is ready, and return its bytes."""

    def _release(self) -> None:
        """Close what else is held."""
