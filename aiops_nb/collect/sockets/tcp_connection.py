"""One TCP connection that brings lines."""

from __future__ import annotations

import socket
from contextlib import suppress

from aiops_nb.collect.json_lines.inlet import JsonInlet
from aiops_nb.collect.json_lines.line_buffer import LineBuffer

PIECE_BYTES = 1 << 18


class TcpConnection:
    """A connected socket that never blocks, the line that it has begun, and where its lines go.

    Parameters
    ----------
    connection
        The socket; owned from now on.
    inlet
        Takes the lines.
    max_line_bytes
        Longer lines are skipped and counted.
    """

    def __init__(self, connection: socket.socket, inlet: JsonInlet, max_line_bytes: int) -> None:
        connection.setblocking(False)
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.socket = connection
        self.received_bytes = 0
        self._inlet = inlet
        self._lines = LineBuffer(max_line_bytes=max_line_bytes, on_too_long=inlet.reject_too_long)

    def read(self) -> int:
        """Take what has come; how many bytes.

        Raises
        ------
        OSError
            If the connection broke.
        EOFError
            If the peer has ended it.
        """
        try:
            piece = self.socket.recv(PIECE_BYTES)
        except (BlockingIOError, InterruptedError):
            return 0
        if not piece:
            raise EOFError("the peer closed the connection")
        self._inlet.put(self._lines.feed(piece))
        self._inlet.bytes_total += len(piece)
        self.received_bytes += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close; a line that was begun counts as a line."""
        self.socket.close()
        self._inlet.put(self._lines.finish())
