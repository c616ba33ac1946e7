"""JSON lines from a TCP server that we connect to, again and again."""

from __future__ import annotations

import errno
import os
import random
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import pyarrow as pa

from aiops_nb.collect.backoff import Backoff
from aiops_nb.collect.json_lines.decoder import RejectedLine
from aiops_nb.collect.json_lines.inlet import JsonInlet
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.collect.names import ascii_host
from aiops_nb.collect.sockets.address import check_host, check_port
from aiops_nb.collect.sockets.tcp_connection import TcpConnection
from aiops_nb.collect.sockets.wait import SocketWait
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.schemas import empty_batch

CONNECT_SECONDS = 5.0
_Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
_BEGUN = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EWOULDBLOCK))


class TcpClient:
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
        self.name = name
        self._host, self._port, self._max_line_bytes = host, port, max_line_bytes
        self.backoff = Backoff(
            clock or SystemClock(),
            rng,
            first_seconds=first_backoff_seconds,
            longest_seconds=longest_backoff_seconds,
        )
        self._inlet = JsonInlet(name, host_label or host, unknown_fields, max_line_bytes)
        self._wait: SocketWait[TcpConnection | None] = SocketWait()
        self._connection: TcpConnection | None = None
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._problem = "not connected yet"
        self._totals = dict.fromkeys(("connections_total", "failures_total"), 0)

    @property
    def counters(self) -> Mapping[str, float]:
        """Connections, failures, rows, bytes, and rejected lines by reason."""
        return {"connections": int(self._connection is not None), **self._totals, **self._inlet.counters}

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, and why."""
        return self._inlet.rejected

    @property
    def unknown_fields(self) -> Mapping[str, int]:
        """How often each field came that no column is for; at most 100 names, the rest as `__other__`."""
        return self._inlet.unknown_fields

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next rows; an empty batch if none came; None after `close`.

        Raises
        ------
        OSError
            While there is no connection. An attempt may take 5 s.
        """
        with self._lock:
            try:
                batch = self._next(timeout_seconds)
            except OSError:
                if not self._closing.is_set():
                    raise
        if self._closing.is_set():
            return None
        return empty_batch("requests") if batch is None else batch

    def close(self) -> None:
        """Close the connection; ends a waiting `poll`."""
        self._closing.set()
        self._wait.wake()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._wait.close()

    def _next(self, timeout_seconds: float) -> pa.RecordBatch | None:
        batch = None if self._closing.is_set() else self._inlet.take()
        if batch is not None or self._closing.is_set():
            return batch
        if self._connection is None:
            self._connect(timeout_seconds)
        self._wait.drain(timeout_seconds, self._read)
        return self._inlet.take()

    def _connect(self, timeout_seconds: float) -> None:
        self._closing.wait(min(self.backoff.left_seconds, timeout_seconds))
        if self.backoff.left_seconds > 0:
            raise ConnectionError(f"{self._host}:{self._port}: {self._problem}")
        try:
            connected = self._opened()
        except OSError as problem:
            self._failed(problem.strerror or str(problem))
            raise ConnectionError(f"{self._host}:{self._port}: {self._problem}") from None
        self._connection = TcpConnection(connected, self._inlet, self._max_line_bytes)
        self._wait.add(connected, self._connection)
        self._totals["connections_total"] += 1

    def _opened(self) -> socket.socket:
        """Connected to the first address of the host that answers."""
        problem = OSError("the host has no address")
        for family, address in _addresses(ascii_host(self._host), self._port):
            attempt = socket.socket(family, socket.SOCK_STREAM)
            code = self._attempt(attempt, address)
            if code == 0:
                return attempt
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

    def _failed(self, problem: str) -> None:
        self._problem = problem
        self._totals["failures_total"] += 1
        self.backoff.failed()


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
