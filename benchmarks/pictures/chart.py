"""One picture as SVG: a line with its expected band, and when the alert was there. Below 40 kB, for any background."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aiops_nb.core.quantities import readable
from aiops_nb.core.types import FloatArray, Severity

WIDTH, HEIGHT = 760, 250
LEFT, RIGHT, TOP, BOTTOM = 74, 732, 58, 214
MOST_POINTS = 420
COLOURS: dict[str, str] = {"info": "#3b75af", "warning": "#b58100", "error": "#d9531a", "critical": "#a3122a"}
BLUE, BAND, INK, GREY, GRID = "#2563a8", "#2563a8", "#1f2933", "#6b7280", "#e5e7eb"
SUFFIX = {"seconds": "x_seconds", "ratio": "x_ratio", "hz": "x_hz"}


class Band(NamedTuple):
    """Each (n,), NaN where not known."""

    lower: FloatArray
    expected: FloatArray
    upper: FloatArray


class Span(NamedTuple):
    """An episode in seconds from the beginning of the picture; `ends` inf: it is still there."""

    starts: float
    ends: float
    label: str
    severity: Severity = "warning"


def picture(
    path: Path,
    series: tuple[FloatArray, FloatArray],
    band: Band | None,
    alerts: Sequence[Span],
    title: str,
    unit: str,
    *,
    fault: tuple[float, float] | None = None,
) -> None:
    """Write the picture of one series.

    Parameters
    ----------
    path
        Of the SVG file.
    series
        Seconds from the beginning, and values, each (n,); NaN leaves a gap.
    band
        What was expected, in the unit of the values; None: nothing was.
    alerts
        Shaded, with their names above.
    title
        What is seen, in a few words.
    unit
        `seconds`, `ratio`, `hz`, or any other word, which is shown as it is.
    fault
        When something was really wrong, in seconds: a bar below the line.
    """
    seconds, values = _thinned(*series, MOST_POINTS)
    shown = None if band is None else Band(*(_thinned(series[0], part, MOST_POINTS)[1] for part in band))
    bottom, top = _range(values, shown)
    axes = _Axes(float(series[0][0]), float(series[0][-1]), bottom, top, unit)
    parts = [_frame(title), *axes.grid(), *(axes.alert(span) for span in alerts)]
    parts += [] if shown is None else axes.band(seconds, shown)
    parts += [axes.line(seconds, values, BLUE, 1.7), *axes.fault(fault), _legend(shown, alerts, fault)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>\n"]), encoding="utf-8")


def _thinned(seconds: FloatArray, values: FloatArray, most: int) -> tuple[FloatArray, FloatArray]:
    """The value farthest from the median of each stretch, so that no spike is lost."""
    step = -(-len(values) // most)
    if step == 1:
        return seconds, values
    middle = np.nanmedian(values) if np.isfinite(values).any() else 0.0
    positions = []
    for at in range(0, len(values), step):
        far = np.nan_to_num(np.abs(values[at : at + step] - middle), nan=-1.0)
        positions.append(at + int(np.argmax(far)))
    return seconds[positions], values[positions]


def _range(values: FloatArray, band: Band | None) -> tuple[float, float]:
    """From 0, unless all lies far above it or something below."""
    drawn = [values] if band is None else [values, band.upper, band.lower]
    known = np.concatenate(drawn)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    low = low if low < 0 or low > 0.7 * high else 0.0
    margin = 0.08 * ((high - low) or 1.0)
    return low - (margin if low else 0.0), high + margin


class _Axes:
    """From seconds and values to positions."""

    def __init__(self, first: float, last: float, bottom: float, top: float, unit: str) -> None:
        self._first, self._last, self._bottom, self._top = first, last, bottom, top
        self._unit = unit

    def x(self, seconds: float) -> float:
        share = (min(max(seconds, self._first), self._last) - self._first) / (self._last - self._first)
        return LEFT + share * (RIGHT - LEFT)

    def y(self, value: float) -> float:
        share = (min(max(value, self._bottom), self._top) - self._bottom) / (self._top - self._bottom)
        return BOTTOM - share * (BOTTOM - TOP)

    def grid(self) -> list[str]:
        lines = []
        for value in _round_steps(self._bottom, self._top, 4):
            y = self.y(value)
            lines.append(f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="{GRID}"/>')
            lines.append(_text(LEFT - 8, y + 4, self._reported(value), GREY, "end"))
        for seconds in _round_times(self._first, self._last):
            lines.append(_text(self.x(seconds), BOTTOM + 18, _clock(seconds - self._first), GREY, "middle"))
        return [*lines, f'<path d="M{LEFT} {BOTTOM}H{RIGHT}" stroke="{GREY}"/>']

    def _reported(self, value: float) -> str:
        if value == 0:
            return "0"
        return readable(value, SUFFIX.get(self._unit, "")) + ("" if self._unit in SUFFIX else f" {self._unit}")

    def alert(self, span: Span) -> str:
        left, right, colour = self.x(span.starts), self.x(span.ends), COLOURS[span.severity]
        box = f'x="{left:.1f}" y="{TOP}" width="{max(right - left, 1.5):.1f}" height="{BOTTOM - TOP}"'
        return (
            f'<rect {box} fill="{colour}" fill-opacity="0.13"/>'
            f'<path d="M{left:.1f} {TOP - 3}V{BOTTOM}" stroke="{colour}" stroke-width="1.5"/>'
        )

    def band(self, seconds: FloatArray, band: Band) -> list[str]:
        known = np.isfinite(band.upper) | np.isfinite(band.lower)
        lower, upper = np.nan_to_num(band.lower, nan=self._bottom), np.nan_to_num(band.upper, nan=self._top)
        areas = [
            f'<path d="{self._path(seconds[run], upper[run])}L{self._path(seconds[run][::-1], lower[run][::-1])[1:]}Z"'
            f' fill="{BAND}" fill-opacity="0.13"/>'
            for run in _runs(known)
        ]
        return [*areas, self.line(seconds, band.expected, BAND, 1.0, ' stroke-dasharray="4 3" stroke-opacity="0.7"')]

    def line(self, seconds: FloatArray, values: FloatArray, colour: str, width: float, more: str = "") -> str:
        paths = "".join(self._path(seconds[run], values[run]) for run in _runs(np.isfinite(values)))
        return f'<path d="{paths}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{more}/>'

    def _path(self, seconds: FloatArray, values: FloatArray) -> str:
        positions = (f"{self.x(s):.1f} {self.y(v):.1f}" for s, v in zip(seconds.tolist(), values.tolist(), strict=True))
        return "M" + "L".join(positions)

    def fault(self, fault: tuple[float, float] | None) -> list[str]:
        if fault is None:
            return []
        left, right = self.x(fault[0]), self.x(fault[1])
        return [f'<rect x="{left:.1f}" y="{BOTTOM + 1}" width="{right - left:.1f}" height="4" fill="{INK}"/>']


def _runs(known: np.ndarray) -> list[slice]:
    """Where values follow each other without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    return [slice(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _round_steps(low: float, high: float, about: int) -> list[float]:
    raw = (high - low) / about
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= raw))
    return [round(n * step, 12) for n in range(int(np.ceil(low / step - 1e-9)), int(high / step) + 1)]


