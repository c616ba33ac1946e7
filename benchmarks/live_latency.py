"""From a row to its step and its alert in a live monitor at 10,000 rows/s, idle and under a cell that burns the GIL.

    python -m benchmarks.live_latency [--seconds 10]

100 targets, 2,000 clients, JSON lines each 100 ms, recorded. Every second one target answers 503 forty times in a row.
"Row to step" is from the last row of a batch, writing its line included, to the delivery of the step that holds it,
"row to alert" from the row that made a row alert fire to its delivery. "Lost" compares the rows sent with those in the
recording. The burning cell is a Python loop in another thread, as a cell of a notebook is. Takes at most half a minute.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from aiops_nb import kernel
from aiops_nb.collect.json_lines.decoder import JsonLines
from aiops_nb.core.columns import times_ns
from aiops_nb.core.schemas import empty_batch
from aiops_nb.core.types import Step
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder

RATE_HZ, EVERY_SECONDS, TARGETS, CLIENTS, FAILING_ROWS = 10_000, 0.1, 100, 2_000, 40
BATCH_ROWS = int(RATE_HZ * EVERY_SECONDS)
SETTLE_SECONDS, MOST_SECONDS = 3.0, 10.0


class Flood:
    """A source that is due each 100 ms, however late it is asked."""

    name = "flood"

    def __init__(self) -> None:
        self.rows_total = 0
        self._lines, self._rng = JsonLines(self.name), np.random.default_rng(7)
        self._due, self._batches, self.is_open = time.monotonic(), 0, True

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The rows that are due; none once it is closed for good."""
        wait = self._due - time.monotonic()
        if not self.is_open or wait > timeout_seconds:
            time.sleep(timeout_seconds)
            return empty_batch("requests")
        time.sleep(max(0.0, wait))
        self._due += EVERY_SECONDS
        self._batches += 1
        (batch,) = self._lines.feed(self._chunk())
        self.rows_total += batch.num_rows
        return batch

    def _chunk(self) -> bytes:
        target, status = self._rng.integers(0, TARGETS, BATCH_ROWS), np.full(BATCH_ROWS, 200)
        if self._batches % round(1 / EVERY_SECONDS) == 0:
            target[-FAILING_ROWS:], status[-FAILING_ROWS:] = self._batches // 10 % TARGETS, 503
        seconds, client = self._rng.gamma(4, 0.02, BATCH_ROWS), self._rng.integers(0, CLIENTS, BATCH_ROWS)
        moments = time.time() - np.arange(BATCH_ROWS)[::-1] * 1e-6
        columns = zip(
            moments.tolist(), target.tolist(), status.tolist(), seconds.tolist(), client.tolist(), strict=True
        )
        return b"".join(
            b'{"time": %.6f, "target": "https://api.example.org/v1/endpoint-%d", "status_code": %d, '
            b'"duration_seconds": %.6f, "client_ip": "10.0.%d.%d"}\n' % (at, t, s, d, c >> 8, c & 255)
            for at, t, s, d, c in columns
        )

    def close(self) -> None:
        """Nothing is held."""


class Delays:
    """Notes how late steps and row alerts are delivered."""

    def __init__(self) -> None:
        self.rows_ms: list[float] = []
        self.alerts_ms: list[float] = []

    def write(self, step: Step) -> None:
        """Take one step."""
        now = time.time_ns()
        if step.item.table == "requests":
            self.rows_ms.append((now - int(times_ns(step.item.batch.column("time")).max())) / 1e6)
        fired = [change for change in step.changes if change.state == "firing"]
        self.alerts_ms += [(now - one.time_ns) / 1e6 for one in fired if one.labels.get("alertname") == "http_5xx"]

    def close(self) -> None:
        """Nothing is held."""


@contextmanager
def burning(burns: bool) -> Iterator[None]:
    """A thread that never lets go of the GIL by itself."""
    stop = threading.Event()

    def burn() -> None:
        while not stop.is_set():
            sum(i * i for i in range(200_000))

    thread = threading.Thread(target=burn)
    if burns:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if burns:
            thread.join()


def measure(seconds: float, burns: bool) -> tuple[Delays, int, int]:
    """Delays, rows that were sent, and rows in the recording."""
    with tempfile.TemporaryDirectory() as folder:
        path, flood, delays = Path(folder) / "recording", Flood(), Delays()
        monitor = Monitor(lambda deliver: LiveRun([flood], Recorder(path), PipelineParams(), deliver))
        monitor.add_sink(delays)
        monitor.start()
        time.sleep(SETTLE_SECONDS)
        with burning(burns):
            delays.rows_ms.clear()
            delays.alerts_ms.clear()
            time.sleep(seconds)
            flood.is_open = False
            time.sleep(0.5)
        monitor.stop()
        recorded = sum(block.num_rows for block in RecordingReader(path).blocks("requests"))
    return delays, flood.rows_total, recorded


def shown(delays_ms: list[float]) -> str:
    """The median and the 99th percentile."""
    if not delays_ms:
        return "none"
    return " / ".join(f"{value:.1f}" for value in np.quantile(delays_ms, (0.5, 0.99)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="of each part, at most 10")
    seconds = min(parser.parse_known_args()[0].seconds, MOST_SECONDS)
    print(f"Kernel: {kernel.status()}; {RATE_HZ:,} rows/s for {seconds:g} s each\n")
    print("| interpreter | row to step p50 / p99 ms | row to alert p50 / p99 ms | alerts | rows sent | lost |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, burns in (("idle", False), ("a cell burns the GIL", True)):
        delays, sent, recorded = measure(seconds, burns)
        late = f"{shown(delays.rows_ms)} | {shown(delays.alerts_ms)} | {len(delays.alerts_ms)}"
        print(f"| {name} | {late} | {sent:,} | {sent - recorded} |", flush=True)


if __name__ == "__main__":
    main()
