"""Rows a second that the synthetic stream draws on one core, and the memory that it takes.

    python -m benchmarks.synthetic [--rows 1000000]

Time is that of the processor, so that a neighbour on the machine does not count. The peer draws an arrival, a latency
and a status for each row with numpy, and builds its batch: the least that any stream of requests has to do.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from aiops_nb.collect.synthetic import KINDS, Fault, draw
from aiops_nb.core.schemas import make_batch

ROUNDS = 3
FEW, MANY = {"targets": 3, "rate_hz": 10}, {"targets": 100, "rate_hz": 100}
SCENES: dict[str, dict[str, object]] = {
    "3 services at 10/s": FEW,
    "3 services at 10/s, 2 hosts": {**FEW, "hosts": 2},
    "100 services at 100/s": MANY,
    "100 services at 100/s, 10 hosts": {**MANY, "hosts": 10},
    "1,000 services at 1/s": {"targets": 1000, "rate_hz": 1},
    "the same, all kinds of faults at once": {"targets": 1000, "rate_hz": 1, "hosts": 2, "faults": "all"},
}


def seconds_for(rows: int, options: dict[str, object]) -> int:
    """How long a stream has about so many rows."""
    return int(rows / (float(str(options["rate_hz"])) * int(str(options["targets"]))))


def drawn_rows(seconds: int, options: dict[str, object]) -> int:
    if options.get("faults") == "all":
        kinds = [kind for kind in KINDS if kind != "gap"]
        options = {**options, "faults": [Fault(kind=k, start_seconds=0, length_seconds=seconds) for k in kinds]}
    return sum(batch.num_rows for batch in draw(seconds, **options).batches())


def least_rows(seconds: int, rate_hz: int = 10_000) -> int:
    rng, rows = np.random.default_rng(7), 0
    for second in range(seconds):
        count = int(rng.poisson(rate_hz))
        columns = {
            "time": np.sort(rng.integers(0, 10**9, count)) + second * 10**9,
            "origin": "traffic",
            "target": "service",
            "status_code": np.where(rng.random(count) < 0.01, 500, 200),
            "duration_seconds": rng.lognormal(-3, 0.5, count),
        }
        rows += make_batch("requests", "peer", columns).num_rows
    return rows


def speed(work: Callable[[], int]) -> float:
    """Median rows a second of the rounds."""
    speeds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        speeds.append(work() / (time.process_time() - began))
    return statistics.median(speeds)


def peak_bytes(seconds: int, options: dict[str, object]) -> int:
    """Most memory that Python objects and numpy arrays took at a time."""
    tracemalloc.start()
    drawn_rows(seconds, options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main(rows: int = 1_000_000) -> None:
    """Print the tables."""
    print("| stream | rows/s | seconds of the stream a second |")
    print("|---|--:|--:|")
    drawn_rows(1, MANY)  # makes the addresses
    for name, options in SCENES.items():
        seconds = seconds_for(rows, options)
        per_second = speed(lambda s=seconds, o=options: drawn_rows(s, o))  # type: ignore[misc]
        print(f"| {name} | {per_second:,.0f} | {per_second / (drawn_rows(60, options) / 60):,.0f} |", flush=True)
    print(f"| one service at 10,000/s of the peer | {speed(lambda: least_rows(rows // 10_000)):,.0f} | |")
    short, long = (peak_bytes(seconds, MANY) for seconds in (5, 50))
    print(f"\nMemory at its highest: {short / 1e6:.1f} MB for 50,000 rows, {long / 1e6:.1f} MB for 500,000.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    main(parser.parse_args().rows)
