"""The demo service itself: a few endpoints with lognormal latencies, and a socket that can stop listening."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from aiops_nb.core.clock import SystemClock
from aiops_nb.demo.http import BadRequestError, Request, combined_log_line, read_request, response_bytes
from aiops_nb.demo.labels import Label
from aiops_nb.demo.script import DemoParams, latencies

BACKLOG = 1024
ERROR_CODES = (500, 502, 503)


class Site:
    """An HTTP server on one port; faults work through its public attributes.

    Attributes
    ----------
    slow_factor
        By path, how many times slower than healthy it answers.
    error_ratio
        By path, the share of requests answered by a 5xx.
    held
        Memory that a leak holds.
    labels
        Faults that are over.
    """

    def __init__(self, params: DemoParams) -> None:
        self.slow_factor: dict[str, float] = {}
        self.error_ratio: dict[str, float] = {}
        self.held: list[memoryview] = []
        self.labels: list[Label] = []
        self.port = params.port
        self._host = params.host
        self._latencies = latencies(params.seed)
        self._rng = random.Random(f"site {params.seed}")
        self._workers = asyncio.Semaphore(params.workers)
        self._requests: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._clock = SystemClock()
        self._log = _open_log(params.access_log_path)
        self._pages: dict[str, Callable[[], object]] = {
            "/": lambda: sorted([*self._latencies, *self._pages]),
            "/labels": lambda: self.labels,
            "/metrics": self.counters,
        }
        self._socket = self._bind()
        self.port = int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Address without a path."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "") else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def counters(self) -> dict[str, object]:
        """What the service knows of itself."""
        return {
            "requests_total": dict(self._requests),
            "responses_total": {str(code): count for code, count in sorted(self._statuses.items())},
            "connections": len(self._connections),
            "held_bytes": sum(block.nbytes for block in self.held),
        }

    async def start_listening(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, sock=self._socket, backlog=BACKLOG)

    async def stop_listening(self) -> None:
        """Close the listening socket and every connection; the port stays reserved, and refuses."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._connections):
            writer.transport.abort()
        self._socket = self._bind()

    async def close(self) -> None:
        """Stop listening for good."""
        await self.stop_listening()
        self._socket.close()
        if self._log is not None:
            self._log.close()

    def _bind(self) -> socket.socket:
        # Bound and not listening, a port refuses connections and nobody else can take it meanwhile.
        bound = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self._host, self.port))
        except OSError:
            bound.close()
            raise
        return bound

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            request = await read_request(reader)
        except BadRequestError:
            writer.write(response_bytes(400, b"{}", keep_alive=False))
            return False
        self._requests[request.path if request.path in self._latencies else "other"] += 1
        status, content = await self._answer(request)
        body = json.dumps(content).encode()
        self._note(request, status, len(body), writer)
        keep_alive = request.keep_alive
        writer.write(response_bytes(status, body, keep_alive=keep_alive, head_only=request.method == "HEAD"))
        await writer.drain()
        return keep_alive

    async def _answer(self, request: Request) -> tuple[int, object]:
        path = request.path
        if path in self._pages:
            return 200, self._pages[path]()
        if path not in self._latencies:
            return 404, {"error": "no such endpoint"}
        async with self._workers:
            await asyncio.sleep(self._latencies[path].draw(self._rng) * self.slow_factor.get(path, 1.0))
        if self._rng.random() < self.error_ratio.get(path, 0.0):
            return self._rng.choice(ERROR_CODES), {"error": "the database does not answer"}
        return 200, {"status": "UP", "endpoint": path}

    def _note(self, request: Request, status: int, body_bytes: int, writer: asyncio.StreamWriter) -> None:
        self._statuses[status] += 1
        if self._log is not None:
            peer = writer.get_extra_info("peername") or ("-",)
            line = combined_log_line(str(peer[0]), request, status, body_bytes, self._clock.now_ns())
            self._log.write(line + "\n")


def _open_log(path: str) -> TextIO | None:
    return Path(path).open("a", encoding="utf-8", buffering=1, newline="\n") if path else None
