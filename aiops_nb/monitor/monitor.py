"""A monitor: one stream, started and stopped, seen as DataFrames and as a dashboard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from aiops_nb.core.clock import SystemClock
from aiops_nb.core.columns import times_ns
from aiops_nb.core.protocols import Sink
from aiops_nb.core.schemas import TableName
from aiops_nb.core.types import AlertChange, Step
from aiops_nb.engine.commands import Command, decode_command, encode_command
from aiops_nb.frames.base import FrameAccess
from aiops_nb.monitor.run import Counters, Deliver, FanOut, Run
from aiops_nb.monitor.self_observation import rejected_frame
from aiops_nb.monitor.step_store import StepStore

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.view.dashboard import Dashboard

_log = logging.getLogger(__name__)


class Monitor(FrameAccess):
    """Watches until it is stopped; made by `watch` and `replay`.

    A context manager: leaving it stops the monitor. Nothing here blocks: the work is done in threads, and what was
    seen stays readable after the end, up to 256 MB of it (a recording keeps everything).

    Parameters
    ----------
    make_run
        Builds one start-to-stop, given where to deliver its steps.
    notes
        Sentences to show with the warnings, such as what was repaired.
    once
        For rows that exist already: a second start would bring each of them twice, so that it does nothing.
    """

    def __init__(self, make_run: Callable[[Deliver], Run], notes: Sequence[str] = (), *, once: bool = False) -> None:
        self._make_run, self._notes, self._once = make_run, tuple(notes), once
        self._store, self._fan_out = StepStore(), FanOut()
        self._fan_out.add(self._store)
        self._lock = threading.RLock()
        self._run: Run | None = None
        self._dashboard: Dashboard | None = None

    def __repr__(self) -> str:
        counters = self.counters
        state = "running" if self.running else "stopped"
        return f"<Monitor {state}, {counters.rows_total} rows, {len(self.firing())} alerts firing>"

    def __enter__(self) -> Monitor:
        if not self.running:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether rows still flow."""
        run = self._run
        return run is not None and run.running

    @property
    def ended(self) -> bool:
        """Whether it has run and cannot run again: a replay, or rows that existed already."""
        return self._once and self._run is not None and not self.running

    def start(self) -> None:
        """Start, or start again after a stop; a running monitor is left alone, and so is one that has `ended`."""
        with self._lock:
            if not self.running and not self.ended:
                self._run = self._make_run(self._fan_out.deliver)
                self._run.start()

    def stop(self) -> None:
        """Stop collecting, judge what was queued, seal the recording; may be called twice."""
        with self._lock:
            if self._run is not None:
                self._run.stop()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the stream has ended; true if it has."""
        return self._run is None or self._run.wait(timeout_seconds)

    def command(self, command: Command | dict[str, object]) -> None:
        """Put a command into the stream: it takes effect, and is recorded, in its place.

        Raises
        ------
        ConfigError
            If it is not a command.

        Examples
        --------
        >>> slower = {"type": "set_threshold", "alertname": "latency_p95_anomaly", "threshold": 8.0}
        >>> Monitor(make_run=lambda deliver: None).command(slower)  # not started: nothing to command
        """
        checked = command if isinstance(command, Command) else _command_of(command)
        if self._run is not None:
            self._run.command(encode_command(checked))

    def add_sink(self, sink: Sink) -> None:
        """Deliver every further step to one more sink."""
        self._fan_out.add(sink)

    def remove_sink(self, sink: Sink) -> None:
        """Deliver to it no more."""
        self._fan_out.remove(sink)

    @property
    def counters(self) -> Counters:
        """How the present run is doing."""
        if self._run is None:
            return Counters(sink_errors_total=self._fan_out.errors_total)
        stream = self._run.stream_counters()
        return Counters(
            rows_total=stream.rows_total,
            late_total=stream.late_total,
            ahead_total=stream.ahead_total,
            ticks_total=stream.ticks_total,
            skipped_ticks_total=stream.skipped_ticks_total,
            queued_batches=self._run.queued_batches(),
            poll_errors_total=self._run.poll_errors_total(),
            sink_errors_total=self._fan_out.errors_total,
        )

    def warnings(self) -> list[str]:
        """What a user should know now, a sentence each: what fails (collectors, estimators of rules), unused lines."""
        counters, run = self.counters, self._run
        problems = {**(run.problems() if run else {}), **self._fan_out.problems()}
        lines = [*self._notes, *(f"{part}: {text}" for part, text in problems.items())]
        if counters.late_total:
            lines.append(f"{counters.late_total} rows came too late for their window (recorded, not used)")
        if counters.ahead_total:
            lines.append(f"{counters.ahead_total} rows came from the future (recorded, not used)")
        return lines

    def rejected(self) -> pd.DataFrame:
        """The last lines that were not used, of each collector: source, reason, detail, line (its beginning)."""
        return rejected_frame(self._run.collectors if self._run else ())

    def firing(self) -> list[AlertChange]:
        """The alerts that fire now and that no other explains."""
        state = {change.fingerprint: change for change in self._store.changes()}
        return [change for change in state.values() if change.state == "firing" and not change.inhibited_by]

    def recent(self) -> list[Step]:
        """The kept steps, oldest first: what a dashboard made later begins with."""
        return self._store.steps()

    def dashboard(self) -> Dashboard:
        """The live dashboard; asked for again (a re-run cell, a reloaded page) it replaces the one before."""
        from aiops_nb.view.dashboard import Dashboard

        with self._lock:
            if self._dashboard is not None:
                self._dashboard.close()
            self._dashboard = Dashboard(self)
            return self._dashboard

    def _batches(self, table: TableName, start_ns: int | None, end_ns: int | None) -> list[pa.RecordBatch]:
        return self._store.batches(table)

    def _steps(self, start_ns: int | None, end_ns: int | None) -> list[Step]:
        return self._store.steps()

    def _extent_ns(self) -> tuple[int, int] | None:
        times = [times_ns(step.item.batch.column("time")) for step in self._store.steps() if step.item.batch.num_rows]
        if not times:
            return None
        newest_ns = max(int(time.max()) for time in times)
        now_ns = SystemClock().now_ns() if self.running and not self._once else newest_ns
        return min(int(time.min()) for time in times), max(newest_ns, now_ns) + 1

    def _changes(self) -> list[AlertChange]:
        return self._store.changes()


def _command_of(body: dict[str, object]) -> Command:
    return decode_command(msgspec.json.encode(body).decode())
