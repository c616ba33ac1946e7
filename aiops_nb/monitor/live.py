"""A live run: it owns the threads, one for each collector, one for the engine, one that seals."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiops_nb import kernel
from aiops_nb.alert.answers import HeldAcknowledgement
from aiops_nb.alert.silences import HeldSilence
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import control_batch
from aiops_nb.engine.commands import SourceEnded, SourceFailed, SourceRecovered, Start, still_held
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline, StreamCounters
from aiops_nb.features.requests.objective_history import History
from aiops_nb.monitor.engine_loop import EngineLoop
from aiops_nb.monitor.poller import Poller
from aiops_nb.monitor.run import Deliver
from aiops_nb.monitor.self_observation import SelfObservation, collector_problems, counted, rejected_lines
from aiops_nb.monitor.switch_interval import short_switch_interval
from aiops_nb.record.tap import Tap

_log = logging.getLogger(__name__)

STOP_SECONDS = 10.0
COLLECTOR_SECONDS = 5.0
COMMAND_SECONDS = 5.0
SEAL_SECONDS = 2.0


class LiveRun:
    """Collects, records, judges and delivers until it is stopped or every collector has ended.

    Whatever a collector or a sink does, `stop` returns within ten seconds. A forked child has no part in the run of its
    parent: there `running` is False, and `stop` and `command` do nothing.

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
    earlier
        The pipeline of the run before, as it was at its end: its baselines are kept, if its parameters are the same.
    silences
        Those of the run before; the ones that still hold go on.
    acknowledged
        Alerts that were acknowledged when the run before ended.
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
        earlier: Pipeline | None = None,
        silences: Sequence[HeldSilence] = (),
        acknowledged: Sequence[HeldAcknowledgement] = (),
    ) -> None:
        self.collectors = tuple(collectors)
        self._tap, self._clock = tap, clock or SystemClock()
        resumes = earlier is not None and earlier.params == params
        self._pipeline = earlier if earlier is not None and resumes else Pipeline()
        self._pipeline.counters = StreamCounters()
        self._problems = dict(problems or {})
        names = tuple(one.name for one in collectors)
        labels = (getattr(one, "own_host_label", "") for one in collectors)
        own_hosts = tuple(label for label in labels if label)
        start = Start(
            pipeline=params,
            sources=names,
            resume=resumes,
            own_hosts=own_hosts,
            silences=still_held(silences, self._clock.now_ns()),
            acknowledged=tuple(acknowledged),
        )
        self._loop = EngineLoop(tap, self._pipeline, deliver, self._clock, self._problems, start, history)
        self._stopping = threading.Event()
        self._stop_deadline = float("inf")
        self._process = os.getpid()
        self._threads: list[threading.Thread] = []
        self._pollers = [self._poller(collector) for collector in collectors]
        self._poll_threads = [self._poll_thread(poller) for poller in self._pollers]
        if self_observation_seconds is not None:
            observer = SelfObservation(self._observe, self._collectors_ended, self._clock, self_observation_seconds)
            self._poll_threads.append(self._poll_thread(self._poller(observer)))
        self._engine_thread = _thread(self._engine, "aiops-engine")
        self._seal_thread = _thread(self._seal, "aiops-seal")

    @property
    def running(self) -> bool:
        """Whether items still flow."""
        return bool(self._threads) and not self._loop.ended.is_set() and self._is_ours

    @property
    def _is_ours(self) -> bool:
        return os.getpid() == self._process

    @property
    def recording(self) -> Path | None:
        """Directory that it records to, if it does."""
        path = getattr(self._tap, "path", None)
        return None if path is None else Path(path).resolve()

    @property
    def pipeline_at_end(self) -> Pipeline | None:
        """The pipeline, once nothing uses it any more; None before, and after an end that was not in order."""
        return self._pipeline if self._loop.ended.is_set() and "engine" not in self._problems else None

    @property
    def params(self) -> PipelineParams:
        """Of the pipeline now."""
        return self._pipeline.params

    @property
    def progress_ratio(self) -> None:
        """None: a live stream has no end."""
        return None

    def start(self) -> None:
        """Start all threads; returns at once."""
        self._threads = [*self._poll_threads, self._engine_thread, self._seal_thread]
        atexit.register(self.stop)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End within ten seconds; what was queued is still judged, and the recording sealed."""
        atexit.unregister(self.stop)
        if not self._is_ours:
            return
        self._stopping.set()
        deadline = self._clock_seconds() + STOP_SECONDS
        self._stop_deadline = min(self._stop_deadline, self._clock_seconds() + COLLECTOR_SECONDS)
        closing = self._close_collectors()
        if threading.current_thread() is self._engine_thread:
            return  # a sink stops the run: the engine ends when the sink has returned
        for thread in (*closing, *self._poll_threads):
            _join(thread, min(deadline, self._stop_deadline) - self._clock_seconds())
        self._name_left_behind()
        _join(self._engine_thread, deadline - self._clock_seconds())
        if self._engine_thread.is_alive():
            self._loop.abandon(f"it did not end within {STOP_SECONDS:.0f} s, because a sink did not return")
        _join(self._seal_thread, SEAL_SECONDS)

    def _close_collectors(self) -> list[threading.Thread]:
        """In threads of their own: one whose `close` never returns must not keep the others open."""
        closing = [_thread(poller.close, f"aiops-close-{poller.collector.name}") for poller in self._pollers]
        for thread, poller in zip(closing, self._pollers, strict=True):
            try:
                thread.start()
            except RuntimeError:  # the interpreter ends, and starts no thread any more
                poller.close()
        return closing

    @staticmethod
    def _clock_seconds() -> float:
        return SystemClock().monotonic_seconds()  # of the machine: a test's clock may not move

    def _name_left_behind(self) -> None:
        for poller, thread in zip(self._pollers, self._poll_threads, strict=False):
            if thread.is_alive():
                name = poller.collector.name
                self._problems[f"collector {name}"] = (
                    f"did not end within {COLLECTOR_SECONDS:.0f} s and was left behind"
                )

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until every collector has ended or somebody stopped the run."""
        return not self._is_ours or self._loop.ended.wait(timeout_seconds)

    def command(self, body: str) -> None:
        """Put a command into the stream; it takes effect, and is recorded, in its place. None after the end.

        Raises
        ------
        AiopsError
            If the engine takes nothing, because a sink does not return.
        """
        if not self.running:
            return
        batch = control_batch("user", "command", self._clock.now_ns(), body)
        if not self._loop.offer(batch, COMMAND_SECONDS) and self.running:
            raise AiopsError("command: the engine takes none now, because a sink does not return")

    def add_collector(self, collector: Collector) -> None:
        """Collect from one more source, from now on; it is closed with the others."""
        if not self.running or self._stopping.is_set():
            collector.close()
            return
        poller = self._poller(collector)
        thread = self._poll_thread(poller)
        self._poll_threads.insert(len(self._pollers), thread)  # before the observer of the run itself
        self._pollers.append(poller)
        self.collectors = (*self.collectors, collector)
        self._threads.append(thread)
        thread.start()

    def end_collector(self, name: str) -> None:
        """Close a source; what it has read still comes, and then its end. Unknown names are ignored."""
        for poller in [one for one in self._pollers if one.collector.name == name]:
            poller.close()

    def silences(self) -> tuple[HeldSilence, ...]:
        """All silences, those that are over too."""
        return self._pipeline.silences()

    def now_ns(self) -> int:
        """Of the clock."""
        return self._clock.now_ns()

    def stream_counters(self) -> StreamCounters:
        """What happened to the rows."""
        return self._pipeline.counters

    def queued_batches(self) -> int:
        """Batches that wait for the engine."""
        return self._loop.queued_batches()

    def problems(self) -> dict[str, str]:
        """What is wrong now, by part."""
        of_collectors = {**collector_problems(self.collectors), **rejected_lines(self.collectors)}
        return {**self._problems, **of_collectors, **self._pipeline.problems()}

    def rule_problems(self) -> dict[str, str]:
        """What the rules cannot do now, as a replay of the same rows would say."""
        return self._pipeline.problems()

    def poll_errors_total(self) -> int:
        """Failed polls."""
        return sum(poller.errors_total for poller in self._pollers)

    # -- collecting: one thread a collector

    def _poller(self, collector: Collector) -> Poller:
        def failing(since_ns: int | None, reason: str) -> None:
            name = collector.name
            works = SourceRecovered(source=name)
            command = works if since_ns is None else SourceFailed(source=name, since_ns=since_ns, reason=reason)
            self._loop.offer(self._loop.command_batch(command))

        return Poller(collector, self._loop.offer, self._stopping, self._clock, self._problems, failing=failing)

    def _poll_thread(self, poller: Poller) -> threading.Thread:
        return _thread(self._collect, f"aiops-poll-{poller.collector.name}", poller)

    def _collect(self, poller: Poller) -> None:
        poller.run()
        self._loop.offer(self._loop.command_batch(SourceEnded(source=poller.collector.name)))

    def _collectors_ended(self) -> bool:
        return not any(thread.is_alive() for thread in self._poll_threads[: len(self._pollers)])

    def _collecting(self) -> bool:
        if self._clock_seconds() >= self._stop_deadline:
            return False  # one that does not end is left behind
        return any(thread.is_alive() for thread in self._poll_threads)

    def _observe(self, now_ns: int) -> dict[str, dict[str, float]]:
        """How the run is doing, by source."""
        stream = self._pipeline.counters
        monitor = {
            "queue_batches": float(self._loop.queued_batches()),
            "late_total": float(stream.late_total),
            "ahead_total": float(stream.ahead_total),
            "poll_errors_total": float(self.poll_errors_total()),
        }
        sources = {one.name: counted(one) | self._loop.flows.values(one.name, now_ns) for one in self.collectors}
        return {"monitor": monitor, **sources}

    # -- judging, and sealing next to it

    def _engine(self) -> None:
        _log.info("computed by: %s", kernel.status())
        with short_switch_interval():
            self._loop.run(self._collecting)
        self._stopping.set()

    def _seal(self) -> None:
        while not self._loop.ended.wait(SEAL_SECONDS):
            try:
                self._tap.seal_pending()
            except (AiopsError, OSError) as problem:
                self._problems["sealing"] = str(problem)


def _thread(work: Callable[..., None], name: str, *arguments: object) -> threading.Thread:
    return threading.Thread(target=work, name=name, args=arguments, daemon=True)


def _join(thread: threading.Thread, seconds: float) -> None:
    if thread.ident is not None and thread is not threading.current_thread():
        thread.join(max(0.0, seconds))
