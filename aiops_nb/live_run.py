"""A live run: polling threads, one bounded queue, the tap, the engine thread; the engine's only threads."""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pyarrow as pa

from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import AiopsError, BatchError, RecordingError
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import control_batch, source_of, table_of
from aiops_nb.core.types import NS_PER_SECOND, Step
from aiops_nb.features.watermark import CLOCK_SOURCE
from aiops_nb.pipeline import Command, Pipeline, StartCommand, StreamCounters
from aiops_nb.pipeline_params import PipelineParams
from aiops_nb.record.tap import Tap
from aiops_nb.recording_stopped import recording_stopped
from aiops_nb.run import Deliver

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
HEARTBEAT_NS = NS_PER_SECOND
QUEUE_BATCHES = 256
JOINED_ROWS = 20_000
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 30.0
JOIN_SECONDS = 10.0
SEAL_SECONDS = 2.0


class LiveRun:
    """Collects, records, judges and delivers until it is stopped or every collector has ended.

    Parameters
    ----------
    collectors
        Polled by a thread each; closed at the end.
    tap
        Gives the items their place and records them; closed at the end.
    params
        Of the pipeline.
    deliver
        Takes each step, in the engine thread.
    clock
        Stamps heartbeats.
    problems
        What is wrong from the start, by part.
    """

    def __init__(
        self,
        collectors: Sequence[Collector],
        tap: Tap,
        params: PipelineParams,
        deliver: Deliver,
        clock: Clock | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> None:
        self._collectors, self._tap, self._deliver = collectors, tap, deliver
        self._start = StartCommand(pipeline=params, sources=tuple(c.name for c in collectors))
        self._pipeline = Pipeline()
        self._clock = clock or SystemClock()
        self._queue: queue.Queue[pa.RecordBatch] = queue.Queue(QUEUE_BATCHES)
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._problems = dict(problems or {})
        self._poll_errors_total = 0
        self._last_beat_ns = 0
        self._threads: list[threading.Thread] = []
        self._pollers = [_thread(self._poll, f"aiops-poll-{c.name}", c) for c in collectors]

    @property
    def running(self) -> bool:
        """Whether items still flow."""
        return bool(self._threads) and not self._ended.is_set()

    def start(self) -> None:
        """Start all threads; returns at once."""
        engine = _thread(self._engine, "aiops-engine")
        self._threads = [*self._pollers, engine, _thread(self._seal, "aiops-seal")]
        atexit.register(self.stop)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; what was queued is still judged, and the recording sealed."""
        atexit.unregister(self.stop)
        self._stopping.set()
        for collector in self._collectors:
            self._close(collector)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(JOIN_SECONDS)

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until every collector has ended or somebody stopped the run."""
        return self._ended.wait(timeout_seconds)

    def command(self, body: str) -> None:
        """Put a command into the stream; it takes effect, and is recorded, in its place."""
        self._queue.put(control_batch("user", "command", self._clock.now_ns(), body))

    def stream_counters(self) -> StreamCounters:
        """What happened to the rows."""
        return self._pipeline.counters

    def queued_batches(self) -> int:
        """Batches that wait for the engine."""
        return self._queue.qsize()

    def problems(self) -> dict[str, str]:
        """What is wrong now, by part."""
        return dict(self._problems)

    def poll_errors_total(self) -> int:
        """Failed polls."""
        return self._poll_errors_total

    # -- collecting: one thread a collector

    def _poll(self, collector: Collector) -> None:
        failures, beaten_ns = 0, 0
        while not self._stopping.is_set():
            began_ns = self._clock.now_ns()
            try:
                batch = collector.poll(POLL_SECONDS)
            except Exception as problem:  # a third party's collector may raise anything
                failures += 1
                self._note_poll_error(collector, problem, failures)
                continue
            failures = self._note_recovery(collector, failures)
            if batch is None:
                break
            if batch.num_rows:
                self._offer(batch)
            elif began_ns - beaten_ns >= HEARTBEAT_NS:
                beaten_ns = began_ns
                self._offer(control_batch(collector.name, "heartbeat", began_ns))
        self._offer(self._command_batch(Command(source_ended=collector.name)))
        self._close(collector)

    def _note_poll_error(self, collector: Collector, problem: Exception, failures: int) -> None:
        self._poll_errors_total += 1
        expected = isinstance(problem, (OSError, AiopsError))
        if failures == 1:
            _log.warning("collector %s: %s", collector.name, problem, exc_info=None if expected else problem)
        self._problems[f"collector {collector.name}"] = f"{type(problem).__name__}: {problem}"
        self._stopping.wait(min(FIRST_BACKOFF_SECONDS * 2 ** (failures - 1), LONGEST_BACKOFF_SECONDS))

    def _note_recovery(self, collector: Collector, failures: int) -> int:
        if failures:
            _log.info("collector %s works again", collector.name)
            self._problems.pop(f"collector {collector.name}", None)
        return 0

    def _offer(self, batch: pa.RecordBatch) -> None:
        """Wait for a place in the queue: a slow engine slows the collectors, it loses nothing."""
        self._queue.put(batch)

    def _close(self, collector: Collector) -> None:
        try:
            collector.close()
        except Exception as problem:  # as in polling
            _log.warning("collector %s: close failed: %s", collector.name, problem)

    # -- judging: the engine thread

    def _engine(self) -> None:
        try:
            self._push(self._command_batch(Command(start=self._start)))
            while any(thread.is_alive() for thread in self._pollers) or not self._queue.empty():
                self._beat()
                for batch in _joined(self._waiting()):
                    self._push(batch)
            self._push(self._command_batch(Command(stop=True)))
        except Exception as problem:
            _log.exception("the engine failed")
            self._problems["engine"] = f"stopped: {type(problem).__name__}: {problem}"
            self._stopping.set()
            self._empty_queue()
        finally:
            self._finish()

    def _waiting(self) -> list[pa.RecordBatch]:
        try:
            batches = [self._queue.get(timeout=POLL_SECONDS)]
        except queue.Empty:
            return []
        while not self._queue.empty() and sum(batch.num_rows for batch in batches) < JOINED_ROWS:
            batches.append(self._queue.get())
        return batches

    def _empty_queue(self) -> None:
        while any(thread.is_alive() for thread in self._pollers):
            self._waiting()  # or a collector would wait for its place for ever

    def _beat(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns - self._last_beat_ns >= HEARTBEAT_NS or now_ns < self._last_beat_ns:
            self._last_beat_ns = now_ns
            self._push(control_batch(CLOCK_SOURCE, "heartbeat", now_ns))

    def _command_batch(self, command: Command) -> pa.RecordBatch:
        return control_batch("monitor", "command", self._clock.now_ns(), msgspec.json.encode(command).decode())

    def _push(self, batch: pa.RecordBatch) -> None:
        try:
            item = self._tap.write(batch)
        except BatchError as problem:
            self._problems[f"batch of {source_of(batch)}" if batch.num_rows else "batch"] = str(problem)
            return
        except RecordingError as problem:
            self._problems["recording"] = str(problem)
            _log.error("%s", problem)
            item = self._tap.write(batch)
            self._deliver(Step(item, changes=[recording_stopped(str(problem), self._clock.now_ns())]))
        self._deliver(self._pipeline.push(item))

    def _finish(self) -> None:
        try:
            self._tap.close()
        except (AiopsError, OSError) as problem:
            self._problems["recording"] = str(problem)
            _log.error("%s", problem)
        self._ended.set()

    # -- sealing: beside the stream

    def _seal(self) -> None:
        while not self._ended.wait(SEAL_SECONDS):
            try:
                self._tap.seal_pending()
            except (AiopsError, OSError) as problem:
                self._problems["sealing"] = str(problem)


def _thread(work: Callable[..., None], name: str, *arguments: object) -> threading.Thread:
    return threading.Thread(target=work, name=name, args=arguments, daemon=True)


def _joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Neighbours of one table and source as one batch: equal results by design, a third of the cost a row."""
    groups: list[list[pa.RecordBatch]] = []
    for batch in batches:
        kind = table_of(batch), source_of(batch)
        last = groups[-1][0] if groups else None
        if last is not None and kind[0] != "control" and kind == (table_of(last), source_of(last)):
            groups[-1].append(batch)
        else:
            groups.append([batch])
    return [group[0] if len(group) == 1 else _concatenated(group) for group in groups]


def _concatenated(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    return table.to_batches()[0]
