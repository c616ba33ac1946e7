"""The synthetic stream as a collector, paced by a clock or as fast as it is asked."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb.collect.synthetic.block import MAX_ROWS, Part, block_seconds, draw_block
from aiops_nb.collect.synthetic.faults import Fault, FaultLabel, labels_frame
from aiops_nb.collect.synthetic.params import TrafficParams, names_of
from aiops_nb.collect.synthetic.shape import Shape
from aiops_nb.core.clock import Clock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.labels import write_label_lines
from aiops_nb.core.schemas import empty_batch
from aiops_nb.core.types import NS_PER_SECOND

if TYPE_CHECKING:
    import pandas as pd

_UNPACED_START_NS = 1_780_000_000 * NS_PER_SECOND


class SyntheticStream:
    """Requests of several services, samples of the hosts they run on, and faults at the given times, with their labels.

    Arrivals are Poisson around a daily and weekly rhythm; latency is log-normal with a Pareto tail and rises with the
    load, as the hosts' processors do; few services and clients have most of the traffic. The rows depend on the
    parameters only, never on when or how they are polled: each second of the stream is drawn from generators of its
    own. Rows come in order of time, of each second first its requests and then, if there are hosts, their samples.
    Cost is one or two microseconds a row; memory does not grow.

    Parameters
    ----------
    seed
        Chooses the stream, >= 0.
    targets
        Names of the services, the most popular first, or how many.
    rate_hz
        Rows a second and target, on the average of a week and of the targets.
    median_seconds, sigma
        Of the latency at the expected load; `sigma` is the standard deviation of its logarithm.
    error_ratio
        Share of requests answered with 500 when nothing is wrong.
    hosts
        Names of the hosts, or how many: each gives `cpu_ratio`, `cpu_user_ratio`, `cpu_system_ratio`, `memory_ratio`
        and `memory_available_bytes` at the end of each second. The services take turns on them. 0 = requests only.
    shape
        Rhythm and time zone, tail, popularity, clients; `FLAT` has none of these.
    duration_seconds
        Where the stream ends, in whole seconds begun; None = never.
    faults
        What goes wrong.
    start_ns
        Time of the first second, UTC; by default the clock's now, or 2026-05-28 20:26:40 UTC when unpaced.
    clock
        Paces the stream: a row is given out when its time has come. None = as fast as it is polled; for that, through
        the pipeline, there is `aiops_nb.from_synthetic`.
    name
        The `source` of the rows.

    Raises
    ------
    ConfigError
        In one line, naming the parameter, what was expected and what came.

    Examples
    --------
    >>> stream = SyntheticStream(seed=7, targets=2, rate_hz=50, duration_seconds=2)
    >>> stream.poll(timeout_seconds=0)["time"].null_count
    0
    >>> len([batch for batch in iter(lambda: stream.poll(0), None)])
    0
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
        hosts: int | Sequence[str] = 0,
        shape: Shape = Shape(),  # noqa: B008 - frozen
        duration_seconds: float | None = None,
        faults: Sequence[Fault] = (),
        start_ns: int | None = None,
        clock: Clock | None = None,
        name: str = "synthetic",
    ) -> None:
        self.name = name
        self.params = TrafficParams(
            seed=seed,
            targets=names_of("targets", targets, "service"),
            hosts=names_of("hosts", hosts, "host"),
            rate_hz=rate_hz,
            median_seconds=median_seconds,
            sigma=sigma,
            error_ratio=error_ratio,
            shape=shape,
            start_ns=_start_ns(start_ns, clock),
            faults=tuple(faults),
        )
        _check_duration(duration_seconds)
        self.duration_seconds = duration_seconds
        self._clock = clock
        self._closing = threading.Event()
        self._second = 0
        self._waiting: deque[Part] = deque()

    @property
    def is_paced(self) -> bool:
        """Whether a clock says when the rows come."""
        return self._clock is not None

    @property
    def drawn_until_ns(self) -> int:
        """End of the last second that was drawn, UTC ns."""
        return self._second_start_ns()

    @property
    def labels(self) -> list[FaultLabel]:
        """The truth: when and where each fault is, those to come included."""
        return self.params.labels

    @property
    def begun_labels(self) -> list[FaultLabel]:
        """The labels of faults that the drawn part of the stream has reached, cut off at its end."""
        until_ns = self.drawn_until_ns
        begun = [label for label in self.labels if label.start_ns < until_ns]
        return [msgspec.structs.replace(label, end_ns=min(label.end_ns, until_ns)) for label in begun]

    def labels_frame(self) -> pd.DataFrame:
        """`labels` as `aiops_nb.tune.sweep` takes them.

        Returns
        -------
        pandas.DataFrame
            A row per fault: kind, target, start, end (UTC).
        """
        return labels_frame(self.labels)

    def write_labels(self, path: str | Path) -> None:
        """Write `begun_labels` to a file that `aiops_nb.tune.read_labels` reads.

        In the folder of a recording its name is `labels.jsonl`. Write it when the stream has ended: a fault that
        never came about would count as missed.

        Parameters
        ----------
        path
            The file; replaced if it exists.
        """
        write_label_lines(path, (label.line() for label in self.begun_labels))

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next rows that are due, at most 5,000; None at the end."""
        if self._closing.is_set() or not self._refill():
            return None
        due = self._due_rows()
        if due == 0 and self._closing.wait(self._wait_seconds(timeout_seconds)):
            return None
        return self._taken(self._due_rows())

    def close(self) -> None:
        """End a waiting `poll`."""
        self._closing.set()

    def _refill(self) -> bool:
        """Draw on when all is given out; False when there is no more."""
        while not self._waiting:
            if self.duration_seconds is not None and self._second >= self.duration_seconds:
                return False
            if self._clock is not None and self._clock.now_ns() < self._second_start_ns():
                return True
            self._draw()
            if self._clock is not None or self._closing.is_set():
                return True  # an unpaced stream continues: it has no time in which nothing came
        return True

    def _draw(self) -> None:
        seconds = 1 if self.is_paced else block_seconds(self.params, self._second, self.duration_seconds)
        self._waiting.extend(draw_block(self.params, self.name, self._second, seconds).parts())
        self._second += seconds

    def _second_start_ns(self) -> int:
        return self.params.start_ns + self._second * NS_PER_SECOND

    def _due_rows(self) -> int:
        if not self._waiting:
            return 0
        due_ns = self._waiting[0].due_ns
        rows = len(due_ns)
        if self._clock is not None:
            rows = int(np.searchsorted(due_ns, self._clock.now_ns(), side="right"))
        return min(rows, MAX_ROWS)

    def _taken(self, rows: int) -> pa.RecordBatch:
        if not rows:
            return empty_batch("requests")
        part = self._waiting.popleft()
        if rows < part.batch.num_rows:
            self._waiting.appendleft(Part(part.batch.slice(rows), part.due_ns[rows:]))
        return part.batch.slice(0, rows)

    def _wait_seconds(self, timeout_seconds: float) -> float:
        if self._clock is None:
            return 0.0
        next_ns = int(self._waiting[0].due_ns[0]) if self._waiting else self._second_start_ns()
        # Rows of a quarter of a second travel together: a batch a row would cost more than the row.
        return max(0.0, min(timeout_seconds, (next_ns - self._clock.now_ns()) / 1e9 + 0.25))


def _check_duration(seconds: float | None) -> None:
    if seconds is not None and not (isinstance(seconds, (int, float)) and 0 < seconds < math.inf):
        raise ConfigError.at("duration_seconds", "None or a number > 0", seconds)


def _start_ns(start_ns: int | None, clock: Clock | None) -> int:
    if start_ns is not None:
        return start_ns
    return clock.now_ns() if clock is not None else _UNPACED_START_NS
