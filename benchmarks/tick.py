"""Cost of closing a window, with the compiled kernel and without, and memory of a series, with the default rules.

python -m benchmarks.tick
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from aiops_nb import kernel
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item, Step
from aiops_nb.engine.pipeline import Pipeline

START_NS = 1_780_000_000 * NS_PER_SECOND
TICKS = 75
CASES = (100, 10_000, 100_000)
METRICS = (
    "cpu_ratio",
    "cpu_user_ratio",
    "cpu_system_ratio",
    "cpu_iowait_ratio",
    "cpu_system_share_ratio",
    "memory_ratio",
    "swap_in_bytes_per_second",
    "disk_ratio",
    "network_receive_bytes_per_second",
    "jobs_total",
)
HOSTS = (10, 1_000)


def second_of_rows(series: int, second: int, names: pa.Array) -> Item:
    """One row of every series."""
    rng = np.random.default_rng(second)
    moments = START_NS + second * NS_PER_SECOND + np.sort(rng.integers(0, NS_PER_SECOND, series))
    columns = {
        "time": moments,
        "origin": "probe",
        "target": pa.DictionaryArray.from_arrays(np.arange(series, dtype=np.int32), names),
        "status_code": np.full(series, 200, np.int16),
        "duration_seconds": rng.lognormal(-3, 0.5, series),
    }
    return Item(second, "requests", "bench", make_batch("requests", "bench", columns))


def second_of_samples(series: int, second: int, names: pa.Array) -> Item:
    """One value of every metric of every host; `names` are the hosts."""
    rng = np.random.default_rng(second)
    hosts, metrics = len(names), pa.array(METRICS)
    columns = {
        "time": np.full(series, START_NS + second * NS_PER_SECOND),
        "target": pa.DictionaryArray.from_arrays(np.repeat(np.arange(hosts, dtype=np.int32), len(METRICS)), names),
        "metric": pa.DictionaryArray.from_arrays(np.tile(np.arange(len(METRICS), dtype=np.int32), hosts), metrics),
        "value": np.clip(0.4 + 0.1 * rng.normal(size=series), 0, 1),
    }
    return Item(second, "samples", "bench", make_batch("samples", "bench", columns))


Second = Callable[[int, int, pa.Array], Item]


def measure(series: int, names: pa.Array, item_of: Second) -> tuple[float, float]:
    """Median milliseconds of a tick once the detectors are warm, and bytes a series."""
    pipeline, costs = Pipeline(), []
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for second in range(TICKS if series < 50_000 else 66):
        item = item_of(series, second, names)
        if second == 60:
            held = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
        pipeline.push(item)
        began = time.process_time()
        pipeline._close_until((pipeline._next or 0) + 1, Step(item))
        if second > 61:
            costs.append(time.process_time() - began)
    return statistics.median(costs) * 1e3, held / series


def main() -> None:
    """Print the table."""
    print(f"Kernel: {kernel.status()}\n")
    print("| series | cost of a tick | without the kernel | ratio | a series |")
    print("|--:|--:|--:|--:|--:|")
    for series in CASES:
        targets = pa.array([f"https://api.example.org/v1/endpoint-{i}" for i in range(series)])
        _print(f"{series:,} of requests", *both_ways(series, targets, second_of_rows))
    for hosts in HOSTS:
        series = hosts * len(METRICS)
        names = pa.array([f"host-{i}" for i in range(hosts)])
        _print(f"{series:,} of samples", *both_ways(series, names, second_of_samples))


def both_ways(series: int, names: pa.Array, item_of: Second) -> tuple[float, float, float]:
    """Milliseconds of a tick with the kernel and without, and bytes a series with it."""
    compiled = kernel.compiled
    milliseconds, size_bytes = measure(series, names, item_of)
    try:
        kernel.compiled = None
        return milliseconds, measure(series, names, item_of)[0], size_bytes
    finally:
        kernel.compiled = compiled


def _print(series: str, milliseconds: float, plain: float, size_bytes: float) -> None:
    ratio = plain / milliseconds
    print(
        f"| {series} | {milliseconds:.2f} ms | {plain:.2f} ms | {ratio:.1f} | {size_bytes / 1024:.1f} KB |", flush=True
    )


if __name__ == "__main__":
    main()
