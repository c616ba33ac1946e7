"""The requests and JSON lines of jobs: one at a time, each within a deadline.

Not `http.server`: its time-out is of each read, so that a client that sends a byte a second would hold up the poll.
"""

from __future__ import annotations

import hmac
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException, parse_headers
from io import BytesIO

import msgspec

from aiops_nb.collect.sockets.address import bound_error, family_of

CLIENT_SECONDS = 1.0
MOST_BYTES = 16_384
PREFIX = "/heartbeat/"


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """A JSON line by which a job reports."""

    heartbeat: str
    token: str = ""


class ReportListener:
    """Takes `GET` or `POST /heartbeat/NAME` with the header `Authorization: Bearer TOKEN`, or one JSON line.

    The line is `{"heartbeat": NAME, "token": TOKEN}`; the answer is a line with the status, such as `204 No Content`.

    Parameters
    ----------
    listen_on, port
        Address; port 0 takes a free one.
    token
        What requests must carry.
    report
        Notes the report of a job; false if there is no such job.
    refused
        Called for each request that is not taken.

    Raises
    ------
    ConfigError
        If the address is not of this machine or the port is taken.
    """

    def __init__(
        self, listen_on: str, port: int, token: str, report: Callable[[str], bool], refused: Callable[[], None]
    ) -> None:
        self._expected = f"Bearer {token}".encode()
        self._token = token.encode()
        self._report, self._refused = report, refused
        try:
            self._listener = socket.create_server((listen_on, port), family=family_of(listen_on, port))
        except (OSError, OverflowError, TypeError) as problem:
            raise bound_error(listen_on, port, problem) from None
        self.address: tuple[str, int] = self._listener.getsockname()[:2]

    def serve(self, wait_seconds: float) -> None:
        """Answer the next request, if one comes in time."""
        self._listener.settimeout(wait_seconds)
        try:
            connection, _ = self._listener.accept()
        except (TimeoutError, BlockingIOError, ConnectionAbortedError):
            return
        with connection, suppress(OSError):
            head = _head(connection)
            is_line = head.startswith(b"{")
            status = self._status_of_line(head) if is_line else self._status(head)
            if status is not HTTPStatus.NO_CONTENT:
                self._refused()
            connection.settimeout(CLIENT_SECONDS)
            answer = f"{status.value} {status.phrase}\n"
            if not is_line:
                answer = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            connection.sendall(answer.encode())

    def _status(self, head: bytes) -> HTTPStatus:
        line, _, headers = head.partition(b"\r\n")
        method, _, rest = line.decode("latin-1").partition(" ")
        path = rest.partition(" ")[0]
        if method not in ("GET", "POST") or not path.startswith("/"):
            return HTTPStatus.BAD_REQUEST
        try:
            given = parse_headers(BytesIO(headers)).get("Authorization", "")
        except HTTPException:
            return HTTPStatus.BAD_REQUEST
        if not hmac.compare_digest(given.encode("latin-1", "replace"), self._expected):
            return HTTPStatus.UNAUTHORIZED
        known = path.startswith(PREFIX) and self._report(path.removeprefix(PREFIX))
        return HTTPStatus.NO_CONTENT if known else HTTPStatus.NOT_FOUND

    def _status_of_line(self, line: bytes) -> HTTPStatus:
        try:
            report = msgspec.json.decode(line, type=Report)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return HTTPStatus.BAD_REQUEST
        if not hmac.compare_digest(report.token.encode("utf-8", "surrogatepass"), self._token):
            return HTTPStatus.UNAUTHORIZED
        return HTTPStatus.NO_CONTENT if self._report(report.heartbeat) else HTTPStatus.NOT_FOUND

    def close(self) -> None:
        """Close the port."""
        self._listener.close()


def _head(connection: socket.socket) -> bytes:
    """A line that begins with a brace, or everything before the body; what comes within the deadline and the limit."""
    deadline = time.monotonic() + CLIENT_SECONDS
    head = bytearray()
    while not _is_whole(head) and len(head) <= MOST_BYTES:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        connection.settimeout(left)
        try:
            piece = connection.recv(4096)
        except TimeoutError:
            break
        if not piece:
            break
        head += piece
    if head.startswith(b"{"):
        return bytes(head).partition(b"\n")[0]
    whole, end, _ = bytes(head).partition(b"\r\n\r\n")
    return whole + end


def _is_whole(head: bytearray) -> bool:
    return (b"\n" if head.startswith(b"{") else b"\r\n\r\n") in head
