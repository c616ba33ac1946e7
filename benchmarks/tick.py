"""Cost of closing a window, and memory of a series, with the default rules.

python -m benchmarks.tick
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.pipeline import Pipeline

START_NS = 1_780_000_000 * NS_PER_SECOND
TICKS = 75
CASES = (100, 10_000, 100_000)


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


def measure(series: int) -> tuple[float, float]:
    """Median milliseconds of a tick once all detectors are warm, and bytes a series."""
    names = pa.array([f"https://api.example.org/v1/endpoint-{i}" for i in range(series)])
    pipeline, costs = Pipeline(), []
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for second in range(TICKS if series < 50_000 else 66):
        item = second_of_rows(series, second, names)
        if second == 60:
            held = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
        pipeline.push(item)
        began = time.process_time()
        pipeline._close_until((pipeline._next or 0) + 1, _step(item))
        if second > 61:
            costs.append(time.process_time() - began)
    return statistics.median(costs) * 1e3, held / series


def _step(item: Item) -> object:
    from aiops_nb.core.types import Step

    return Step(item)


def main() -> None:
    """Print the table."""
    print("| series | cost of a tick | a series |")
    print("|--:|--:|--:|")
    for series in CASES:
        milliseconds, size_bytes = measure(series)
        print(f"| {series:,} | {milliseconds:.2f} ms | {size_bytes / 1024:.1f} KB |", flush=True)


if __name__ == "__main__":
    main()
