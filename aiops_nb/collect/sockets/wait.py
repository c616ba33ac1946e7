"""Waiting for sockets, from which another thread can wake."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

_Source = TypeVar("_Source")
GATHER_BYTES = 1 << 20  # some 5,000 events
GATHER_SECONDS = 0.05


class SocketWait(Generic[_Source]):
    """A selector over the sockets of sources of one kind, and a way to end its wait from elsewhere."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wakes, self._waker = socket.socketpair()
        self._wakes.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._wakes, selectors.EVENT_READ, None)

    def add(self, connection: socket.socket, source: _Source, *, writable: bool = False) -> None:
        """Wait for this one too: for bytes, or until it can be written to."""
        self._selector.register(connection, selectors.EVENT_WRITE if writable else selectors.EVENT_READ, source)

    def remove(self, connection: socket.socket) -> None:
        """Wait for it no more; before it is closed."""
        self._selector.unregister(connection)

    def wait(self, timeout_seconds: float) -> list[_Source]:
        """The sources that are ready; none after the timeout or a wake."""
        ready = self._selector.select(max(0.0, timeout_seconds))
        return [key.data for key, _ in ready if key.data is not None]

    def drain(self, timeout_seconds: float, read: Callable[[_Source], int]) -> None:
        """Call `read`, which returns how many bytes it read, for each source that is ready, until the timeout.

        It ends after 1 MiB, or a moment after the first bytes, so that not every line is a batch of its own.
        """
        end_seconds = time.monotonic() + timeout_seconds
        read_bytes = 0
        while ready := self.wait(end_seconds - time.monotonic()):
            is_first = read_bytes == 0
            read_bytes += sum(read(source) for source in ready)
            if is_first and read_bytes:
                end_seconds = min(end_seconds, time.monotonic() + GATHER_SECONDS)
            if read_bytes >= GATHER_BYTES or time.monotonic() >= end_seconds:
                return

    def wake(self) -> None:
        """End every wait from now on at once; from any thread."""
        with suppress(OSError):  # full: it is awake; closed: nobody waits
            self._waker.send(b"\0")

    def close(self) -> None:
        """Release the selector; not the sockets that were added."""
        for end in (self._wakes, self._waker):
            end.close()
        self._selector.close()
