"""Synthetic traffic as a collector, paced by a clock or as fast as it is asked."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from aiops_nb.collect.synthetic_traffic import Fault, FaultLabel, TrafficParams, draw_second, fault_labels
from aiops_nb.core.clock import Clock
from aiops_nb.core.schemas import empty_batch
from aiops_nb.core.types import NS_PER_SECOND

MAX_ROWS = 5_000
_UNPACED_START_NS = 1_780_000_000 * NS_PER_SECOND


class SyntheticStream:
    """Requests of several targets: arrivals at random, log-normal latency, rare errors, and faults where told.

    The rows depend on the parameters only, never on when or how they are polled: each second of the stream is drawn
    from a generator of its own. Rows are in order of time.

    Parameters
    ----------
    seed
        Chooses the stream.
    targets
        Names, or how many.
    rate_hz
        Mean rows a second and target.
    median_seconds, sigma
        Of the latency; `sigma` is the standard deviation of its logarithm.
    error_ratio
        Share of requests answered with 500 when nothing is wrong.
    duration_seconds
        Where the stream ends; None = never.
    faults
        What goes wrong.
    start_ns
        Time of the first second, UTC; by default the clock's now, or 2026-05-28 20:26:40 UTC when unpaced.
    clock
        Paces the stream: a row is given out when its time has come. None = as fast as it is polled.
    name
        The `source` of the rows.

    Examples
    --------
    >>> stream = SyntheticStream(seed=7, targets=2, rate_hz=50, duration_seconds=2)
    >>> stream.poll(timeout_seconds=0)["time"].null_count
    0
    >>> len([batch for batch in iter(lambda: stream.poll(0), None)])
    1
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        targets: int | Sequence[str] = 3,
        rate_hz: float = 10.0,
        median_seconds: float = 0.05,
        sigma: float = 0.35,
        error_ratio: float = 0.002,
        duration_seconds: int | None = None,
        faults: Sequence[Fault] = (),
        start_ns: int | None = None,
        clock: Clock | None = None,
        name: str = "synthetic",
    ) -> None:
        self.name = name
        self.params = TrafficParams(
            seed=seed,
            targets=tuple(f"service-{i}" for i in range(targets)) if isinstance(targets, int) else tuple(targets),
            rate_hz=rate_hz,
            median_seconds=median_seconds,
            sigma=sigma,
            error_ratio=error_ratio,
            start_ns=_start_ns(start_ns, clock),
            faults=tuple(faults),
        )
        self._duration_seconds = duration_seconds
        self._clock = clock
        self._closing = threading.Event()
        self._second = 0
        self._waiting = empty_batch("requests")

    @property
    def labels(self) -> list[FaultLabel]:
        """The truth: when and where each fault is."""
        return fault_labels(self.params)

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next rows that are due, at most 5,000; None at the end."""
        if self._closing.is_set() or not self._refill():
            return None
        due = self._due_rows()
        if due == 0 and self._closing.wait(self._wait_seconds(timeout_seconds)):
            return None
        due = self._due_rows()
        batch, self._waiting = self._waiting.slice(0, due), self._waiting.slice(due)
        return batch if batch.num_rows else empty_batch("requests")

    def close(self) -> None:
        """End a waiting `poll`."""
        self._closing.set()

    def _refill(self) -> bool:
        """Draw the next second when the last is used up; False when there is none."""
        if self._waiting.num_rows:
            return True
        if self._duration_seconds is not None and self._second >= self._duration_seconds:
            return False
        if self._clock is None or self._clock.now_ns() >= self._second_start_ns():
            self._waiting = draw_second(self.params, self.name, self._second)
            self._second += 1
        return True

    def _second_start_ns(self) -> int:
        return self.params.start_ns + self._second * NS_PER_SECOND

    def _times(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        times: np.ndarray[tuple[int], np.dtype[np.int64]] = self._waiting["time"].cast(pa.int64()).to_numpy()
        return times

    def _due_rows(self) -> int:
        rows: int = self._waiting.num_rows
        if self._clock is not None and rows:
            rows = int(np.searchsorted(self._times(), self._clock.now_ns(), side="right"))
        return min(rows, MAX_ROWS)

    def _wait_seconds(self, timeout_seconds: float) -> float:
        if self._clock is None:
            return 0.0
        next_ns = int(self._times()[0]) if self._waiting.num_rows else self._second_start_ns()
        # Rows of a quarter of a second travel together: a batch a row would cost more than the row.
        return max(0.0, min(timeout_seconds, (next_ns - self._clock.now_ns()) / 1e9 + 0.25))


def _start_ns(start_ns: int | None, clock: Clock | None) -> int:
    if start_ns is not None:
        return start_ns
    return clock.now_ns() if clock is not None else _UNPACED_START_NS
