"""Replay of hours of 100 targets at 1 Hz, as a live run recorded them: processor time, memory, and where it goes.

python -m benchmarks.replay_day                     one hour
python -m benchmarks.replay_day --hours 24          a day: 8.64 million rows, 400 MB on disk
python -m benchmarks.replay_day --recording PATH    one that is there already, which is made if it is not
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

import aiops_nb
from aiops_nb import kernel
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.engine.commands import Start, Stop
from aiops_nb.engine.look_ahead import grouped
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.record.recorder import Recorder
from aiops_nb.session.recording import open_recording

TARGETS, START, BATCHES_A_SECOND = 100, 1_780_000_000, 4
NAMES = pa.array([f"https://api.example.org/v1/endpoint-{i}" for i in range(TARGETS)])
INCIDENT_EVERY, SLOW, FAILING = 7200, range(3600, 3720), range(5400, 5460)


def _command(recorder: Recorder, second: int, command: Start | Stop) -> None:
    body = msgspec.json.encode(command).decode()
    recorder.write(control_batch("monitor", "command", second * NS_PER_SECOND, body))


def make_recording(path: Path, seconds: int) -> None:
    """Four batches a second with phases and certificates; a slow and a failing target every two hours."""
    rng = np.random.default_rng(1)
    baseline = np.exp(rng.normal(-3, 0.4, TARGETS))
    offset = np.sort(rng.random(TARGETS))  # probes are spread over the interval
    batch_of = (offset * BATCHES_A_SECOND).astype(int)
    with Recorder(path) as recorder:
        _command(recorder, START, Start(sources=("probes",)))
        for second in range(seconds):
            recorder.write(control_batch("clock", "heartbeat", (START + second) * NS_PER_SECOND))
            duration = baseline * rng.lognormal(0, 0.25, TARGETS)
            status = np.where(rng.random(TARGETS) < 0.0005, 503, 200).astype(np.int16)
            within, number = second % INCIDENT_EVERY, second // INCIDENT_EVERY
            if within in SLOW:
                duration[number % TARGETS] *= 6
            if within in FAILING:
                status[number * 7 % TARGETS] = 500
            moment = ((START + second + offset) * NS_PER_SECOND).astype(np.int64)
            for batch in range(BATCHES_A_SECOND):
                mine = np.flatnonzero(batch_of == batch)
                recorder.write(_rows(mine, moment[mine], status[mine], duration[mine]))
            if second % 600 == 0:
                recorder.seal_pending()
        _command(recorder, START + seconds, Stop())


def _rows(mine: np.ndarray, moment: np.ndarray, status: np.ndarray, duration: np.ndarray) -> pa.RecordBatch:
    shares = {"resolve": 0.02, "connect": 0.08, "tls": 0.2, "wait": 0.6, "transfer": 0.1}
    columns = {
        "time": moment,
        "origin": "probe",
        "target": pa.DictionaryArray.from_arrays(mine.astype(np.int32), NAMES),
        "method": "GET",
        "status_code": status,
        "duration_seconds": duration,
        "response_bytes": np.full(len(mine), 512),
        "certificate_expires": np.full(len(mine), (START + 90 * 86_400) * NS_PER_SECOND),
    }
    phases = {f"{phase}_seconds": duration * share for phase, share in shares.items()}
    return make_batch("requests", "probes", columns | phases)


def read_only(path: Path) -> int:
    """Rows of the recording."""
    return sum(item.batch.num_rows for item in open_recording(path).reader.joined_items() if item.table == "requests")


def push_only(path: Path) -> int:
    """Alert changes that the engine alone makes, nothing kept."""
    pipeline = Pipeline()
    groups = grouped(open_recording(path).reader.joined_items())
    return sum(len(step.changes) for items in groups for step in pipeline.push_many(items))


def push_one_by_one(path: Path) -> int:
    """The same, each item by itself: every window is closed in a call of its own."""
    pipeline = Pipeline()
    return sum(len(pipeline.push(item).changes) for item in open_recording(path).reader.joined_items())


def push_without_kernel(path: Path) -> int:
    """The same by numpy, in this process."""
    compiled = kernel.compiled
    try:
        kernel.compiled = None
        return push_only(path)
    finally:
        kernel.compiled = compiled


def replay_whole(path: Path) -> int:
    """Alerts of a replay as a notebook makes it."""
    return len(aiops_nb.replay(path).alerts())


CASES: dict[str, Callable[[Path], int]] = {
    "read": read_only,
    "push": push_only,
    "push-one-by-one": push_one_by_one,
    "push-without-kernel": push_without_kernel,
    "replay": replay_whole,
}


def measure(path: Path, seconds: int, cases: list[str]) -> None:
    """Print the table."""
    print("| what | result | CPU | a day of it | us a window | largest RSS |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in cases:
        began = time.process_time()
        result = CASES[name](path)
        cost = time.process_time() - began
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        row = f"{cost:.2f} s | {cost * 86_400 / seconds:.1f} s | {cost / seconds * 1e6:.0f} | {size} MB"
        print(f"| {name} | {result:,} | {row} |", flush=True)


def print_disk(path: Path, seconds: int) -> None:
    """What the derived tables take that the replay kept."""
    kept = open_recording(path).derived.kept()
    if kept is None:
        return
    print("\n| derived table | on disk | a day of it |\n|---|--:|--:|")
    for name, segments in sorted(kept.manifest.tables.items()):
        size = sum(segment.size_bytes for segment in segments) / 1e6
        print(f"| {name} | {size:,.1f} MB | {size * 86_400 / seconds:,.0f} MB |")


def main(arguments: list[str] | None = None) -> None:
    """Make the recording, unless it is there, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--recording", type=Path)
    parser.add_argument("--cases", nargs="*", choices=list(CASES), default=list(CASES))
    options = parser.parse_args(arguments or [])
    seconds = round(options.hours * 3600)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"XDG_CACHE_HOME": folder, "XDG_DATA_HOME": folder}  # nothing is left in the user's
        path = options.recording or Path(folder) / "recording"
        if not path.exists():
            make_recording(path, seconds)
        measure(path, seconds, options.cases)
        print_disk(path, seconds)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
