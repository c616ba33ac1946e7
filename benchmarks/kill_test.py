"""Kill a real writer at random moments, open what it left, and count what is missing.

    python benchmarks/kill_test.py --runs 20 --seed 1

prints a Markdown table and exits with 1 if one acknowledged row is lost or differs. Acknowledged is what the writer
had reported to its parent when it died; a later item may be on disk too, because it was written and not yet reported.
"""

from __future__ import annotations

import argparse
import logging
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from pathlib import Path

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder

VARIANTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class KillRun:
    """What one kill reached."""

    seed: int
    acknowledged_items: int
    acknowledged_rows: int
    found_items: int
    lost_rows: int
    sealed_files: int
    cut_bytes: int
    repairs: tuple[str, ...]

    def cells(self) -> tuple[int | str, ...]:
        """One row of the table."""
        reported = "yes" if self.repairs else "NO"
        counts = (self.acknowledged_items, self.acknowledged_rows, self.found_items, self.lost_rows)
        return (self.seed, *counts, self.sealed_files, self.cut_bytes, reported)


HEAD = (
    "run",
    "acknowledged items",
    "acknowledged rows",
    "found items",
    "lost rows",
    "sealed files",
    "cut bytes",
    "reported",
)


@lru_cache(maxsize=VARIANTS)
def make_batch_of(seed: int, variant: int) -> pa.RecordBatch:
    """What the item at place `seq` holds, with variant = seq % VARIANTS: a reader can check every value.

    A third are long, so that the writer is mostly inside a write when it dies.
    """
    if variant % 5 == 4:
        return control_batch("clock", "heartbeat", variant)
    rng = np.random.default_rng((seed, variant))
    rows = int(rng.integers(20_000, 60_000)) if variant % 3 == 0 else int(rng.integers(1, 50))
    names = pa.array([f"https://example.org/{variant}/{number}" for number in range(100)])
    target = pa.DictionaryArray.from_arrays(rng.integers(0, len(names), rows).astype(np.int32), names)
    columns = {"time": np.arange(rows), "target": target}
    if variant % 2:
        return make_batch("samples", "host", {**columns, "metric": "cpu_ratio", "value": rng.random(rows)})
    return make_batch("requests", "http", {**columns, "origin": "traffic", "duration_seconds": rng.random(rows)})


def write_until_killed(path: str, seed: int) -> None:
    """The victim: writes, seals as well, and reports each item after `write` has returned."""
    recorder = Recorder(path, segment_rows=100_000)
    threading.Thread(target=_seal_forever, args=(recorder,), daemon=True).start()
    batches = [make_batch_of(seed, variant) for variant in range(VARIANTS)]
    for batch in cycle(batches):
        item = recorder.write(batch)
        print(item.seq, item.batch.num_rows, flush=True)


def _seal_forever(recorder: Recorder) -> None:
    while True:
        recorder.seal_pending()
        time.sleep(0.005)


def kill_once(seed: int, path: Path) -> KillRun:
    """Start a writer, kill it at a moment that the seed chooses, and look at what it left."""
    rng = random.Random(seed)
    acknowledged = _acknowledged(seed, path, after_items=rng.randint(1, 100), delay_seconds=rng.random() / 50)
    sealed_files = len(list(path.rglob("*.parquet")))
    reader = RecordingReader(path, repair=True)
    found = {item.seq: item.batch for item in reader.items()}
    return KillRun(
        seed=seed,
        acknowledged_items=len(acknowledged),
        acknowledged_rows=sum(acknowledged.values()),
        found_items=len(found),
        lost_rows=sum(rows for seq, rows in acknowledged.items() if not _is_whole(seed, seq, found)),
        sealed_files=sealed_files,
        cut_bytes=sum(file.stat().st_size for file in path.rglob("*.cut")),
        repairs=reader.repairs,
    )


def _acknowledged(seed: int, path: Path, *, after_items: int, delay_seconds: float) -> dict[int, int]:
    """Rows by `seq` that the victim reported, the last lines in the pipe included."""
    command = [sys.executable, __file__, "--write", str(path), "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        lines = [victim.stdout.readline() for _ in range(after_items)]
        time.sleep(delay_seconds)  # so that the kill meets any part of an item, not only its beginning
        victim.kill()
        lines += victim.stdout.readlines()
    whole = [line.split() for line in lines if line.endswith("\n")]
    return {int(seq): int(rows) for seq, rows in whole}


def _is_whole(seed: int, seq: int, found: Mapping[int, pa.RecordBatch]) -> bool:
    return seq in found and _plain(found[seq]).equals(_plain(make_batch_of(seed, seq % VARIANTS)))


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows without `seq`, their words written out."""
    fields = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in batch.schema]
    return batch.cast(pa.schema(fields)).drop_columns("seq")


def table(runs: list[KillRun]) -> str:
    """All runs and their sum, in Markdown."""
    rows = [HEAD, ("---:",) * len(HEAD), *(run.cells() for run in runs)]
    sums = [sum(column) for column in zip(*(run.cells()[1:-1] for run in runs), strict=True)]
    reported = f"{sum(bool(run.repairs) for run in runs)} of {len(runs)}"
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in [*rows, ("all", *sums, reported)])


def main() -> int:
    """Run the kills, or be the victim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run; each further one adds 1")
    parser.add_argument("--write", metavar="PATH", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        write_until_killed(args.write, args.seed)
    logging.disable(logging.WARNING)  # the table says what was repaired
    with tempfile.TemporaryDirectory() as folder:
        runs = [kill_once(seed, Path(folder) / str(seed)) for seed in range(args.seed, args.seed + args.runs)]
    print(table(runs))
    return int(any(run.lost_rows for run in runs))


if __name__ == "__main__":
    sys.exit(main())
