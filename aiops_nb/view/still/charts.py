"""Charts as still SVG: small, without scripts, readable on white and on black."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.view.charts.palette import TROUBLE
from aiops_nb.view.data.store import clock_text

WIDTH, HEIGHT = 340, 150
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 22, 20
MOST_PLACES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One line of a chart, perhaps with a band around it and marked places."""

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


def still_chart(title: str, unit: str, frame: Frame, traces: Sequence[Trace]) -> str:
    """One chart as an SVG element.

    Examples
    --------
    >>> frame = Frame(start_ms=0, end_ms=1000, top=10)
    >>> trace = Trace(colour="#2f8fd8", time_ms=np.array([0.0, 1e3]), value=np.ones(2))
    >>> "&lt;p95&gt;" in still_chart("<p95>", "ms", frame, [trace])
    True
    """
    parts = [_axes(title, unit, frame), *(part for trace in traces for part in _trace(trace, frame))]
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    style = 'font-family="sans-serif" font-size="10" fill="currentColor" style="margin:4px"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{"".join(parts)}</svg>'


def _axes(title: str, unit: str, frame: Frame) -> str:
    floor = HEIGHT - BOTTOM
    lines = [f'<text x="{LEFT}" y="13" font-size="12" font-weight="bold">{escape(title)}</text>']
    for value in (0.0, frame.top / 2, frame.top):
        y = float(frame.y(np.array(value)))
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity="0.2"/>')
        lines.append(f'<text x="{LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">{value:,g}</text>')
    lines.append(f'<text x="4" y="13" fill-opacity="0.7">{escape(unit)}</text>')
    ends = [clock_text(round(ms * 1e6))[:8] for ms in (frame.start_ms, frame.end_ms)]
    lines.append(f'<text x="{LEFT}" y="{floor + 14}" fill-opacity="0.7">{ends[0]}</text>')
    right = f'<text x="{WIDTH - RIGHT}" y="{floor + 14}" fill-opacity="0.7" text-anchor="end">{ends[1]} UTC</text>'
    return "".join([*lines, right])


def _trace(trace: Trace, frame: Frame) -> Iterator[str]:
    thin = slice(None, None, max(1, len(trace.time_ms) // MOST_PLACES))
    x = frame.x(trace.time_ms)
    if trace.band is not None:
        yield from _bands(x[thin], frame.y(trace.band[0][thin]), frame.y(trace.band[1][thin]), trace.colour)
    line = _path(x[thin], frame.y(trace.value[thin]))
    yield f'<path d="{line}" fill="none" stroke="{trace.colour}" stroke-width="1.6"/>'
    for place in np.flatnonzero(np.isfinite(trace.marks)):
        centre = f'cx="{x[place]:.1f}" cy="{float(frame.y(trace.marks[place])):.1f}"'
        yield f'<circle {centre} r="2.5" fill="{TROUBLE}"/>'


def _path(x: FloatArray, y: FloatArray) -> str:
    known = np.isfinite(y)
    begins = known & ~np.concatenate([[False], known[:-1]])
    places = zip(x[known], y[known], begins[known], strict=True)
    return "".join(f"{'M' if begin else 'L'}{left:.1f} {down:.1f}" for left, down, begin in places)


def _bands(x: FloatArray, low: FloatArray, high: FloatArray, colour: str) -> Iterator[str]:
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    for first, last in edges.reshape(-1, 2):
        outline = np.concatenate([x[first:last], x[first:last][::-1]])
        heights = np.concatenate([high[first:last], low[first:last][::-1]])
        yield f'<path d="{_path(outline, heights)}Z" fill="{colour}" fill-opacity="0.16"/>'
