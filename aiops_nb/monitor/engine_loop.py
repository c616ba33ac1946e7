"""What the engine does with the queue: heartbeats, recording, judging, delivering. It owns no thread."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, MutableMapping

import pyarrow as pa
from msgspec.structs import replace

from aiops_nb.alert.identity import fingerprint
from aiops_nb.core.clock import Clock
from aiops_nb.core.errors import AiopsError, BatchError, RecordingError
from aiops_nb.core.schemas import CLOCK_SOURCE, CONTROL, TableName, control_batch, source_of, table_of
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, Step
from aiops_nb.engine.commands import Command, Start, Stop, encode_command, still_held
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.requests.objective_history import History
from aiops_nb.monitor.run import Deliver
from aiops_nb.monitor.self_observation import Flows
from aiops_nb.record.tap import Tap

_log = logging.getLogger(__name__)

WAIT_SECONDS = 0.25
HEARTBEAT_NS = NS_PER_SECOND
STEP_BACK_NS = 5 * NS_PER_SECOND
QUEUE_BATCHES = 256
JOINED_ROWS = 20_000
ABANDON_SECONDS = 1.0


class EngineLoop:
    """Takes batches from a queue, gives them to the tap and the pipeline, and delivers the steps.

    Its only state is the queue and the moment of the last heartbeat; all else is handed in.

    Parameters
    ----------
    tap
        Gives the items their place and records them; closed at the end.
    pipeline
        Judges.
    deliver
        Takes each step.
    clock
        Stamps heartbeats.
    problems
        Where what is wrong is shown, by part.
    start, history
        The first command, and what the objectives take over from an earlier recording.
    """

    def __init__(
        self,
        tap: Tap,
        pipeline: Pipeline,
        deliver: Deliver,
        clock: Clock,
        problems: MutableMapping[str, str],
        start: Start,
        history: History | None = None,
    ) -> None:
        self._tap, self._pipeline, self._deliver = tap, pipeline, deliver
        self._clock, self._problems = clock, problems
        self._start, self._history = start, history
        self._queue: queue.Queue[pa.RecordBatch] = queue.Queue(QUEUE_BATCHES)
        self._last_beat_ns = 0
        self._taking = threading.Lock()
        self._abandoned = False
        self.flows = Flows()
        self.ended = threading.Event()

    def queued_batches(self) -> int:
        """Batches that wait."""
        return self._queue.qsize()

    def offer(self, batch: pa.RecordBatch, timeout_seconds: float | None = None) -> bool:
        """Queue a batch; waits for a place, so that a slow engine slows the collectors and loses nothing.

        Returns
        -------
        bool
            False if the loop has ended, or no place became free in time: the batch was not taken.
        """
        deadline = None if timeout_seconds is None else self._clock.monotonic_seconds() + timeout_seconds
        while not self.ended.is_set():
            try:
                self._queue.put(batch, timeout=WAIT_SECONDS)
            except queue.Full:
                if deadline is not None and self._clock.monotonic_seconds() >= deadline:
                    return False
                continue
            return True
        return False

    def command_batch(self, command: Command) -> pa.RecordBatch:
        """A command of the monitor itself, as an item of the stream."""
        return control_batch("monitor", "command", self._clock.now_ns(), encode_command(command))

    def run(self, collecting: Callable[[], bool]) -> None:
        """Work until nothing is collected any more and the queue is empty.

        Whatever is raised in here, `BaseException` of third parties included, becomes a problem of the part `engine`.
        """
        try:
            self._push(self.command_batch(replace(self._start, history=self._history)))
            while (collecting() or not self._queue.empty()) and not self._abandoned:
                batches = joined(self._waiting())
                self._beat()  # before the rows: after a sleep or a clock step they must meet the new time
                for batch in batches:
                    self._push(batch)
            self._push(self.command_batch(Stop(acknowledged=self._pipeline.acknowledgements())))
        except BaseException as problem:
            _log.exception("the engine failed")
            self._problems["engine"] = f"stopped: {type(problem).__name__}: {problem}"
        finally:
            if not self._abandoned:
                self._finish()

    def abandon(self, why: str) -> None:
        """End for a thread in `run` that does not come back; what is queued is still recorded, but not judged."""
        self._problems["engine"] = f"stopped: {why}; what was queued behind it is recorded, but not analysed"
        self._abandoned = True
        if not self._taking.acquire(timeout=ABANDON_SECONDS):
            self._problems["recording"] = "the disk does not answer; the recording is repaired when it is opened next"
            self.ended.set()
            return
        try:
            while not self._queue.empty():
                self._tap.write(self._queue.get_nowait())
            self._tap.write(self.command_batch(Stop()))
        except (AiopsError, OSError, queue.Empty) as problem:
            _log.warning("%s", problem)
        finally:
            self._taking.release()
        self._finish()

    def _finish(self) -> None:
        try:
            self._tap.close()
        except (AiopsError, OSError) as problem:
            self._problems["recording"] = str(problem)
            _log.error("%s", problem)
        self.ended.set()

    def _waiting(self) -> list[pa.RecordBatch]:
        try:
            batches = [self._queue.get(timeout=WAIT_SECONDS)]
        except queue.Empty:
            return []
        while not self._queue.empty() and sum(batch.num_rows for batch in batches) < JOINED_ROWS:
            batches.append(self._queue.get())
        return batches

    def _beat(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns < self._last_beat_ns - STEP_BACK_NS:
            self._begin_again(self._last_beat_ns - now_ns)
        if now_ns - self._last_beat_ns >= HEARTBEAT_NS:
            self._last_beat_ns = now_ns
            self._push(control_batch(CLOCK_SOURCE, "heartbeat", now_ns))

    def _begin_again(self, step_back_ns: int) -> None:
        """The clock was set back: every row would be late until it has caught up, so the windows start again."""
        seconds = step_back_ns / NS_PER_SECOND
        self._problems["clock"] = f"was set back by {seconds:.0f} s; baselines are learned again from there"
        _log.warning("the clock was set back by %.0f s", seconds)
        self._last_beat_ns = 0
        acknowledged = self._pipeline.acknowledgements()
        self._push(self.command_batch(Stop(acknowledged=acknowledged)))
        silences = still_held(self._pipeline.silences(), self._clock.now_ns())
        self._push(self.command_batch(replace(self._start, resume=False, silences=silences, acknowledged=acknowledged)))

    def _push(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows and batch.schema.names != CONTROL.names:  # heartbeats are no rows of their source
            self.flows.add(source_of(batch), batch)
        with self._taking:
            if self._abandoned:  # while a sink held this thread
                return
            steps = self._recorded(batch)
        for step in steps:
            self._deliver(step)

    def _recorded(self, batch: pa.RecordBatch) -> list[Step]:
        """The steps of a batch; none of one that is refused."""
        steps: list[Step] = []
        try:
            item = self._tap.write(batch)
        except BatchError as problem:
            self._problems[f"batch of {source_of(batch)}" if batch.num_rows else "batch"] = str(problem)
            return []
        except RecordingError as problem:
            self._problems["recording"] = str(problem)
            _log.error("%s", problem)
            item = self._tap.write(batch)
            steps.append(Step(item, changes=[recording_stopped(str(problem), self._clock.now_ns())]))
        return [*steps, self._pipeline.push(item)]


def joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Neighbours of one table and source as one batch: equal results by design, a third of the cost a row."""
    groups: list[list[pa.RecordBatch]] = []
    before: tuple[TableName, str] | None = None
    for batch in batches:
        kind = table_of(batch), source_of(batch)
        if kind == before and kind[0] != "control":
            groups[-1].append(batch)
        else:
            groups.append([batch])
        before = kind
    return [group[0] if len(group) == 1 else _concatenated(group) for group in groups]


def _concatenated(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]


def recording_stopped(reason: str, time_ns: int) -> AlertChange:
    """A firing alert; detection goes on.

    Examples
    --------
    >>> recording_stopped("disk full", 0).labels["alertname"]
    'recording_stopped'
    """
    labels = {"alertname": "recording_stopped", "severity": "critical", "target": "recording", "detector": "monitor"}
    return AlertChange(
        time_ns=time_ns,
        state="firing",
        labels=labels,
        fingerprint=fingerprint(labels),
        pending_at_ns=time_ns,
        starts_at_ns=time_ns,
        summary=reason,
    )
