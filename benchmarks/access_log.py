"""Lines a second from an access log, to rows and through to alerts, on one core.

    python -m benchmarks.access_log [--lines 300000]

Time is that of the processor, so that a neighbour on the machine does not count. `cut -d" "` is no log parser; it shows
what the machine does at best.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from aiops_nb.collect.access_log.collector import read_access_log
from aiops_nb.core.types import Item
from aiops_nb.engine.pipeline import Pipeline

ROUNDS = 3
PER_SECOND = 5_000
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def requests(count: int) -> Iterator[dict[str, object]]:
    """Requests of 100 endpoints with identifiers, of 25,000 clients; one line in 1,000 is garbage."""
    rng = np.random.default_rng(7)
    for i, (endpoint, user, client, status, duration) in enumerate(
        zip(
            rng.integers(0, 100, count).tolist(),
            rng.integers(0, 1000, count).tolist(),
            rng.integers(0, 25_000, count).tolist(),
            np.where(rng.random(count) < 0.005, 503, 200).tolist(),
            rng.lognormal(-3, 0.5, count).tolist(),
            strict=True,
        )
    ):
        minute, second = divmod(i // PER_SECOND, 60)
        yield {
            "ip": f"10.0.{client // 250}.{client % 250}",
            "time": f"10/Oct/2025:13:{minute:02}:{second:02} +0000",
            "iso": f"2025-10-10T13:{minute:02}:{second:02}+00:00",
            "path": f"/api/v1/thing-{endpoint}/{user}?page=2",
            "status": status,
            "duration": f"{duration:.3f}",
        }


def combined(row: dict[str, object]) -> str:
    return ('{ip} - - [{time}] "GET {path} HTTP/1.1" {status} 5120 "https://example.org/start" "{agent}"').format(
        agent=AGENT, **row
    )


def timed(row: dict[str, object]) -> str:
    return f"{combined(row)} {row['duration']}"


def common(row: dict[str, object]) -> str:
    return '{ip} - - [{time}] "GET {path} HTTP/1.1" {status} 5120'.format(**row)


def as_json(row: dict[str, object]) -> str:
    return (
        '{{"time_iso8601":"{iso}","remote_addr":"{ip}","request":"GET {path} HTTP/1.1","status":"{status}",'
        '"body_bytes_sent":"5120","request_time":"{duration}","http_user_agent":"{agent}"}}'
    ).format(agent=AGENT, **row)


FORMATS: dict[str, Callable[[dict[str, object]], str]] = {
    "common": common,
    "combined": combined,
    "timed": timed,
    "json": as_json,
}


def write_log(path: Path, line_of: Callable[[dict[str, object]], str], count: int) -> None:
    with path.open("w", encoding="ascii") as file:
        for i, row in enumerate(requests(count)):
            file.write("\x16\x03\n" if i % 1000 == 999 else line_of(row) + "\n")


def parse(path: Path, pattern: str) -> list[pa.RecordBatch]:
    return list(read_access_log(path, pattern=pattern))


def judge(path: Path, pattern: str) -> int:
    pipeline = Pipeline()
    batches = read_access_log(path, pattern=pattern)
    return sum(len(pipeline.push(Item(i, "requests", "log", batch)).ticks) for i, batch in enumerate(batches))


def lines_a_second(work: Callable[[Path, str], object], path: Path, pattern: str, count: int) -> float:
    """Median of the rounds."""
    speeds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        assert work(path, pattern)
        speeds.append(count / (time.process_time() - began))
    return statistics.median(speeds)


def main(count: int = 300_000) -> None:
    """Print the table."""
    print("| format | lines/s to rows | lines/s to alerts |")
    print("|---|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for pattern, line_of in FORMATS.items():
            path = Path(folder) / f"{pattern}.log"
            write_log(path, line_of, count)
            rows, alerts = (lines_a_second(work, path, pattern, count) for work in (parse, judge))
            print(f"| {pattern} | {rows:,.0f} | {alerts:,.0f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=300_000)
    main(parser.parse_args().lines)
