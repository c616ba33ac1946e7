"""A recorded stream through the same pipeline: as fast as it goes, or at a chosen speed."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Sequence

from aiops_nb.alert.silences import HeldSilence
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.columns import times_ns
from aiops_nb.core.errors import AiopsError
from aiops_nb.core.schemas import CLOCK_SOURCE, control_batch
from aiops_nb.core.types import Item
from aiops_nb.engine.check import unjudged_rules
from aiops_nb.engine.look_ahead import grouped
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline, StreamCounters
from aiops_nb.monitor.pace import Pace
from aiops_nb.monitor.run import Deliver

_log = logging.getLogger(__name__)

JOIN_SECONDS = 10.0


class ReplayRun:
    """Pushes recorded items. A recorded rule on a feature that no longer exists is left out, and shown as a problem.

    Parameters
    ----------
    items
        Called at the start; gives the items in their order.
    params
        None replays with the parameters of the recording.
    deliver
        Takes each step.
    speed
        None: as fast as it goes, and `start` returns when done. A number > 0: that many times real time, paced by the
        recorded clock, in a thread.
    clock
        Paces it.
    time_range_ns
        [first, last) of the items, for `progress_ratio`.
    trust
        Whether the recorded rules may name estimators and plug-ins, which are code of other packages.
    """

    def __init__(
        self,
        items: Callable[[], Iterable[Item]],
        params: PipelineParams | None,
        deliver: Deliver,
        speed: float | None = None,
        clock: Clock | None = None,
        time_range_ns: tuple[int, int] | None = None,
        *,
        trust: bool = True,
    ) -> None:
        self._time_range_ns, self._reached_ns = time_range_ns, 0
        self._items, self._deliver, self._speed = items, deliver, speed
        self._pipeline = Pipeline(params, trust=trust)
        self._clock = clock or SystemClock()
        self._commands: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stopping, self._ended = threading.Event(), threading.Event()
        self.pace = None if speed is None else Pace(speed, self._clock, self._stopping)
        self._problems: dict[str, str] = {}
        self._obeyed_total = 0
        self._reached_end = False
        self._noted_params: PipelineParams | None = None
        self._thread = threading.Thread(target=self._guarded, name="aiops-replay", daemon=True)

    @property
    def running(self) -> bool:
        """Whether items still flow."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Replay all (`speed` None), or start to."""
        if self._speed is None:
            self._replay()
        else:
            self._thread.start()

    def stop(self) -> None:
        """End before the end."""
        self._stopping.set()
        if self.pace is not None:
            self.pace.wake()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(JOIN_SECONDS)

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until all is replayed or somebody stopped it."""
        return self._ended.wait(timeout_seconds)

    def command(self, body: str) -> None:
        """Obey a command before the next item."""
        self._commands.put(body)

    @property
    def is_exact(self) -> bool:
        """Whether everything that was recorded was replayed, and nothing else."""
        return self._reached_end and not self._obeyed_total

    @property
    def params(self) -> PipelineParams:
        """Of the pipeline now."""
        return self._pipeline.params

    @property
    def progress_ratio(self) -> float | None:
        """How much of the recorded time is replayed, from 0 to 1; None where the range is not known."""
        if self._time_range_ns is None:
            return None
        first_ns, last_ns = self._time_range_ns
        return min(1.0, max(0.0, (self._reached_ns - first_ns) / max(1, last_ns - first_ns)))

    def silences(self) -> tuple[HeldSilence, ...]:
        """All silences of the replayed part, those that are over too."""
        return self._pipeline.silences()

    def now_ns(self) -> int:
        """As far as it is replayed."""
        return self._reached_ns

    def stream_counters(self) -> StreamCounters:
        """What happened to the rows."""
        return self._pipeline.counters

    def queued_batches(self) -> int:
        """Always 0: the recording waits on disk."""
        return 0

    @property
    def collectors(self) -> tuple[()]:
        """None: what was not used was not recorded."""
        return ()

    def problems(self) -> dict[str, str]:
        """What went wrong."""
        return {**self._problems, **self._pipeline.problems()}

    def poll_errors_total(self) -> int:
        """Always 0: nothing is polled."""
        return 0

    def _guarded(self) -> None:
        try:
            self._replay()
        except (AiopsError, OSError) as problem:
            _log.warning("replay ended: %s", problem)
            self._problems["replay"] = f"ended: {problem}"
        finally:
            self._ended.set()

    def _groups(self) -> Iterable[Sequence[Item]]:
        """The items, several at once where nobody waits for one of them."""
        return grouped(self._items()) if self.pace is None else ([item] for item in self._items())

    def _replay(self) -> None:
        pace = self.pace
        for items in self._groups():
            if pace is not None and items[0].source == CLOCK_SOURCE:
                pace.wait_until(int(times_ns(items[0].batch.column("time"))[0]))
            if self._stopping.is_set():
                break
            self._obey_commands(items[0].seq)  # at the time of the item before: a silence of now covers what comes
            for step in self._pipeline.push_many(items):
                self._reached_ns = max(self._reached_ns, int(times_ns(step.item.batch.column("time"))[-1]))
                self._deliver(step)
            self._note_unjudged()
        else:
            self._reached_end = True
            if self._time_range_ns is not None:
                self._reached_ns = max(self._reached_ns, self._time_range_ns[1])
        self._ended.set()

    def _note_unjudged(self) -> None:
        params = self._pipeline.params
        if params is self._noted_params:
            return
        self._noted_params = params
        for rule, why in unjudged_rules(params).items():
            if self._problems.get(rule) != why:
                _log.warning("%s: %s", rule, why)
                self._problems[rule] = why

    def _obey_commands(self, seq: int) -> None:
        while not self._commands.empty():
            self._obeyed_total += 1
            batch = control_batch("user", "command", self._reached_ns, self._commands.get())
            self._deliver(self._pipeline.push(Item(seq, "control", "user", batch)))
