"""How far the latency that HttpProbe measures is from the server's own, idle and under a busy interpreter.

A server process delays each reply by 50 ms and keeps what it measured of each request, from its last byte to the reply;
the k-th probe of a target is compared with the k-th request of that target.

    python benchmarks/probe.py [--targets 1000] [--seconds 10] [--body-bytes 15]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import numpy as np

from aiops_nb.collect.http_probe import HttpProbe, TransferKind
from aiops_nb.collect.probe_target import ProbeTarget

DELAY_SECONDS = 0.05


class DelayedReply(asyncio.Protocol):
    """One request a connection, answered after the delay."""

    def __init__(self, measured: dict[str, list[float]], body: bytes) -> None:
        self.measured = measured
        self.body = body
        self.request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.request += data
        if b"\r\n\r\n" not in self.request:
            return
        target = self.request.split(b" ", 2)[1].decode()
        if target == "/measured":
            self.reply(json.dumps(self.measured).encode())
            return
        loop = asyncio.get_running_loop()
        loop.call_later(DELAY_SECONDS, self.answer, target, time.perf_counter())

    def answer(self, target: str, started: float) -> None:
        self.measured[target].append(time.perf_counter() - started)
        self.reply(self.body)

    def reply(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()


async def serve(body_bytes: int) -> None:
    """Print the port, then answer until killed."""
    measured: dict[str, list[float]] = defaultdict(list)
    loop = asyncio.get_running_loop()
    body = b"x" * body_bytes
    server = await loop.create_server(lambda: DelayedReply(measured, body), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def server(body_bytes: int) -> Iterator[str]:
    command = [sys.executable, __file__, "--serve", "--body-bytes", str(body_bytes)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def busy_interpreter(is_busy: bool) -> Iterator[None]:
    stop = threading.Event()

    def burn() -> None:
        for number in itertools.count():
            if number % 10_000 == 0 and stop.is_set():
                return

    thread = threading.Thread(target=burn)
    if is_busy:
        thread.start()
    yield
    stop.set()
    if is_busy:
        thread.join()


def run(kind: TransferKind, busy: bool, options: argparse.Namespace) -> list[str]:
    """One row of the table."""
    with server(options.body_bytes) as url:
        targets = [ProbeTarget(url=f"{url}/{i}", name=f"/{i}", timeout_seconds=0.9) for i in range(options.targets)]
        probe = HttpProbe(targets, every_seconds=1.0, transfer=kind)
        with busy_interpreter(busy):
            started, cpu = time.monotonic(), time.process_time()
            seen, failed = collect(probe, options.seconds)
            cpu_ratio = (time.process_time() - cpu) / (time.monotonic() - started)
        counters = dict(probe.counters)
        probe.close()
        with urlopen(f"{url}/measured") as reply:
            measured: dict[str, list[float]] = json.load(reply)
    errors = [p - s for target, probes in seen.items() for p, s in zip(probes, measured[target], strict=False)]
    error_ms = np.abs(np.array(errors)) * 1000
    p50, p99 = np.quantile(error_ms, [0.5, 0.99])
    cpu = "-" if busy else f"{cpu_ratio:.0%}"
    lag = f"{counters['start_lag_seconds'] * 1000:.0f}"
    threads = f"{counters['threads']:.0f}"
    skipped = f"{counters['skipped_total'] + counters['missed_total']:.0f}"
    rate = f"{len(errors) / options.seconds:.0f}"
    return [kind, "busy" if busy else "idle", f"{p50:.2f}", f"{p99:.2f}", cpu, rate, lag, threads, skipped, str(failed)]


def collect(probe: HttpProbe, seconds: float) -> tuple[dict[str, list[float]], int]:
    """Durations by target, up to the first failure of each: then its order is not known any more."""
    seen: dict[str, list[float]] = defaultdict(list)
    broken: set[str] = set()
    failed = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        batch = probe.poll(0.5)
        for target, error, duration in zip(
            batch["target"].to_pylist(),
            batch["error_type"].to_pylist(),
            batch["duration_seconds"].to_pylist(),
            strict=True,
        ):
            if error:
                broken.add(target)
                failed += 1
            elif target not in broken:
                seen[target].append(duration)
    return seen, failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--body-bytes", type=int, default=15)
    parser.add_argument("--only", choices=["curl", "requests"])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.body_bytes))
        return
    print(
        f"{options.targets} targets at 1 s, replies of {options.body_bytes} bytes after {DELAY_SECONDS * 1000:.0f} ms\n"
    )
    columns = ["transfer", "interpreter", "error p50 ms", "error p99 ms", "core", "probes/s"]
    columns += ["start lag ms", "threads", "not started", "failed"]
    print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))
    kinds: list[TransferKind] = [options.only] if options.only else ["curl", "requests"]
    for kind in kinds:
        for busy in (False, True):
            print("| " + " | ".join(run(kind, busy, options)) + " |", flush=True)


if __name__ == "__main__":
    main()
