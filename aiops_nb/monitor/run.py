"""What a monitor runs: a live stream or a recorded one. Steps are fanned out to sinks here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiops_nb.alert.silences import HeldSilence
from aiops_nb.core.protocols import Collector, Sink
from aiops_nb.core.types import Step
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import StreamCounters

_log = logging.getLogger(__name__)

Deliver = Callable[[Step], None]
BUSY_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """How a monitor is doing, since the start of its present run.

    `late_total` and `ahead_total` rows were late or had timestamps in the future: recorded, not used.
    `queued_batches` wait for the engine. `sink_errors_total` counts failures of sinks over the life of the monitor.
    """

    rows_total: int = 0
    late_total: int = 0
    ahead_total: int = 0
    ticks_total: int = 0
    skipped_ticks_total: int = 0
    queued_batches: int = 0
    poll_errors_total: int = 0
    sink_errors_total: int = 0


class Run(Protocol):
    """One start-to-stop of a monitor."""

    @property
    def running(self) -> bool:
        """Whether items still flow."""
        ...

    def start(self) -> None:
        """Begin; returns at once, unless the run is a replay at full speed."""
        ...

    def stop(self) -> None:
        """End, with everything that was queued; may be called twice."""
        ...

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait for the end; true if it has come."""
        ...

    def command(self, body: str) -> None:
        """Put a command into the stream."""
        ...

    def stream_counters(self) -> StreamCounters:
        """What happened to the rows."""
        ...

    def queued_batches(self) -> int:
        """Batches that wait for the engine."""
        ...

    @property
    def collectors(self) -> Sequence[Collector]:
        """What it collects from."""
        ...

    def problems(self) -> dict[str, str]:
        """What is wrong now, a sentence by the part that has it."""
        ...

    def poll_errors_total(self) -> int:
        """Failed polls."""
        ...

    @property
    def params(self) -> PipelineParams:
        """Of the pipeline now."""
        ...

    def silences(self) -> tuple[HeldSilence, ...]:
        """All silences, those that are over too."""
        ...

    def now_ns(self) -> int:
        """The time of the stream: of the clock, or as far as a recording is replayed."""
        ...

    @property
    def progress_ratio(self) -> float | None:
        """How much of what there is has been taken, from 0 to 1; None where there is no end."""
        ...


class FanOut:
    """Hands each step to all sinks; one that fails is counted and logged once, and never stops the stream.

    Whatever a sink raises in a thread of ours is a failure of that sink, `SystemExit` included. In the main thread,
    where a replay at full speed runs, what is no `Exception` goes to the caller: an interrupt is meant for it.
    """

    def __init__(self) -> None:
        self._sinks: list[Sink] = []
        self._lock = threading.Lock()
        self._failed: dict[int, str] = {}
        self._busy: tuple[str, float] | None = None
        self.errors_total = 0

    def add(self, sink: Sink) -> None:
        """Serve one more sink, from the next step on."""
        with self._lock:
            self._sinks = [*self._sinks, sink]

    def remove(self, sink: Sink) -> None:
        """Serve it no more; unknown ones are ignored."""
        with self._lock:
            self._sinks = [kept for kept in self._sinks if kept is not sink]
            self._failed.pop(id(sink), None)

    def deliver(self, step: Step) -> None:
        """Give the step to every sink."""
        for sink in self._sinks:
            self._busy = type(sink).__name__, time.monotonic()
            try:
                sink.write(step)
            except Exception as problem:  # a third party's sink may raise anything
                self._note(sink, problem)
            except BaseException as problem:
                if threading.current_thread() is threading.main_thread():
                    raise
                self._note(sink, problem)
            finally:
                self._busy = None

    def _note(self, sink: Sink, problem: BaseException) -> None:
        self.errors_total += 1
        if id(sink) not in self._failed:
            _log.warning("sink %s failed: %s", type(sink).__name__, problem, exc_info=problem)
        text = str(problem) if isinstance(problem, Exception) else f"{type(problem).__name__} {problem}".rstrip()
        self._failed[id(sink)] = f"{type(sink).__name__}: {text}"

    def problems(self) -> dict[str, str]:
        """The last failure of each sink that failed, and the one that holds up the stream."""
        found = {f"sink {text.partition(':')[0]}": text for text in self._failed.values()}
        busy = self._busy
        if busy is not None and (seconds := time.monotonic() - busy[1]) >= BUSY_SECONDS:
            found[f"sink {busy[0]}"] = f"has not returned for {seconds:.0f} s; nothing is analysed until it does"
        return found

    def close(self) -> None:
        """Close all sinks."""
        for sink in self._sinks:
            try:
                sink.close()
            except Exception as problem:  # as above
                self._note(sink, problem)
