"""Charts as static SVG: small, without scripts, readable on white and on black."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.view.charts.palette import TROUBLE
from aiops_nb.view.data.store import clock_text
from aiops_nb.view.data.thinning import rows_of_pixels

WIDTH, HEIGHT = 340, 150
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 22, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One line of a chart, perhaps with a band around it and marked places."""

    name: str
    colour: str
    time_ms: FloatArray
    value: FloatArray
    band: tuple[FloatArray, FloatArray] | None = None
    marks: FloatArray = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a chart spans: time in ms, values from 0."""

    start_ms: float
    end_ms: float
    top: float

    def x(self, time_ms: FloatArray) -> FloatArray:
        """Pixels from the left."""
        span = max(self.end_ms - self.start_ms, 1.0)
        return LEFT + (time_ms - self.start_ms) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value: FloatArray) -> FloatArray:
        """Pixels from the top; what is above the chart stays at its edge."""
        return HEIGHT - BOTTOM - np.clip(value / self.top, 0, 1) * (HEIGHT - TOP - BOTTOM)


@lru_cache(maxsize=1)
def template() -> jinja2.Template:
    """The chart; everything that is filled in is escaped."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.get_template("chart.svg.j2")


def still_chart(title: str, unit: str, frame: Frame, traces: Sequence[Trace]) -> str:
    """One chart as an SVG element.

    Examples
    --------
    >>> frame = Frame(start_ms=0, end_ms=1000, top=10)
    >>> trace = Trace(name="a", colour="#2f8fd8", time_ms=np.array([0.0, 1e3]), value=np.ones(2))
    >>> "&lt;p95&gt;" in still_chart("<p95>", "ms", frame, [trace])
    True
    """
    start, end = (clock_text(round(ms * 1e6))[:8] for ms in (frame.start_ms, frame.end_ms))
    sizes = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "floor": HEIGHT - BOTTOM}
    drawn = [_drawn(trace, frame) for trace in traces]
    text = {"title": title, "unit": unit, "start": start, "end": end, "trouble": TROUBLE}
    return template().render(**sizes, **text, ticks=list(_ticks(frame)), traces=drawn)


def _ticks(frame: Frame) -> Iterator[dict[str, str]]:
    for value in (0.0, frame.top / 2, frame.top):
        y = float(frame.y(np.array(value)))
        yield {"y": f"{y:.1f}", "text_y": f"{y + 3:.1f}", "text": f"{value:,g}"}


def _drawn(trace: Trace, frame: Frame) -> dict[str, Any]:
    x = frame.x(trace.time_ms)
    thin = rows_of_pixels(x, [trace.value], LEFT, WIDTH - RIGHT)
    bands: Iterable[str] = ()
    if trace.band is not None:
        low, high = trace.band
        few = rows_of_pixels(x, [low, high], LEFT, WIDTH - RIGHT)
        bands = _bands(x[few], frame.y(low[few]), frame.y(high[few]))
    marked = np.flatnonzero(np.isfinite(trace.marks))
    return {
        "name": trace.name,
        "colour": trace.colour,
        "line": _path(x[thin], frame.y(trace.value[thin])),
        "bands": list(bands),
        "marks": [(f"{x[place]:.1f}", f"{float(frame.y(trace.marks[place])):.1f}") for place in marked],
    }


def _path(x: FloatArray, y: FloatArray) -> str:
    known = np.isfinite(y)
    begins = known & ~np.concatenate([[False], known[:-1]])
    vertices = zip(x[known], y[known], begins[known], strict=True)
    return "".join(f"{'M' if begin else 'L'}{left:.1f} {down:.1f}" for left, down, begin in vertices)


def _bands(x: FloatArray, low: FloatArray, high: FloatArray) -> Iterator[str]:
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    for first, last in edges.reshape(-1, 2):
        outline = np.concatenate([x[first:last], x[first:last][::-1]])
        heights = np.concatenate([high[first:last], low[first:last][::-1]])
        yield f"{_path(outline, heights)}Z"
