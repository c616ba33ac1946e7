"""JSON lines from whoever connects to a TCP port of ours."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress

from aiops_nb.collect.json_lines.inlet import JsonInlet
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.collect.sockets.address import bound_error, family_of
from aiops_nb.collect.sockets.listener import Listener
from aiops_nb.collect.sockets.spare_file import MOST_WAITED_FOR, NO_MORE_FILES, SpareFile, takes_a_reserved_file
from aiops_nb.collect.sockets.tcp_connection import TcpConnection
from aiops_nb.core.errors import ConfigError

_ACCEPTED_AT_ONCE = 64


class TcpListener(Listener[TcpConnection | socket.socket]):
    """Listens on a port and reads newline-delimited JSON from every connection; see `JsonLines` for what a line is.

    Nothing is read that was not polled for: a slow engine slows the senders, through TCP itself, and loses nothing.

    Parameters
    ----------
    port
        0 takes a free one; see `address`.
    listen_on
        An address of this machine; whoever can reach it can send rows. By default nobody but this machine can.
    name
        The `source` of the rows.
    host_label
        The `target` of the samples that events of the older tool carry.
    unknown_fields
        What becomes of fields that no column is for: `drop` counts them, `keep` also puts them into `extra`.
    max_connections
        Further ones are closed at once and counted. So are those that would take one of the last 64 files that this
        process may open (`ulimit -n`; at most a quarter of them), and on Windows more than 500: its `select` waits for
        no more.
    max_line_bytes
        Longer lines are skipped and counted; a connection never holds more.

    Raises
    ------
    ConfigError
        If the address is not of this machine or the port is taken.

    Examples
    --------
    >>> listener = TcpListener()
    >>> with socket.create_connection(listener.address) as sender:
    ...     sender.sendall(b'{"time": 1780000000, "target": "checkout", "status_code": 200}' + bytes([10]))
    ...     batch = listener.poll(timeout_seconds=5)
    >>> batch["target"].to_pylist()
    ['checkout']
    >>> listener.close()
    """

    def __init__(
        self,
        port: int = 0,
        *,
        listen_on: str = "127.0.0.1",
        name: str = "tcp",
        host_label: str = "host",
        unknown_fields: UnknownFields = "drop",
        max_connections: int = 1000,
        max_line_bytes: int = 65_536,
    ) -> None:
        if max_connections < 1:
            raise ConfigError.at("max_connections", "a number >= 1", max_connections)
        super().__init__(name, _listening(listen_on, port), JsonInlet(name, host_label, unknown_fields, max_line_bytes))
        self._max_connections = min(max_connections, MOST_WAITED_FOR)
        self._max_line_bytes = max_line_bytes
        self._spare = SpareFile()
        self._connections: set[TcpConnection] = set()
        self._wait.add(self._bound, self._bound)
        self._totals = dict.fromkeys(("connections_total", "refused_total", "broken_total"), 0)

    @property
    def counters(self) -> Mapping[str, float]:
        """Connections, rows, bytes, and rejected lines by reason."""
        return {"connections": len(self._connections), **self._totals, **self._inlet.counters}

    def _release(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._spare.close()

    def _serve(self, source: TcpConnection | socket.socket) -> int:
        return self._read(source) if isinstance(source, TcpConnection) else self._accept(source)

    def _read(self, connection: TcpConnection) -> int:
        try:
            return connection.read()
        except OSError:
            self._totals["broken_total"] += 1
        except EOFError:
            pass
        self._connections.discard(connection)
        self._wait.remove(connection.socket)
        connection.close()
        return 0

    def _accept(self, listener: socket.socket) -> int:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, _ = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                break
            except OSError as problem:
                if problem.errno not in NO_MORE_FILES:
                    raise
                self._turn_away(listener)
                break  # those that are there come first
            self._admit(accepted)
        return 0

    def _turn_away(self, listener: socket.socket) -> None:
        with self._spare.lent(), suppress(OSError):
            listener.accept()[0].close()
            self._totals["refused_total"] += 1

    def _admit(self, accepted: socket.socket) -> None:
        if len(self._connections) >= self._max_connections or takes_a_reserved_file(accepted.fileno()):
            self._totals["refused_total"] += 1
            accepted.close()
            return
        connection = TcpConnection(accepted, self._inlet, self._max_line_bytes)
        self._connections.add(connection)
        self._wait.add(accepted, connection)
        self._totals["connections_total"] += 1


def _listening(listen_on: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((listen_on, port), family=family_of(listen_on, port), backlog=128)
    except (OSError, OverflowError, TypeError) as problem:
        raise bound_error(listen_on, port, problem) from None
    listener.setblocking(False)
    return listener
