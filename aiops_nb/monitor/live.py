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
from aiops_nb.core.schemas import CLOCK_SOURCE, CONTROL, control_batch, source_of
from aiops_nb.core.types import NS_PER_SECOND, Step
from aiops_nb.engine.commands import Command, SourceEnded, Start, Stop, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline, StreamCounters
from aiops_nb.features.requests.objective_history import History
from aiops_nb.monitor.engine_loop import joined, recording_stopped
from aiops_nb.monitor.poller import HEARTBEAT_NS, Poller
from aiops_nb.monitor.run import Deliver
from aiops_nb.monitor.self_observation import Flows, SelfObservation, counted, mostly_unused
from aiops_nb.record.tap import Tap

_log = logging.getLogger(__name__)

WAIT_SECONDS = 0.25
STEP_BACK_NS = 5 * NS_PER_SECOND
QUEUE_BATCHES = 256
JOINED_ROWS = 20_000
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
    self_observation_seconds
        How often samples of the run itself go into the stream; None: never.
    history
        What the objectives take over from an earlier recording.
    """

    def __init__(
        self,
        collectors: Sequence[Collector],
        tap: Tap,
        params: PipelineParams,
        deliver: Deliver,
        clock: Clock | None = None,
        problems: Mapping[str, str] | None = None,
        self_observation_seconds: float | None = None,
        history: History | None = None,
    ) -> None:
        self._tap, self._deliver, self.collectors = tap, deliver, tuple(collectors)
        self._start = Start(pipeline=params, sources=tuple(c.name for c in collectors))
        self._history = history
        self._pipeline = Pipeline()
        self._clock = clock or SystemClock()
        self._queue: queue.Queue[pa.RecordBatch] = queue.Queue(QUEUE_BATCHES)
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._problems, self._last_beat_ns, self._flows = dict(problems or {}), 0, Flows()
        self._threads: list[threading.Thread] = []
        self._pollers = [self._poller(collector) for collector in collectors]
        self._poll_threads = [self._poll_thread(poller) for poller in self._pollers]
        if self_observation_seconds is not None:
            observer = SelfObservation(self._observe, self._collectors_ended, self._clock, self_observation_seconds)
            self._poll_threads.append(self._poll_thread(self._poller(observer)))

    @property
    def running(self) -> bool:
        """Whether items still flow."""
        return bool(self._threads) and not self._ended.is_set()

    def start(self) -> None:
        """Start all threads; returns at once."""
        engine = _thread(self._engine, "aiops-engine")
        self._threads = [*self._poll_threads, engine, _thread(self._seal, "aiops-seal")]
        atexit.register(self.stop)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; what was queued is still judged, and the recording sealed."""
        atexit.unregister(self.stop)
        self._stopping.set()
        for poller in self._pollers:
            poller.close()
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
        return {**self._problems, **mostly_unused(self.collectors), **self._pipeline.problems()}

    def poll_errors_total(self) -> int:
        """Failed polls."""
        return sum(poller.errors_total for poller in self._pollers)

    # -- collecting: one thread a collector

    def _poller(self, collector: Collector) -> Poller:
        return Poller(collector, self._queue.put, self._stopping, self._clock, self._problems)

    def _poll_thread(self, poller: Poller) -> threading.Thread:
        return _thread(self._collect, f"aiops-poll-{poller.collector.name}", poller)

    def _collectors_ended(self) -> bool:
        return not any(thread.is_alive() for thread in self._poll_threads[: len(self._pollers)])

    def _observe(self, now_ns: int) -> dict[str, dict[str, float]]:
        """How the run is doing, by source."""
        stream = self._pipeline.counters
        monitor = {
            "queue_batches": float(self._queue.qsize()),
            "late_total": float(stream.late_total),
            "ahead_total": float(stream.ahead_total),
            "poll_errors_total": float(self.poll_errors_total()),
        }
        sources = {one.name: counted(one) | self._flows.values(one.name, now_ns) for one in self.collectors}
        return {"monitor": monitor, **sources}

    def _collect(self, poller: Poller) -> None:
        poller.run()
        self._queue.put(self._command_batch(SourceEnded(source=poller.collector.name)))

    # -- judging: the engine thread

    def _engine(self) -> None:
        try:
            self._push(self._command_batch(msgspec.structs.replace(self._start, history=self._history)))
            while any(thread.is_alive() for thread in self._poll_threads) or not self._queue.empty():
                batches = joined(self._waiting())
                self._beat()  # before the rows: after a sleep or a clock step they must meet the new time
                for batch in batches:
                    self._push(batch)
            self._push(self._command_batch(Stop()))
        except Exception as problem:
            _log.exception("the engine failed")
            self._problems["engine"] = f"stopped: {type(problem).__name__}: {problem}"
            self._stopping.set()
            self._empty_queue()
        finally:
            self._finish()

    def _waiting(self) -> list[pa.RecordBatch]:
        try:
            batches = [self._queue.get(timeout=WAIT_SECONDS)]
        except queue.Empty:
            return []
        while not self._queue.empty() and sum(batch.num_rows for batch in batches) < JOINED_ROWS:
            batches.append(self._queue.get())
        return batches

    def _empty_queue(self) -> None:
        while any(thread.is_alive() for thread in self._poll_threads):
            self._waiting()  # or a collector would wait for its place for ever

    def _beat(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns < self._last_beat_ns - STEP_BACK_NS:
            self._begin_again(self._last_beat_ns - now_ns)
        if now_ns - self._last_beat_ns >= HEARTBEAT_NS:
            self._last_beat_ns = now_ns
            self._push(control_batch(CLOCK_SOURCE, "heartbeat", now_ns))

    def _begin_again(self, step_back_ns: int) -> None:
        """The clock was set back: every row would come too late until it has caught up, so the windows start anew."""
        seconds = step_back_ns / NS_PER_SECOND
        self._problems["clock"] = f"was set back by {seconds:.0f} s; baselines are learned again from there"
        _log.warning("the clock was set back by %.0f s", seconds)
        self._last_beat_ns = 0
        self._push(self._command_batch(Stop()))
        self._push(self._command_batch(self._start))

    def _command_batch(self, command: Command) -> pa.RecordBatch:
        return control_batch("monitor", "command", self._clock.now_ns(), encode_command(command))

    def _push(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows and batch.schema.names != CONTROL.names:  # heartbeats are no rows of their source
            self._flows.add(source_of(batch), batch)
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
