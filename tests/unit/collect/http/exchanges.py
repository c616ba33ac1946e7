"""A server on loopback that keeps what it was asked, and one probe of it by each transfer."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiops_nb.collect.http.probe import HttpProbe, TransferKind
from aiops_nb.collect.http.target import ProbeTarget

TRANSFERS: list[TransferKind] = ["curl", "pycurl", "requests"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Server:
    """Its address, and what it was asked."""

    port: int
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


Answer = tuple[int, list[tuple[str, str]], bytes]
Answering = Callable[[Asked], Answer]


@contextmanager
def server(answer: Answering, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that answers by `answer`: status, headers, body."""
    here = Server(0)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(length))
            here.asked.append(asked)
            status, fields, body = answer(asked)
            self.send_response(status)
            for name, value in fields:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = handle_one

    class Quiet(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    running = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        running.socket = context.wrap_socket(running.socket, server_side=True)
    here.port = running.server_address[1]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        running.shutdown()
        running.server_close()
        thread.join(10)


def probed(transfer: TransferKind, url: str, **fields: Any) -> dict[str, Any]:
    """The row of one probe."""
    probe = HttpProbe(
        [ProbeTarget(url=url, name="t", timeout_seconds=4.0, **fields)], interval_seconds=60.0, transfer=transfer
    )
    try:
        batch = probe.poll(10.0)
        assert batch is not None and batch.num_rows == 1
        row: dict[str, Any] = batch.to_pylist()[0]
    finally:
        probe.close()
    return row


def result(row: Mapping[str, Any]) -> tuple[int | None, str | None]:
    """Status and kind of error."""
    return row["status_code"], row["error_type"]
