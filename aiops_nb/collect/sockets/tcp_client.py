"""JSON lines from a TCP server that we connect to, again and again."""

from __future__ import annotations

import errno
import os
import random
import socket
import sys
from collections.abc import Iterator
from typing import TypeAlias

from aiops_nb.collect.backoff import Backoff
from aiops_nb.collect.json_lines.inlet import JsonInlet
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.collect.names import ascii_host
from aiops_nb.collect.sockets.address import check_host, check_port
from aiops_nb.collect.sockets.reconnecting import ReconnectingClient
from aiops_nb.collect.sockets.tcp_connection import TcpConnection
from aiops_nb.collect.sockets.wait import SocketWait
from aiops_nb.core.clock import Clock, SystemClock

CONNECT_SECONDS = 5.0
_Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
_BEGUN = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EWOULDBLOCK))


class TcpClient(ReconnectingClient[TcpConnection]):
    """Connects to a server and reads newline-delimited JSON from it; see `JsonLines` for what a line is.

    A connection that ends or cannot be made is tried again, later each time. Until it works, `poll` raises OSError, so
    that the gap is shown as one; no row is invented for it, and what was sent meanwhile is not asked for again.

    Parameters
    ----------
    host, port
        Of the server.
    name
        The `source` of the rows.
    host_label
        The `target` of the samples that events of the older tool carry; by default the server's name.
    unknown_fields
        What becomes of fields that no column is for: `drop` counts them, `keep` also puts them into `extra`.
    max_line_bytes
        Longer lines are skipped and counted.
    first_backoff_seconds, longest_backoff_seconds
        The wait after the first failure, which doubles up to the limit.
    clock
        Measures how much of a wait has passed.
    rng
        Draws the jitter of the waits.

    Raises
    ------
    ConfigError
        If the port cannot be one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        name: str = "tcp",
        host_label: str | None = None,
        unknown_fields: UnknownFields = "drop",
        max_line_bytes: int = 65_536,
        first_backoff_seconds: float = 0.5,
        longest_backoff_seconds: float = 30.0,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        check_host(host)
        check_port(port)
        inlet = JsonInlet(name, host_label or host, unknown_fields, max_line_bytes)
        backoff = Backoff(
            clock or SystemClock(),
            rng,
            first_seconds=first_backoff_seconds,
            longest_seconds=longest_backoff_seconds,
        )
        super().__init__(name, f"{host}:{port}", inlet, backoff)
        self._host, self._port, self._max_line_bytes = host, port, max_line_bytes
        self._wait: SocketWait[TcpConnection | None] = SocketWait()

    def close(self) -> None:
        """Close the connection; ends a waiting `poll`."""
        self._closing.set()
        self._wait.wake()
        with self._lock:
            self._hang_up()
            self._wait.close()

    def _gather(self, timeout_seconds: float) -> None:
        self._wait.drain(timeout_seconds, self._read)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> TcpConnection:
        """To the first address of the host that answers."""
        problem = OSError("the host has no address")
        for family, address in _addresses(ascii_host(self._host), self._port):
            attempt = socket.socket(family, socket.SOCK_STREAM)
            code = self._attempt(attempt, address)
            if code == 0:
                connection = TcpConnection(attempt, self._inlet, self._max_line_bytes)
                self._wait.add(attempt, connection)
                return connection
            attempt.close()
            problem = OSError(code, _words(code))
        raise problem

    def _attempt(self, attempt: socket.socket, address: _Address) -> int:
        """Begin to connect, wait for the end of it; the error number."""
        attempt.setblocking(False)
        code = attempt.connect_ex(address)
        if code not in _BEGUN:
            return code
        self._wait.add(attempt, None, writable=True)
        self._wait.wait(CONNECT_SECONDS)
        self._wait.remove(attempt)
        return attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or _peer_errno(attempt)

    def _read(self, connection: TcpConnection | None) -> int:
        if connection is None:
            return 0
        try:
            return connection.read()
        except (OSError, EOFError) as problem:
            self._drop(connection, getattr(problem, "strerror", None) or str(problem))
        return 0

    def _drop(self, connection: TcpConnection, problem: str) -> None:
        self._connection = None
        self._wait.remove(connection.socket)
        if connection.received_bytes:
            self.backoff.succeeded()  # not before: a server may accept and say nothing
        self._failed(problem)
        connection.close()


def _addresses(host: str, port: int) -> Iterator[tuple[int, _Address]]:
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        yield family, address


def _words(code: int) -> str:
    if sys.platform == "win32":  # whose socket errors strerror does not know
        import ctypes

        return ctypes.FormatError(code)
    return os.strerror(code)


def _peer_errno(attempt: socket.socket) -> int:
    """0 if connected."""
    try:
        attempt.getpeername()
    except OSError:
        return errno.ETIMEDOUT
    return 0