def _round_times(first: float, last: float) -> list[float]:
    steps = (10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 5 * 86400)
    step = next((one for one in steps if (last - first) / one <= 8), 10 * 86400)
    return [first + n * step for n in range(int((last - first) / step) + 1)]


def _clock(seconds: float) -> str:
    if seconds >= 86400 and seconds % 86400 == 0:
        return f"{seconds / 86400:.0f} d"
    if seconds >= 7200:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 60:.0f} min" if seconds % 60 == 0 else f"{seconds:.0f} s"


def _frame(title: str) -> str:
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = 'font-family="system-ui, -apple-system, \'Segoe UI\', Roboto, sans-serif" font-size="12"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img"><title>{escape(title)}</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>\n'
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="600" fill="{INK}">{escape(title)}</text>'
    )


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


def _legend(band: Band | None, alerts: Sequence[Span], fault: tuple[float, float] | None) -> str:
    """What the colours mean, in one line below the title."""
    entries = [(BLUE, "1", "measured")]
    entries += [] if band is None else [(BAND, "0.3", "expected")]
    entries += [(COLOURS[one.severity], "0.5", one.label) for one in {span.label: span for span in alerts}.values()]
    entries += [] if fault is None else [(INK, "1", "really wrong")]
    parts, x = [], float(LEFT)
    for colour, opacity, label in entries:
        parts.append(f'<rect x="{x:.1f}" y="34" width="12" height="8" fill="{colour}" fill-opacity="{opacity}"/>')
        parts.append(_text(x + 17, 42, label, INK))
        x += 17 + 6.6 * len(label) + 20
    return "".join(parts)
