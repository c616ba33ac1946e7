"""Events a second on one core, from JSON bytes to alerts with recording on, next to river doing statistics alone.

    python -m benchmarks.engine
    AIOPS_NB_KERNEL=off python -m benchmarks.engine    the same by numpy

river keeps a rolling mean, variance and p95 of each target over the same rows, already parsed: no JSON, no windows, no
recording, no alerts. Batches that wait while the engine is busy travel together: 20 waiting are what a stream as quick
as the engine makes of small ones, 1 is a stream that leaves it idle in between. Time is that of the processor, so that
a neighbour on the machine does not count.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from pathlib import Path

from aiops_nb import kernel
from benchmarks.streams import events, json_chunks

RATE_HZ = 5_000.0
RIVER_WINDOW_ROWS = 300
CASES = [(1, 5_000, 1), (100, 5_000, 1), (10_000, 5_000, 1)]
CASES += [(targets, 250, waiting) for waiting in (1, 20) for targets in (1, 100, 10_000)]
ROWS = {1: 300_000, 100: 300_000, 10_000: 100_000}
RIVER_ROWS = 30_000
ROUNDS = 5


def engine_seconds(chunks: list[bytes], waiting: int = 1) -> float:
    """Decode, join as many as wait, record, judge."""
    from aiops_nb.collect.json_lines.decoder import JsonLines
    from aiops_nb.engine.pipeline import Pipeline
    from aiops_nb.monitor.engine_loop import joined
    from aiops_nb.record.recorder import Recorder

    with tempfile.TemporaryDirectory() as folder:
        recorder, lines, pipeline = Recorder(Path(folder) / "recording"), JsonLines("bench"), Pipeline()
        began = time.process_time()
        for first in range(0, len(chunks), waiting):
            batches = [batch for chunk in chunks[first : first + waiting] for batch in lines.feed(chunk)]
            for batch in joined(batches):
                pipeline.push(recorder.write(batch))
        seconds = time.process_time() - began
        recorder.close()
    return seconds


def river_seconds(rows: list[dict[str, object]]) -> float:
    """Rolling mean, variance and p95 of each target."""
    from river import stats, utils

    def fresh() -> tuple[object, object, object]:
        rolling = (utils.Rolling(kind(), RIVER_WINDOW_ROWS) for kind in (stats.Mean, stats.Var))
        return (*rolling, stats.RollingQuantile(0.95, RIVER_WINDOW_ROWS))

    pairs = [(row["target"], row["duration_seconds"]) for row in rows]
    state: dict[object, tuple[object, ...]] = {}
    began = time.process_time()
    for target, duration in pairs:
        known = state.get(target) or state.setdefault(target, fresh())
        for stat in known:
            stat.update(duration)
        for stat in known:
            stat.get()
    return time.process_time() - began


def measure(targets: int, batch_rows: int, waiting: int) -> tuple[float, float, float]:
    """Median events a second of the engine and of river, in turns, and the median of the ratios."""
    rows = events(targets, ROWS[targets], RATE_HZ)
    chunks = json_chunks(rows, batch_rows)
    gc.collect()
    gc.freeze()  # the rows are the benchmark's own; neither side's time should go into counting them
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(len(rows) / engine_seconds(chunks, waiting))
        theirs.append(min(RIVER_ROWS, len(rows)) / river_seconds(rows[:RIVER_ROWS]))
    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
    return statistics.median(ours), statistics.median(theirs), statistics.median(ratios)


def main() -> None:
    """Print the table."""
    print(f"Computed by: {kernel.status()}\n")
    print(
        "| targets | rows a batch | waiting | events/s, JSON to alerts, recording | river, statistics alone | ratio |"
    )
    print("|--:|--:|--:|--:|--:|--:|")
    for targets, batch_rows, waiting in CASES:
        ours, theirs, ratio = measure(targets, batch_rows, waiting)
        print(f"| {targets:,} | {batch_rows:,} | {waiting} | {ours:,.0f} | {theirs:,.0f} | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
