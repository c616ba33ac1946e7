"""How far the latency that HttpProbe measures is from the server's own, idle and under a busy interpreter.

A server process delays each reply by 50 ms and keeps what it measured of each request, from the connection to the
reply; the k-th probe of a target is compared with the k-th request of that target. A server that is late to accept is
slow, and the probe rightly measures that: where the kernel's time stamp of the request (Linux) is earlier than the
accepting, the server's measure begins there; `--from accept` leaves that out. `core taken` computes in another
process: what that costs is the machine's, and what `busy` costs beyond it is the interpreter lock's. Processor time is
counted from the third second on, when all is imported and every thread has its handle.

    python -m benchmarks.probe [--targets 1000] [--seconds 10] [--body-bytes 15] [--only curl] [--from accept]
"""

from __future__ import annotations

import argparse
import itertools
import json
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.request import urlopen

import numpy as np

from aiops_nb.collect.http.probe import HttpProbe, TransferKind
from aiops_nb.collect.http.target import ProbeTarget

DELAY_SECONDS = 0.05
WARMUP_SECONDS = 2.0
SO_TIMESTAMPNS = 35  # of Linux; the module socket does not name it
STAMP_BYTES = 64
Load = Literal["idle", "core taken", "busy"]


class DelayedServer:
    """One request a connection, answered after the delay; one plain loop, for it must be quicker than what asks it."""

    def __init__(self, body: bytes, *, uses_kernel: bool) -> None:
        self.measured: dict[str, list[float]] = defaultdict(list)
        self.reply = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        self.waiting: deque[tuple[float, str, socket.socket]] = deque()  # in order of time: the delay is the same
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        if uses_kernel and sys.platform == "linux":
            self.listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Answer until killed."""
        while True:
            until_due = self.waiting[0][0] + DELAY_SECONDS - time.perf_counter() if self.waiting else None
            for key, _ in self.selector.select(until_due if until_due is None else max(0.0, until_due)):
                self.accept() if key.fileobj is self.listener else self.read(key.fileobj, key.data)
            while self.waiting and self.waiting[0][0] + DELAY_SECONDS <= time.perf_counter():
                self.answer(*self.waiting.popleft())

    def accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                started = time.perf_counter()
                connection, _ = self.listener.accept()
                self.selector.register(connection, selectors.EVENT_READ, started)

    def read(self, connection: socket.socket, accepted: float) -> None:
        self.selector.unregister(connection)
        request, stamps, *_ = connection.recvmsg(65_536, STAMP_BYTES)
        path = request.split(b" ", 2)[1].decode() if request else ""
        if path == "/measured":
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(self.measured).encode())
        if path in ("", "/measured"):  # empty: it gave up before it asked
            connection.close()
        else:
            started = min([accepted, *(arrived(data) for _, kind, data in stamps if kind == SO_TIMESTAMPNS)])
            self.waiting.append((started, path, connection))

    def answer(self, started: float, path: str, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self.measured[path].append(time.perf_counter() - started)
            connection.sendall(self.reply)


def arrived(stamp: bytes) -> float:
    """The kernel's time stamp by the clock of the server."""
    seconds, nanoseconds = struct.unpack("qq", stamp)
    return time.perf_counter() - (time.time_ns() - seconds * 1_000_000_000 - nanoseconds) / 1e9


def serve(body_bytes: int, begins: str) -> None:
    """Print the port, then answer until killed."""
    delayed = DelayedServer(b"x" * body_bytes, uses_kernel=begins == "arrival")
    print(delayed.listener.getsockname()[1], flush=True)
    delayed.run()


@contextmanager
def server(options: argparse.Namespace) -> Iterator[str]:
    command = [sys.executable, __file__, "--serve", "--body-bytes", str(options.body_bytes), "--from", options.begins]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def computing(where: Load) -> Iterator[None]:
    """Pure Python that computes in a thread of this process (`busy`) or in another process (`core taken`)."""
    if where == "idle":
        yield
    elif where == "core taken":
        process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        yield
        process.kill()
        process.wait()
    else:
        stop = threading.Event()
        thread = threading.Thread(target=burn, args=(stop,))
        thread.start()
        yield
        stop.set()
        thread.join()


