"""Replay speed from disk: a sealed recording of 100 targets at 1,000 rows/s through the whole engine.

python -m benchmarks.replay
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import aiops_nb
from aiops_nb.collect.json_lines.decoder import JsonLines
from aiops_nb.core.schemas import control_batch
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.record.recorder import Recorder
from benchmarks.streams import START_SECONDS, events, json_chunks

RATE_HZ, TARGETS, SECONDS, ROUNDS = 1_000, 100, 600, 3


def make_recording(path: Path) -> None:
    """Batches of 250 ms with a clock heartbeat every second, as a live run would write them."""
    lines = JsonLines("bench")
    with Recorder(path) as recorder:
        for number, chunk in enumerate(json_chunks(events(TARGETS, RATE_HZ * SECONDS, RATE_HZ), RATE_HZ // 4)):
            if number % 4 == 0:
                recorder.write(control_batch("clock", "heartbeat", (START_SECONDS + number // 4) * NS_PER_SECOND))
            for batch in lines.feed(chunk):
                recorder.write(batch)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        make_recording(path)
        costs = []
        for _ in range(ROUNDS):
            began = time.process_time()
            monitor = aiops_nb.replay(path)
            costs.append(time.process_time() - began)
    seconds = statistics.median(costs)
    print("| recorded | replayed in | times real time | rows/s |")
    print("|--:|--:|--:|--:|")
    rows = monitor.counters.rows_total
    recorded = f"{SECONDS} s, {TARGETS} targets, {RATE_HZ} rows/s"
    print(f"| {recorded} | {seconds:.2f} s | {SECONDS / seconds:.0f} | {rows / seconds:,.0f} |")


if __name__ == "__main__":
    main()
