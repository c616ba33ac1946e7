"""What the rules reports a stream: it runs through the pipeline at full speed, as if it were live."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from aiops_nb.collect.synthetic import FaultLabel, SyntheticStream, draw
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.types import AlertChange, Step
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.record.tap import NullTap
from aiops_nb.session.synthetic import as_if_live
from benchmarks.rules.profiles import Habit
from benchmarks.rules.streams import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified:
    """An alert that was notified: at which moment, its name, and its subject."""

    time_ns: int
    alertname: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stream, the truth about it, and what was notified of it."""

    stream: Stream
    start_ns: int
    labels: tuple[FaultLabel, ...]
    notified: tuple[Notified, ...]


class WithHabit:
    """A synthetic stream whose rows go through a habit."""

    def __init__(self, stream: SyntheticStream, habit: Habit | None) -> None:
        self.stream, self._habit, self.name = stream, habit, stream.name

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next rows that are due; what a habit leaves nothing of is passed over."""
        while (batch := self.stream.poll(timeout_seconds)) is not None and batch.num_rows:
            changed = batch if self._habit is None else self._habit(batch)
            if changed.num_rows:
                return changed
        return batch

    def close(self) -> None:
        """End a waiting `poll`."""
        self.stream.close()


def run(stream: Stream, params: PipelineParams | None = None) -> Run:
    """Push the stream through a pipeline; None: the default rules."""
    start_ns = draw(stream.seconds, **stream.options).params.start_ns
    clock, pipeline = ManualClock(start_ns=start_ns), Pipeline()
    source = WithHabit(SyntheticStream(duration_seconds=stream.seconds, clock=clock, **stream.options), stream.habit)
    items = as_if_live(source, clock, NullTap(), params or PipelineParams())
    notified = tuple(one for item in items for one in _notified(pipeline.push(item)))
    return Run(stream=stream, start_ns=start_ns, labels=tuple(source.stream.labels), notified=notified)


def _notified(step: Step) -> list[Notified]:
    return [
        Notified(time_ns=change.time_ns, alertname=change.labels["alertname"], target=change.labels.get("target", ""))
        for change in step.changes
        if _is_news(change)
    ]


def _is_news(change: AlertChange) -> bool:
    """Inhibited alerts are not notified; info is notified, for it is a default too."""
    return change.state == "firing" and not change.inhibited_by