def burn(stop: threading.Event) -> None:
    for number in itertools.count():
        if number % 10_000 == 0 and stop.is_set():
            return


def run(kind: TransferKind, load: Load, options: argparse.Namespace) -> list[str]:
    """One row of the table."""
    with server(options) as url:
        targets = [
            ProbeTarget(url=f"{url}/{i}", name=f"/{i}", timeout_seconds=0.9, reuse_connection=options.reuse)
            for i in range(options.targets)
        ]
        probe = HttpProbe(targets, interval_seconds=1.0, transfer=kind)
        with computing(load):
            seen = Seen()
            collect(probe, WARMUP_SECONDS, seen)
            started, cpu = time.monotonic(), time.process_time()
            collect(probe, options.seconds, seen)
            cpu_ratio = (time.process_time() - cpu) / (time.monotonic() - started)
        counters = dict(probe.counters)
        probe.close()
        with urlopen(f"{url}/measured") as reply:
            measured: dict[str, list[float]] = json.load(reply)
    pairs = [zip(probes, measured[target], strict=False) for target, probes in seen.durations.items()]
    errors = [ours - servers for pair in pairs for ours, servers in pair]
    error_ms = np.abs(np.array(errors)) * 1000
    p50, p99 = np.quantile(error_ms, [0.5, 0.99])
    cpu = "-" if load == "busy" else f"{cpu_ratio:.0%}"
    lag = f"{counters['start_lag_seconds'] * 1000:.0f}"
    threads = f"{counters['threads']:.0f}"
    skipped = f"{counters['skipped_total'] + counters['missed_total']:.0f}"
    rate = f"{len(errors) / (WARMUP_SECONDS + options.seconds):.0f}"
    return [kind, load, f"{p50:.2f}", f"{p99:.2f}", cpu, rate, lag, threads, skipped, str(seen.failed)]


@dataclass(slots=True)
class Seen:
    """Durations by target, up to the first failure of each: then its order is not known any more."""

    durations: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    broken: set[str] = field(default_factory=set)
    failed: int = 0

    def add(self, target: str, error: str | None, duration: float) -> None:
        if error:
            self.broken.add(target)
            self.failed += 1
        elif target not in self.broken:
            self.durations[target].append(duration)


def collect(probe: HttpProbe, seconds: float, seen: Seen) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        batch = probe.poll(0.5)
        columns = (batch[name].to_pylist() for name in ("target", "error_type", "duration_seconds"))
        for target, error, duration in zip(*columns, strict=True):
            seen.add(target, error, duration)


def options_of(values: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--body-bytes", type=int, default=15)
    parser.add_argument("--only", choices=get_args(TransferKind))
    parser.add_argument("--reuse", action="store_true", help="keep connections; otherwise each probe connects again")
    parser.add_argument("--from", dest="begins", choices=("arrival", "accept"), default="arrival")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(values)


def main(values: Sequence[str] = ()) -> None:
    """Print the table."""
    options = options_of(list(values))
    delay_ms = DELAY_SECONDS * 1000
    print(f"{options.targets} targets at 1 s, replies of {options.body_bytes} bytes after {delay_ms:.0f} ms\n")
    columns = ["transfer", "interpreter", "error p50 ms", "error p99 ms", "core", "probes/s"]
    columns += ["start lag ms", "threads", "not started", "failed"]
    print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))
    kinds: list[TransferKind] = [options.only] if options.only else list(get_args(TransferKind))
    for kind in kinds:
        for load in get_args(Load):
            print("| " + " | ".join(run(kind, load, options)) + " |", flush=True)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        chosen = options_of(sys.argv[1:])
        serve(chosen.body_bytes, chosen.begins)
    else:
        main(sys.argv[1:])
