"""What every collector promises, of those that follow files and sockets: each is fed all the while."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from aiops_nb.collect.access_log.collector import AccessLog
from aiops_nb.collect.frame.source import from_frame
from aiops_nb.collect.log.collector import LogFile
from aiops_nb.collect.sockets.tcp_client import TcpClient
from aiops_nb.collect.sockets.tcp_listener import TcpListener
from aiops_nb.collect.sockets.udp_listener import UdpListener
from aiops_nb.collect.websocket.client import WebSocketClient
from aiops_nb.core.protocols import Collector
from aiops_nb.testing.collectors import CollectorContract
from tests import collect_servers as servers

INTERVAL_SECONDS = 0.02
Feed = Callable[[], object]


@contextmanager
def fed(feed: Feed) -> Iterator[None]:
    """Call `feed` again and again, from a thread, until the end."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(INTERVAL_SECONDS):
            feed()

    thread = threading.Thread(target=work, name="aiops-test-feed", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def access_log(folder: Path) -> Iterator[Collector]:
    path = folder / "access.log"
    collector = AccessLog(path, pattern="$msec $status")
    with path.open("a", encoding="utf-8") as file:

        def feed() -> None:
            file.writelines(f"{time.time() - 0.001:.3f} 200\n" for _ in range(10))
            file.flush()

        with fed(feed):
            yield collector


@contextmanager
def log_file(folder: Path) -> Iterator[Collector]:
    path = folder / "shop.log"
    collector = LogFile(path)
    with path.open("a", encoding="utf-8") as file:

        def feed() -> None:
            file.writelines(f'{{"ts": {time.time() - 0.001:.3f}, "msg": "order {i}"}}\n' for i in range(10))
            file.flush()

        with fed(feed):
            yield collector


def line() -> bytes:
    return json.dumps({"time": time.time() - 0.001, "target": "a", "status_code": 200}).encode() + b"\n"


@contextmanager
def tcp_listener(folder: Path) -> Iterator[Collector]:
    collector = TcpListener()
    with socket.create_connection(collector.address) as sender:

        def feed() -> None:
            with suppress(OSError):  # the collector was closed
                sender.sendall(line() * 10)

        with fed(feed):
            yield collector


@contextmanager
def udp_listener(folder: Path) -> Iterator[Collector]:
    collector = UdpListener()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        fed(lambda: sender.sendto(line() * 10, collector.address)),
    ):
        yield collector


def say_lines(connection: socket.socket) -> None:
    connection.settimeout(INTERVAL_SECONDS)
    with suppress(ConnectionError):
        while True:
            connection.sendall(line() * 10)
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return


@contextmanager
def tcp_client(folder: Path) -> Iterator[Collector]:
    with servers.raw_server(say_lines) as port:
        collector = TcpClient("127.0.0.1", port)
        yield collector
        collector.close()


def say_messages(connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            connection.send(line())
            with suppress(TimeoutError):
                connection.recv(INTERVAL_SECONDS)


@contextmanager
def websocket(folder: Path) -> Iterator[Collector]:
    with serve(say_messages, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        collector = WebSocketClient(f"ws://127.0.0.1:{server.socket.getsockname()[1]}/")
        yield collector
        collector.close()
        server.shutdown()
    thread.join()


@contextmanager
def frame(folder: Path) -> Iterator[Collector]:
    import pandas as pd

    rows = 300_000
    yield from_frame(pd.DataFrame({"time": time.time() - rows + pd.RangeIndex(rows), "target": "a"}))


MAKERS: dict[str, Callable[[Path], AbstractContextManager[Collector]]] = {
    "access log": access_log,
    "log": log_file,
    "TCP listener": tcp_listener,
    "TCP client": tcp_client,
    "UDP listener": udp_listener,
    "WebSocket": websocket,
    "DataFrame": frame,
}


class TestFedCollectors(CollectorContract):
    """Each is fed by a thread while it is tested."""

    @pytest.fixture(params=MAKERS)
    def collector(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Collector]:
        with MAKERS[request.param](tmp_path) as made:
            yield made
            made.close()
