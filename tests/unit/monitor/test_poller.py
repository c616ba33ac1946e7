"""What the poller waits after a failure."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pyarrow as pa
import pytest
from websockets.sync.server import serve

from aiops_nb.collect.sockets.tcp_client import TcpClient
from aiops_nb.collect.websocket.client import WebSocketClient
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import empty_batch
from aiops_nb.monitor.poller import Poller

DEADLINE_SECONDS = 20.0


class Failing:
    """Fails so many times, then ends."""

    name = "failing"

    def __init__(self, failures: int, problem: Exception) -> None:
        self.polled_seconds: list[float] = []
        self._failures, self._problem = failures, problem

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        self.polled_seconds.append(time.monotonic())
        if len(self.polled_seconds) > self._failures:
            return None
        raise self._problem

    def close(self) -> None:
        """Nothing is open."""


def waits(seconds: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(seconds)]


def polled(collector: Collector, seed: int = 1) -> None:
    Poller(collector, lambda _: None, threading.Event(), SystemClock(), {}, random.Random(seed)).run()


@pytest.mark.parametrize("problem", [ConnectionError("gone"), ValueError("a fault of the collector")], ids=repr)
def test_a_collector_that_fails_is_left_alone_for_twice_as_long_each_time(problem: Exception) -> None:
    collector = Failing(2, problem)
    polled(collector)
    first, second = waits(collector.polled_seconds)
    assert first >= 0.25 and second >= 0.5


def test_the_waits_are_drawn_from_the_given_generator() -> None:
    def first_wait(seed: int) -> float:
        collector = Failing(1, OSError())
        polled(collector, seed)
        return waits(collector.polled_seconds)[0]

    expected = [0.5 * random.Random(seed).uniform(0.5, 1.0) for seed in (2, 9)]
    for seed, seconds in zip((2, 9), expected, strict=True):
        assert seconds <= first_wait(seed) < seconds + 0.2


def test_a_stop_ends_the_wait() -> None:
    stopping, failing = threading.Event(), Failing(100, OSError())
    thread = threading.Thread(target=Poller(failing, lambda _: None, stopping, SystemClock(), {}).run, daemon=True)
    thread.start()
    stopping.set()
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()


@contextmanager
def refusing_tcp() -> Iterator[tuple[int, list[float]]]:
    """A port whose server hangs up at once, and when it did."""
    accepted: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def work() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                accepted.append(time.monotonic())
                connection.close()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], accepted
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE_SECONDS)


CLIENTS: dict[str, Callable[[int], Collector]] = {
    "tcp": lambda port: TcpClient("127.0.0.1", port, first_backoff_seconds=0.1, longest_backoff_seconds=0.2),
    "websocket": lambda port: WebSocketClient(
        f"ws://127.0.0.1:{port}/", first_backoff_seconds=0.1, longest_backoff_seconds=0.2
    ),
}


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_the_back_off_options_of_a_client_hold_in_a_monitor(make: Callable[[int], Collector]) -> None:
    stopping = threading.Event()
    with refusing_tcp() as (port, accepted):
        poller = Poller(make(port), lambda _: None, stopping, SystemClock(), {})
        thread = threading.Thread(target=poller.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(accepted) < 8 and time.monotonic() < deadline:
            stopping.wait(0.05)
        stopping.set()
        thread.join(DEADLINE_SECONDS)
    assert len(accepted) >= 8
    gaps = sorted(waits(accepted))
    assert gaps[0] >= 0.045 and gaps[len(gaps) // 2] < 0.45  # the poller's own would be 0.5, 1, 2 ... seconds
    assert len({round(gap, 4) for gap in gaps}) > 1  # jitter


def test_a_client_that_recovers_begins_with_short_waits() -> None:
    batches: list[pa.RecordBatch] = []
    stopping = threading.Event()
    problems: dict[str, str] = {}
    with serve(lambda connection: connection.send('{"time": 1780000000, "target": "a"}'), "127.0.0.1", 0) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        client = WebSocketClient(f"ws://127.0.0.1:{server.socket.getsockname()[1]}/", first_backoff_seconds=0.1)
        poller = Poller(client, batches.append, stopping, SystemClock(), problems)
        thread = threading.Thread(target=poller.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + DEADLINE_SECONDS
        while sum(batch.schema == empty_batch("requests").schema for batch in batches) < 3:
            assert time.monotonic() < deadline
            stopping.wait(0.05)
        assert client.backoff.failures <= 1
        stopping.set()
        thread.join(DEADLINE_SECONDS)
        server.shutdown()
    serving.join(DEADLINE_SECONDS)
