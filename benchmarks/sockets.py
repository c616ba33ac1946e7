"""Events a second from a socket through to alerts.

    python -m benchmarks.sockets [--events 600000]

A client process sends what it has prepared as fast as it is taken; this process reads, decodes and judges. Time is that
of this process's processor, all its threads together, so that a neighbour on the machine does not count.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiops_nb.collect.sockets.tcp_client import TcpClient
from aiops_nb.collect.sockets.tcp_listener import TcpListener
from aiops_nb.collect.sockets.udp_listener import UdpListener
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import table_of
from aiops_nb.core.types import Item
from aiops_nb.engine.pipeline import Pipeline
from benchmarks.streams import CROWD, ORDINARY_CLIENTS, events, json_chunks

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
import socket, sys, time
lines = open(sys.argv[2], "rb").read().splitlines()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.connect(("127.0.0.1", int(sys.argv[1])))
    began = time.monotonic()
    for i in range(0, len(lines), 8):
        sender.send(b"\\n".join(lines[i : i + 8]))
        if i % 512 == 0:
            time.sleep(max(0.0, began + i / 200_000 - time.monotonic()))  # nothing else slows a sender of datagrams
"""


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
    print("| input | clients | events sent | events judged | events/s of processor time |\n|---|--:|--:|--:|--:|")
    ways = (("TCP, listening", by_listener), ("TCP, connecting", by_client), ("UDP", by_datagrams))
    with tempfile.TemporaryDirectory() as folder:
        for clients, tried in ((ORDINARY_CLIENTS, ways), (CROWD, ways[:1])):
            path = Path(folder) / f"events-{clients}.json"
            path.write_bytes(b"".join(json_chunks(events(100, count, RATE_HZ, clients=clients), 5_000)))
            for title, way in tried:
                runs = [way(path, count) for _ in range(ROUNDS)]
                rows, speed = (statistics.median(values) for values in zip(*runs, strict=True))
                print(f"| {title} | {clients:,} | {count:,} | {rows:,.0f} | {speed:,.0f} |", flush=True)


def main(count: int = 600_000) -> None:
    """Print the table."""
    throughput(count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=600_000)
    main(parser.parse_args().events)
