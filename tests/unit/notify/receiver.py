"""A receiver on loopback whose answers are scripted; it keeps all requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch
from aiops_nb.core.types import AlertChange, Item, Step


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Receiver:
    """`answers` are taken in order, the last for ever: a status, with headers, with a body."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], object]] = field(default_factory=lambda: [(200, {}, {"ok": True})])
    requests: list[Request] = field(default_factory=list)
    accepted: list[Request] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    hold: threading.Event | None = None

    def wait_for(self, count: int, which: str = "accepted", timeout_seconds: float = 10.0) -> list[Request]:
        """Wait until so many requests came."""
        with self.changed:
            there = self.changed.wait_for(lambda: len(getattr(self, which)) >= count, timeout_seconds)
            assert there, f"expected {count} {which} requests, got {len(getattr(self, which))}"
            return list(getattr(self, which))

    def answer(self, request: Request) -> tuple[int, dict[str, str], object]:
        with self.changed:
            status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            self.requests.append(request)
            if 200 <= status < 300:
                self.accepted.append(request)
            self.changed.notify_all()
        return status, headers, body


def decoded(raw: bytes, kind: str) -> Any:
    if kind.startswith("application/json"):
        return json.loads(raw)
    return dict(parse_qsl(raw.decode())) if kind.endswith("form-urlencoded") else raw


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            request = Request(self.path, dict(self.headers.items()), decoded(raw, self.headers["Content-Type"]))
            if receiver.hold is not None:
                receiver.hold.wait(30)
            status, headers, body = receiver.answer(request)
            text = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="receiver", daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


LABELS = {"alertname": "http_5xx", "severity": "error", "target": "shop", "detector": "row_rule"}


def change(state: str = "firing", fingerprint: str = "f", time_ns: int = 10**9, **fields: Any) -> AlertChange:
    """A change of an alert; its times are real enough to be shown."""
    pending_at_ns = fields.pop("pending_at_ns", 10**9)
    ends = {"ends_at_ns": time_ns} if state == "resolved" else {}
    labels = {**LABELS, **fields.pop("labels", {})}
    return AlertChange(
        time_ns=time_ns,
        state=state,  # type: ignore[arg-type]
        labels=labels,
        fingerprint=fingerprint,
        pending_at_ns=pending_at_ns,
        starts_at_ns=pending_at_ns,
        summary=fields.pop("summary", "3 consecutive 5xx responses (502, 500, 502)"),
        **ends,
        **fields,
    )


def step(*changes: AlertChange) -> Step:
    """What the engine hands to its sinks."""
    return Step(item=Item(seq=0, table="requests", source="test", batch=None), changes=list(changes))  # type: ignore[arg-type]


def heartbeat(time_ns: int) -> Step:
    """The clock says so."""
    return Step(Item(0, "control", CLOCK_SOURCE, control_batch(CLOCK_SOURCE, "heartbeat", time_ns)))


Make = Callable[..., Any]
