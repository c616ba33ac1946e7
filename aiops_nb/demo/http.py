"""As much of HTTP/1.1 as the demo service needs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

MAX_BODY_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its body already read and dropped."""

    method: str
    path: str
    version: str
    keep_alive: bool
    user_agent: str


class BadRequestError(Exception):
    """The client does not speak HTTP."""


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read one request from a connection that may carry many.

    Raises
    ------
    BadRequestError
        If it is not HTTP, or its body is too long.
    """
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    await _drop_body(reader, headers.get("content-length", "0"))
    connection = headers.get("connection", "keep-alive" if words[2] == "HTTP/1.1" else "close")
    path = words[1].partition("?")[0]
    return Request(words[0], path, words[2], connection.lower() != "close", headers.get("user-agent", "-"))


async def _drop_body(reader: asyncio.StreamReader, length: str) -> None:
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        raise BadRequestError
    await reader.readexactly(int(length))


def response_bytes(status: int, body: bytes, *, keep_alive: bool, head_only: bool = False) -> bytes:
    """A complete response with a JSON body."""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    )
    return head.encode("ascii") + (b"" if head_only else body)


def combined_log_line(ip: str, request: Request, status: int, body_bytes: int, time_ns: int) -> str:
    """The request in the combined log format.

    Examples
    --------
    >>> combined_log_line("127.0.0.1", Request("GET", "/health", "HTTP/1.1", True, "curl"), 200, 15, 0)
    '127.0.0.1 - - [01/Jan/1970:00:00:00 +0000] "GET /health HTTP/1.1" 200 15 "-" "curl"'
    """
    when = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    line = f"{request.method} {request.path} {request.version}"
    return f'{ip} - - [{when}] "{line}" {status} {body_bytes} "-" "{request.user_agent}"'
