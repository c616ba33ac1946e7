"""A scene: a stream with one fault, run through the pipeline, and the picture of one of its series."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import control_batch, source_of, table_of
from aiops_nb.core.types import AlertChange, Item, SeriesKey, Step, Tick
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from benchmarks.pictures.chart import Band, Span, picture

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is run, and what of it is drawn.

    Attributes
    ----------
    name
        Of the file: `docs/images/rules/<name>.svg`.
    title
        Above the picture.
    batches
        Gives the stream: batches of any table, in order.
    series
        Which series is drawn.
    alertname
        Whose band and alerts are drawn; None: the alerts of every rule, without a band.
    unit
        Of the values, as for `picture`.
    feature
        Drawn in place of the feature that the rule judges, as (table, name); needed where no feature rule is drawn.
    params
        Of the pipeline; None: the defaults.
    fault
        When something was really wrong, in seconds from the beginning.
    after_seconds
        Where the picture begins: what comes before is run and not drawn.
    """

    name: str
    title: str
    batches: Callable[[], Iterable[pa.RecordBatch]]
    series: SeriesKey
    unit: str
    alertname: str | None = None
    feature: tuple[str, str] | None = None
    params: PipelineParams | None = None
    fault: tuple[float, float] | None = None
    after_seconds: float = 0.0


@dataclass(slots=True)
class _Drawn:
    ends_ns: list[int]
    values: list[float]
    band: list[tuple[float, float, float]]
    changes: list[AlertChange]


def draw(scene: Scene, folder: Path = FOLDER) -> list[AlertChange]:
    """Run the scene, write its picture, and give the alert changes of its series."""
    drawn = _Drawn([], [], [], [])
    for step in _steps(scene):
        _take(scene, step, drawn)
    begin = drawn.ends_ns[0]
    seconds = (np.array(drawn.ends_ns) - begin) / 1e9
    shown = slice(int(np.searchsorted(seconds, scene.after_seconds)), None)
    lines = np.array(drawn.band).T
    band = Band(*lines[:, shown]) if len(lines) and np.isfinite(lines).any() else None
    picture(
        folder / f"{scene.name}.svg",
        (seconds[shown], np.array(drawn.values)[shown]),
        band,
        _spans(drawn.changes, begin),
        scene.title,
        scene.unit,
        fault=scene.fault,
    )
    return drawn.changes


def _steps(scene: Scene) -> Iterable[Step]:
    pipeline = Pipeline(scene.params)
    for seq, batch in enumerate(scene.batches()):
        yield pipeline.push(Item(seq, table_of(batch), source_of(batch), batch))
    yield pipeline.push(Item(0, "control", "x", control_batch("x", "command", 0, '{"type": "stop"}')))


def _take(scene: Scene, step: Step, drawn: _Drawn) -> None:
    for tick in step.ticks:
        if scene.feature is None:
            _take_scored(scene, tick, drawn)
        elif tick.features.table == scene.feature[0] and scene.series in tick.features.series:
            at = tick.features.series.index(scene.series)
            drawn.ends_ns.append(tick.features.end_ns)
            drawn.values.append(float(tick.features.column(scene.feature[1])[at]))
    drawn.changes += [change for change in step.changes if _is_drawn(scene, change)]


def _take_scored(scene: Scene, tick: Tick, drawn: _Drawn) -> None:
    for part in tick.scored:
        if part.alertname == scene.alertname and scene.series in part.series:
            at, scores = part.series.index(scene.series), part.scores
            drawn.ends_ns.append(tick.features.end_ns)
            drawn.values.append(float(part.value[at]))
            drawn.band.append((float(scores.lower[at]), float(scores.expected[at]), float(scores.upper[at])))


def _is_drawn(scene: Scene, change: AlertChange) -> bool:
    named = scene.alertname is None or change.labels["alertname"] == scene.alertname
    key = scene.series
    if change.labels["detector"] == "source_rule":  # it is about a source, not about a series
        return named
    if key.client:  # which an alert is about, and where, is found by the rule
        return named
    return named and all(
        change.labels.get(name, "") == part
        for name, part in (("target", key.target), ("origin", key.origin), ("metric", key.metric))
    )


def _spans(changes: Iterable[AlertChange], begin_ns: int) -> list[Span]:
    spans: dict[tuple[str, int], Span] = {}
    for change in changes:
        if change.starts_at_ns is not None:
            ends = np.inf if change.ends_at_ns is None else (change.ends_at_ns - begin_ns) / 1e9
            key = change.fingerprint, change.starts_at_ns
            name, severity = change.labels["alertname"], change.labels["severity"]
            spans[key] = Span((change.starts_at_ns - begin_ns) / 1e9, ends, name, severity)  # type: ignore[arg-type]
    return list(spans.values())
