"""What a monitor and a replay hold after hours at a low rate: 4 probes/s, a log of 25 requests/s, this host.

python -m benchmarks.memory                 20 minutes of it, within a minute
python -m benchmarks.memory --hours 168     a week, as fast as it goes; the recording takes some gigabytes
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item, Step
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.monitor.recording_tap import RecordingTap
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.monitor.step_store import StepStore
from aiops_nb.record.recorder import Recorder
from aiops_nb.session.recording import open_recording

START_NS = 1_780_000_000 * NS_PER_SECOND
KEPT_BYTES = 24 << 20
MINUTES = 20
PARTS = 4
ITEMS_A_MINUTE = 60 * (2 * PARTS + 2)
ROWS_SHOWN = 10
SEGMENT_ROWS = 100_000


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


def live(minutes: int, path: Path) -> None:
    """A live run with its recording and derived tables: print what is held as it goes on."""
    process, store, pipeline = psutil.Process(), StepStore(KEPT_BYTES), Pipeline()
    tap = RecordingTap(Recorder(path, segment_rows=SEGMENT_ROWS))
    deliver = tap.delivering(store.write)
    print(f"bound {KEPT_BYTES >> 20} MiB\n\n| minute | steps kept | counted MB | process MB more |\n|--:|--:|--:|--:|")
    before, every = 0, max(minutes // ROWS_SHOWN, 1)
    for number, item in enumerate(low_rate(minutes * 60)):
        deliver(pipeline.push(tap.write(item.batch)))
        if number == ITEMS_A_MINUTE:
            before = process.memory_info().rss - store.held_bytes
        if number % ITEMS_A_MINUTE:
            continue
        tap.seal_pending()
        if number and number % (ITEMS_A_MINUTE * every) == 0:
            gc.collect()
            grown = (process.memory_info().rss - before) / 1e6
            minute = number // ITEMS_A_MINUTE
            print(f"| {minute:,} | {len(store.steps()):,} | {store.held_bytes / 1e6:.1f} | {grown:.1f} |", flush=True)
    tap.problems = pipeline.problems
    tap.close()


def replayed(path: Path) -> None:
    """A replay of it, in parts of its length: print what the process holds."""
    process, recording = psutil.Process(), open_recording(path)
    start_ns, end_ns = recording.reader.time_range_ns or (0, 0)
    part_ns = max((end_ns - start_ns) // ROWS_SHOWN, 1)
    gc.collect()
    before, shown = process.memory_info().rss, 0
    print("\n| replayed, minutes | process MB more |\n|--:|--:|")

    def show(step: Step) -> None:
        nonlocal shown
        for tick in step.ticks:
            if tick.features.end_ns >= start_ns + (shown + 1) * part_ns:
                shown += 1
                grown = (process.memory_info().rss - before) / 1e6
                print(f"| {shown * part_ns // 60 // NS_PER_SECOND:,} | {grown:.1f} |", flush=True)

    ReplayRun(recording.reader.joined_items, None, show).start()


def main(arguments: list[str] | None = None) -> None:
    """Print what is held by a live run, then by a replay of its recording."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=MINUTES / 60)
    options = parser.parse_args(arguments or [])
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"XDG_CACHE_HOME": folder, "XDG_DATA_HOME": folder}  # nothing is left in the user's
        path = Path(folder) / "recording"
        live(round(options.hours * 60), path)
        replayed(path)


if __name__ == "__main__":
    main(sys.argv[1:])
