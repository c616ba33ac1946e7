"""Events a second from a TCP connection through to alerts, and a door that a million hostile lines knock at.

    python -m benchmarks.sockets [--events 600000] [--hostile 1000000]

A client process sends what it has prepared as fast as it is taken; this process reads, decodes and judges. Time is that
of this process's processor, all its threads together, so that a neighbour on the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiops_nb.collect.tcp_client import TcpClient
from aiops_nb.collect.tcp_listener import TcpListener
from aiops_nb.collect.udp_listener import UdpListener
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import table_of
from aiops_nb.core.types import Item
from aiops_nb.pipeline import Pipeline
from benchmarks.streams import events, json_chunks

ROUNDS = 3
RATE_HZ = 5_000.0
SEND = """
import socket, sys
data = open(sys.argv[2], "rb").read()
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.sendall(data)
"""
SERVE = """
import socket, sys
data = open(sys.argv[1], "rb").read()
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    connection = listener.accept()[0]
    connection.sendall(data)
    sys.stdin.read()
"""
SEND_DATAGRAMS = """
import socket, sys
lines = open(sys.argv[2], "rb").read().splitlines()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.connect(("127.0.0.1", int(sys.argv[1])))
    for i in range(0, len(lines), 8):
        sender.send(b"\\n".join(lines[i : i + 8]))
"""
GOOD = {"time": 1_780_000_000.5, "target": "a", "status_code": 200, "duration_seconds": 0.05}
NASTY_TIMES = ["yesterday", "31/02/2026", 1e30, -1e30, "0000-00-00", "9999-12-31T00:00:00Z", "1066-10-14T00:00:00Z"]
NASTY_VALUES = {"target": [1, None, ["a"]], "status_code": ["200", 1.5, 10**30, -1], "duration_seconds": ["fast", -1]}


def hostile_line(rng: random.Random) -> bytes:
    """A line that cannot be a row, of a kind drawn at random."""
    good = json.dumps(GOOD).encode()
    name = rng.choice(list(NASTY_VALUES))
    kinds = [
        lambda: good[: rng.randrange(1, len(good) - 1)],
        lambda: json.dumps({**GOOD, name: rng.choice(NASTY_VALUES[name])}).encode(),
        lambda: json.dumps({**GOOD, "time": rng.choice(NASTY_TIMES)}).encode(),
        lambda: good.replace(b"0.05", rng.choice([b"NaN", b"Infinity", b"0x10", b"1e"])),
        lambda: b"[" * rng.choice([10, 20_000]),
        lambda: b'{"a":' * rng.choice([10, 10_000]),
        lambda: good.replace(b'"a"', b'"\xff\xfe"'),
        lambda: b"\x00" * rng.randrange(1, 50),
        lambda: rng.randbytes(40).replace(b"\n", b"x").replace(b"\r", b"x") + b"x",
        lambda: b"x" * 70_000 if rng.random() < 0.02 else b"[1, 2]",
        lambda: b"GET / HTTP/1.1\r",
    ]
    return rng.choice(kinds)()


def hostile_chunks(count: int, seed: int = 7) -> Iterator[tuple[bytes, int]]:
    """Pieces of a stream of `count` lines, half of them good, and how many of a piece are."""
    rng = random.Random(seed)
    good = json.dumps(GOOD).encode() + b"\n"
    pool = [hostile_line(rng) + b"\n" for _ in range(2_000)]
    pool.append(b'{"target": "' + b"x" * 10_000_000 + b'"}\n')
    for begin in range(0, count, 1000):
        lines = [good if rng.random() < 0.5 else pool[rng.randrange(2_000)] for _ in range(min(1000, count - begin))]
        if begin % 100_000 == 0:
            lines[0] = pool[-1]
        yield b"".join(lines), sum(line is good for line in lines)


def rows_until(collector: Collector, rows: int, seconds: float = 600.0) -> Iterator[Item]:
    """The items of at least so many rows, or of what came until the time was up."""
    seen, seq, end = 0, 0, time.monotonic() + seconds
    while seen < rows and time.monotonic() < end:
        batch = collector.poll(0.25)
        if batch is not None and batch.num_rows:
            seen += batch.num_rows
            yield Item(seq, table_of(batch), collector.name, batch)
            seq += batch.num_rows


@contextmanager
def running(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", code, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def judged(collector: Collector, rows: int, seconds: float = 600.0) -> tuple[int, float]:
    """How many rows went through the pipeline, and at how many a second of processor time."""
    pipeline = Pipeline()
    began = time.process_time()
    seen = 0
    for item in rows_until(collector, rows, seconds):
        pipeline.push(item)
        seen += item.batch.num_rows
    return seen, seen / (time.process_time() - began)


def by_listener(path: Path, rows: int) -> tuple[int, float]:
    listener = TcpListener()
    with running(SEND, str(listener.address[1]), str(path)):
        result = judged(listener, rows)
    listener.close()
    return result


def by_client(path: Path, rows: int) -> tuple[int, float]:
    with running(SERVE, str(path)) as process:
        assert process.stdout is not None
        client = TcpClient("127.0.0.1", int(process.stdout.readline()))
        result = judged(client, rows)
        client.close()
    return result


def by_datagrams(path: Path, rows: int) -> tuple[int, float]:
    listener = UdpListener()
    with running(SEND_DATAGRAMS, str(listener.address[1]), str(path)):
        result = judged(listener, rows, seconds=5)
    listener.close()
    return result


def throughput(count: int) -> None:
    print("| way in | events sent | events judged | events/s of processor time |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.json"
        path.write_bytes(b"".join(json_chunks(events(100, count, RATE_HZ), 5_000)))
        for title, way in (("TCP, listening", by_listener), ("TCP, connecting", by_client), ("UDP", by_datagrams)):
            runs = [way(path, count) for _ in range(ROUNDS)]
            rows, speed = (statistics.median(values) for values in zip(*runs, strict=True))
            print(f"| {title} | {count:,} | {rows:,.0f} | {speed:,.0f} |", flush=True)


def hostile(count: int) -> None:
    import resource  # not on Windows; the lines above are drawn there too

    good, listener = 0, TcpListener()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hostile.txt"
        with path.open("wb") as file:
            for chunk, good_lines in hostile_chunks(count):
                file.write(chunk)
                good += good_lines
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        with running(SEND, str(listener.address[1]), str(path)):
            rows = sum(item.batch.num_rows for item in rows_until(listener, good))
            while listener.counters["connections"]:
                listener.poll(0.1)
        seconds = time.process_time() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    reasons = Counter({name: int(n) for name, n in listener.counters.items() if name.startswith("rejected_")})
    listener.close()
    print(
        f"\n{count:,} lines, {good:,} good: {rows:,} rows, {reasons.total():,} rejected, {seconds:.1f} s of processor"
    )
    print(
        f"time, {grown / 1024:.0f} MiB more memory at the peak. " + ", ".join(f"{k} {v:,}" for k, v in reasons.items())
    )
    assert (rows, reasons.total()) == (good, count - good)


def main(count: int = 600_000, hostile_count: int = 1_000_000) -> None:
    """Print the table, then the hostile lines."""
    throughput(count)
    hostile(hostile_count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--hostile", type=int, default=1_000_000)
    options = parser.parse_args()
    main(options.events, options.hostile)
