"""JSON lines from whoever sends datagrams to a port of ours."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress

from aiops_nb.collect.json_lines.inlet import JsonInlet
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.collect.sockets.address import bound_error, family_of
from aiops_nb.collect.sockets.listener import Listener
from aiops_nb.collect.sockets.wait import GATHER_BYTES
from aiops_nb.core.errors import ConfigError

_LARGEST_BYTES = 65_536
_LINE_END = ord("\n")
_OVERHEAD_BYTES = 64  # that empty datagrams count for something, or a flood of them would never be let go of
_COUNT_DROPS = 40 if sys.platform == "linux" else None  # SO_RXQ_OVFL of Linux, which Python does not name


class UdpListener(Listener[socket.socket]):
    """Reads JSON lines from datagrams, one or more lines in each; see `JsonLines` for what a line is.

    Datagrams have no flow control: what arrives while the buffer of the socket is full is lost, and counted where the
    system counts it (Linux), as soon as the next datagram is read.

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
    buffer_bytes
        What the system is asked to hold between two polls; it may grant less.

    Raises
    ------
    ConfigError
        If the address is not of this machine or the port is taken.

    Examples
    --------
    >>> listener = UdpListener()
    >>> with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    ...     _ = sender.sendto(b'{"time": 1780000000, "target": "checkout", "status_code": 200}', listener.address)
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
        name: str = "udp",
        host_label: str = "host",
        unknown_fields: UnknownFields = "drop",
        buffer_bytes: int = 4 << 20,
    ) -> None:
        if not 0 < buffer_bytes < 1 << 31:
            raise ConfigError.at("buffer_bytes", "a number >= 1 and < 2 GiB", buffer_bytes)
        super().__init__(name, _bound(listen_on, port, buffer_bytes), JsonInlet(name, host_label, unknown_fields))
        self._wait.add(self._bound, self._bound)
        self._room = memoryview(bytearray(GATHER_BYTES + _LARGEST_BYTES + 1))  # into one: a third less time a datagram
        self._datagrams_total = 0
        self._dropped_total: int | None = None if _COUNT_DROPS is None else 0

    @property
    def counters(self) -> Mapping[str, float]:
        """Datagrams, rows, bytes, rejected lines by reason; `dropped_total` where the system counts it."""
        dropped = {} if self._dropped_total is None else {"dropped_total": self._dropped_total}
        return {"datagrams_total": self._datagrams_total, **dropped, **self._inlet.counters}

    def _serve(self, bound: socket.socket) -> int:
        """All datagrams that have come, up to the size of a batch."""
        end = datagrams = 0
        with suppress(BlockingIOError, ConnectionResetError):  # on Windows a sender that is gone raises here
            end, datagrams = self._ended(self._first(bound)), 1
            while end + datagrams * _OVERHEAD_BYTES < GATHER_BYTES:
                end = self._ended(end + bound.recv_into(self._room[end:]))
                datagrams += 1
        self._datagrams_total += datagrams
        self._inlet.bytes_total += end - datagrams
        self._inlet.put(bytes(self._room[:end]))
        return end + (datagrams + 1) * _OVERHEAD_BYTES

    def _ended(self, end: int) -> int:
        """Put a line end after a datagram."""
        self._room[end] = _LINE_END
        return end + 1

    def _first(self, bound: socket.socket) -> int:
        """Bytes of a datagram; and how many the system has dropped: asked once a round, for it is slow."""
        if _COUNT_DROPS is None or sys.platform == "win32":
            return bound.recv_into(self._room)
        size, extras, _, _ = bound.recvmsg_into([self._room], socket.CMSG_SPACE(4))
        for _, kind, value in extras:
            if kind == _COUNT_DROPS:
                self._dropped_total = struct.unpack("I", value[:4])[0]
        return size


def _bound(listen_on: str, port: int, buffer_bytes: int) -> socket.socket:
    bound: socket.socket | None = None
    try:
        bound = socket.socket(family_of(listen_on, port), socket.SOCK_DGRAM)
        bound.bind((listen_on, port))
    except (OSError, OverflowError, TypeError) as problem:
        if bound is not None:
            bound.close()
        raise bound_error(listen_on, port, problem) from None
    with suppress(OSError):
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    if _COUNT_DROPS is not None:
        with suppress(OSError):
            bound.setsockopt(socket.SOL_SOCKET, _COUNT_DROPS, 1)
    bound.setblocking(False)
    return bound
