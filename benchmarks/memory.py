"""What a monitor holds after hours at a low rate: 4 probes a second, an access log of 25 requests/s, this host.

python -m benchmarks.memory
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import psutil

from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.monitor.step_store import StepStore

START_NS = 1_780_000_000 * NS_PER_SECOND
KEPT_BYTES = 24 << 20
MINUTES = 20
PARTS = 4


def low_rate(seconds: int) -> Iterator[Item]:
    """Items as a live run makes them: a batch a probe, a poll of the log each 250 ms."""
    rng, seq = np.random.default_rng(1), 0
    for now_ns in range(START_NS, START_NS + seconds * NS_PER_SECOND, NS_PER_SECOND):
        for part in range(PARTS):
            begins = now_ns + part * NS_PER_SECOND // PARTS
            yield Item(seq, "requests", "http", _probe(begins, part, rng))
            yield Item(seq + 1, "requests", "access_log", _log(begins, rng))
            seq += 2
        values = {"time": [now_ns] * 8, "target": ["host"] * 8, "metric": [f"m{at}" for at in range(8)]}
        yield Item(seq, "samples", "host", make_batch("samples", "host", values | {"value": rng.random(8)}))
        yield Item(seq + 1, "control", CLOCK_SOURCE, control_batch(CLOCK_SOURCE, "heartbeat", now_ns))
        seq += 2


def _probe(time_ns: int, target: int, rng: np.random.Generator) -> object:
    phases = {f"{name}_seconds": [0.001] for name in ("resolve", "connect", "wait", "transfer")}
    columns = {"time": [time_ns], "origin": "probe", "target": [f"http://h/{target}"], "status_code": [200]}
    return make_batch("requests", "http", columns | phases | {"duration_seconds": [0.03 + 0.005 * rng.random()]})


def _log(time_ns: int, rng: np.random.Generator) -> object:
    rows = 6
    columns = {
        "time": time_ns + np.sort(rng.integers(0, NS_PER_SECOND // PARTS, rows)),
        "origin": "traffic",
        "target": [f"/p{number}" for number in rng.integers(0, 30, rows)],
        "status_code": np.full(rows, 200),
        "duration_seconds": rng.random(rows) / 10,
        "client_ip": [f"10.0.0.{number}" for number in rng.integers(0, 99, rows)],
    }
    return make_batch("requests", "access_log", columns)


def main() -> None:
    """Print what is held by the minute."""
    process, store, pipeline = psutil.Process(), StepStore(KEPT_BYTES), Pipeline()
    print(f"bound {KEPT_BYTES >> 20} MiB\n\n| minute | steps kept | counted MB | process MB more |\n|--:|--:|--:|--:|")
    before = 0
    for number, item in enumerate(low_rate(MINUTES * 60)):
        store.write(pipeline.push(item))
        if number == 600:
            before = process.memory_info().rss - store.held_bytes
        if number % (600 * 2) == 600:
            gc.collect()
            grown = process.memory_info().rss - before
            print(
                f"| {number // 600 + 1} | {len(store.steps()):,} | {store.held_bytes / 1e6:.1f} | {grown / 1e6:.1f} |"
            )


if __name__ == "__main__":
    main()
