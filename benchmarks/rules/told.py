"""What the rules tell of a stream: it runs through the pipeline at full speed, as if it were live."""

from __future__ import annotations

from dataclasses import dataclass

from aiops_nb.collect.synthetic import FaultLabel, SyntheticStream, draw
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.types import AlertChange, Step
from aiops_nb.pipeline import Pipeline
from aiops_nb.pipeline_params import PipelineParams
from aiops_nb.record.tap import Passage
from aiops_nb.synthetic_session import as_if_live
from benchmarks.rules.streams import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert that was told: at which moment, its name, and whom it is about."""

    time_ns: int
    alertname: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stream, the truth about it, and what was told of it."""

    stream: Stream
    start_ns: int
    labels: tuple[FaultLabel, ...]
    told: tuple[Told, ...]


def run(stream: Stream, params: PipelineParams | None = None) -> Run:
    """Push the stream through a pipeline; None: the default rules."""
    start_ns = draw(stream.seconds, **stream.options).params.start_ns
    clock, pipeline = ManualClock(start_ns=start_ns), Pipeline()
    source = SyntheticStream(duration_seconds=stream.seconds, clock=clock, **stream.options)
    items = as_if_live(source, clock, Passage(), params or PipelineParams())
    told = tuple(one for item in items for one in _told(pipeline.push(item)))
    return Run(stream=stream, start_ns=start_ns, labels=tuple(source.labels), told=told)


def _told(step: Step) -> list[Told]:
    return [
        Told(time_ns=change.time_ns, alertname=change.labels["alertname"], target=change.labels.get("target", ""))
        for change in step.changes
        if _is_news(change)
    ]


def _is_news(change: AlertChange) -> bool:
    """Explained alerts are told nowhere; info is told, for it is a default too."""
    return change.state == "firing" and not change.suppressed_by
