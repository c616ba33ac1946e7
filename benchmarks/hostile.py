"""Hostile lines at each source: every good row arrives, every bad one is counted, memory stays flat.

    python -m benchmarks.hostile [--lines 1000000] [--source tcp]

Each source is a process of its own that does nothing else. "Elsewhen" are rows of 1971 and of 2200: they arrive, and
judge nothing. "Grown" is what the process holds at the end beyond what it held after a tenth of the lines, "peak" the
most that it ever held beyond that.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from aiops_nb.collect.access_log.collector import AccessLog
from aiops_nb.collect.sockets.tcp_listener import TcpListener
from aiops_nb.collect.websocket.client import WebSocketClient
from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch, table_of
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.pipeline import Pipeline
from benchmarks.hostile_formats import HEADERS, LINES
from benchmarks.hostile_lines import LINES_PER_SECOND, SECONDS, Kind, hostile_chunks

Input = str
KIND_OF: dict[Input, Kind] = {
    "tcp": "json",
    "websocket": "json",
    "access_log": "combined",
    "access_log_json": "json_log",
    **{f"access_log_{name}": name for name in LINES},
}
INPUTS = tuple(KIND_OF)
PATTERN_OF: dict[Input, str] = {
    "access_log": "combined",
    "access_log_json": "json",
    **{f"access_log_{name}": name for name in LINES},
}
QUIET_SECONDS = 30.0
MIB = 1 << 20
SEND = """
import shutil, socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as connection, open(sys.argv[1], "rb") as file:
    shutil.copyfileobj(file, connection.makefile("wb"))
"""
SERVE = """
import sys
from contextlib import suppress
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve
def handle(connection):
    with suppress(ConnectionClosed), open(sys.argv[1], "rb") as file:
        for line in file:
            connection.send(line)  # as bytes: text that is no UTF-8 would end the connection, by the protocol
        connection.recv()
with serve(handle, "127.0.0.1", 0, compression=None) as server:
    print(server.socket.getsockname()[1], flush=True)
    server.serve_forever()
"""
OpenInput = TcpListener | WebSocketClient | AccessLog


@contextmanager
def running(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", code, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def opened(source: Input, path: Path) -> Iterator[OpenInput]:
    """A source, and somebody who sends the lines of the file to it."""
    with ExitStack() as stack:
        collector: OpenInput
        if source == "tcp":
            collector = TcpListener()
            stack.enter_context(running(SEND, str(path), str(collector.address[1])))
        elif source == "websocket":
            server = stack.enter_context(running(SERVE, str(path)))
            assert server.stdout is not None
            url = f"ws://127.0.0.1:{int(server.stdout.readline())}/"
            collector = WebSocketClient(url, max_message_bytes=16 * MIB)
        else:
            collector = AccessLog(path, pattern=PATTERN_OF[source], from_start=True)
        stack.callback(collector.close)
        yield collector


def rejected_of(collector: OpenInput) -> dict[str, int]:
    """Lines by reason."""
    prefix, suffix = "rejected_", "_total"
    counters = {k: int(v) for k, v in collector.counters.items() if k.startswith(prefix) and v}
    return {name.removeprefix(prefix).removesuffix(suffix): count for name, count in counters.items()}


def heartbeat(lines: int) -> Item:
    """The clock, by how many lines came before."""
    now_ns = (SECONDS + lines // LINES_PER_SECOND) * NS_PER_SECOND
    return Item(lines, "control", CLOCK_SOURCE, control_batch(CLOCK_SOURCE, "heartbeat", now_ns))


def knock(source: Input, path: Path, count: int) -> dict[str, Any]:
    """Read all lines through to alerts; what came of them."""
    pipeline, process = Pipeline(), psutil.Process()
    rows = early_bytes = peak_bytes = 0
    began, last = time.process_time(), time.monotonic()
    with opened(source, path) as collector:
        while (done := rows + sum(rejected_of(collector).values())) < count and time.monotonic() - last < QUIET_SECONDS:
            batch = collector.poll(0.25)
            if batch is not None and batch.num_rows:
                pipeline.push(heartbeat(done))
                pipeline.push(Item(rows, table_of(batch), collector.name, batch))
                rows, last = rows + batch.num_rows, time.monotonic()
            held_bytes = process.memory_info().rss
            if done >= count // 10:
                early_bytes = early_bytes or held_bytes
                peak_bytes = max(peak_bytes, held_bytes)
        return {
            "rows": rows,
            "rejected": rejected_of(collector),
            "unused": pipeline.counters.late_total + pipeline.counters.ahead_total,
            "samples": len(collector.rejected),
            "grown_mib": (process.memory_info().rss - early_bytes) / MIB,
            "peak_mib": (peak_bytes - early_bytes) / MIB,
            "seconds": time.process_time() - began,
        }


def visited(source: Input, count: int) -> dict[str, Any]:
    """`knock` in a process of its own, and how many good lines there were."""
    good = elsewhen = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines"
        with path.open("wb") as file:
            file.write(HEADERS.get(KIND_OF[source], "").encode())
            for chunk, rows, others in hostile_chunks(count, KIND_OF[source]):
                file.write(chunk)
                good, elsewhen = good + rows, elsewhen + others
        command = [sys.executable, "-m", "benchmarks.hostile", "--source", source, "--lines", str(count)]
        done = subprocess.run([*command, "--file", str(path)], check=True, stdout=subprocess.PIPE, text=True)
    return {**json.loads(done.stdout), "good": good, "elsewhen": elsewhen, "bad": count - good}


def main(count: int = 1_000_000, inputs: tuple[Input, ...] = INPUTS) -> None:
    """Print the table."""
    columns = ["source", "good lines", "rows", "elsewhen", "not used", "bad lines", "rejected", "grown MiB", "peak MiB"]
    print("| " + " | ".join([*columns, "lines/s", "reasons"]) + " |\n|---" + "|--:" * 9 + "|---|")
    for source in inputs:
        seen = visited(source, count)
        rejected = sum(seen["rejected"].values())
        reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(seen["rejected"].items()))
        numbers = [seen[name] for name in ("good", "rows", "elsewhen", "unused", "bad")]
        numbers += [rejected, seen["grown_mib"], seen["peak_mib"]]
        cells = [f"{number:,.0f}" for number in (*numbers, count / seen["seconds"])]
        print("| " + " | ".join([source, *cells, reasons]) + " |", flush=True)
        assert (seen["rows"], seen["unused"], rejected) == (seen["good"], seen["elsewhen"], seen["bad"])


def reported(values: list[str]) -> None:
    """Run by hand, or as the process of one source."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--source", choices=INPUTS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(values)
    if options.file is not None:
        print(json.dumps(knock(options.source, options.file, options.lines)))
    else:
        main(options.lines, (options.source,) if options.source else INPUTS)


if __name__ == "__main__":
    reported(sys.argv[1:])
