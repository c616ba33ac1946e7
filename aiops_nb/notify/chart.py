"""The chart of a message: a small PNG of the value, the expected band and the threshold, drawn without a browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from aiops_nb.core.quantities import readable, readable_name, unit_name
from aiops_nb.core.types import NS_PER_SECOND, FloatArray, IntArray

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

WIDTH, HEIGHT = 640, 320  # what it is shown at; it has twice as many pixels, for the screens of phones
SCALE = 2
SMOOTHING = 2  # drawn this much larger and reduced: Pillow's lines are not smoothed
LEFT, RIGHT, TOP, BOTTOM = 92, 18, 58, 40
TITLE_SIZE, LABEL_SIZE = 20, 17  # legible where a phone shows it 400 wide
COLOURS = (128, 32, 8)  # fewer where more would take too many bytes
MAX_BYTES = 60_000
INK, GREY, GRID = "#222222", "#666666", "#e4e4e4"
LINE, BAND, LIMIT, ALERT = "#2b5c9e", "#d5e3f4", "#c25b00", "#c1121f"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartData:
    """What a chart shows; arrays are (n,), NaN where nothing is known.

    Attributes
    ----------
    feature, metric
        What the value is: they give its name and unit.
    time_ns
        Ends of the windows, UTC ns, rising.
    value, expected, lower, upper
        In the feature's unit.
    since_ns
        When the alert began to fire.
    """

    feature: str
    metric: str
    time_ns: IntArray
    value: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray
    since_ns: int


def draw(data: ChartData) -> bytes:
    r"""The chart as PNG, at most 60 kB; empty if there are fewer than two values.

    The line is the value, the area the expected band, the orange line the upper limit; values outside of the band and
    the time since the alert fires are red.

    Examples
    --------
    >>> n, none = np.arange(60), np.full(60, np.nan)
    >>> value = 0.03 + 0.2 * (n > 40)
    >>> data = ChartData(
    ...     feature="duration_p95_seconds", metric="", time_ns=n * 10**9, value=value, expected=none, lower=none,
    ...     upper=none + 0.06, since_ns=43 * 10**9
    ... )
    >>> draw(data)[:4], len(draw(data)) < 60_000
    (b'\x89PNG', True)
    """
    if np.isfinite(data.value).sum() < 2:
        return b""
    from PIL import Image, ImageDraw

    factor = SCALE * SMOOTHING
    image = Image.new("RGB", (WIDTH * factor, HEIGHT * factor), "white")
    _Canvas(ImageDraw.Draw(image), factor, data).draw()
    reduced = image.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.LANCZOS)
    for colours in COLOURS:
        out = BytesIO()
        reduced.quantize(colours).save(out, "PNG", optimize=True)
        if out.tell() <= MAX_BYTES:
            break
    return out.getvalue()


class _Canvas:
    """Axes and marks of one chart; all lengths are those at which it is shown."""

    def __init__(self, pen: ImageDraw, factor: int, data: ChartData) -> None:
        self._pen, self._factor, self._data = pen, factor, data
        self._unit = unit_name(data.feature, data.metric)
        self._start_ns, self._end_ns = int(data.time_ns[0]), int(data.time_ns[-1])
        self._bottom, self._top = _range(data)
        self._ticks = nice_ticks(self._bottom, self._top)
        self._bottom, self._top = min(self._bottom, self._ticks[0]), max(self._top, self._ticks[-1])

    def draw(self) -> None:
        self._axes()
        self._band()
        self._marks()
        self._line()

    def _axes(self) -> None:
        data = self._data
        name = readable_name(data.feature) if data.feature != "value" else data.metric or "value"
        if data.metric and data.feature != "value":
            name = f"{readable_name(data.metric)}, {name}"
        self._text((14, 10), _ascii(name), TITLE_SIZE, INK, "la", bold=True)
        for value in self._ticks:
            self._stroke([(LEFT, self._y(value)), (WIDTH - RIGHT, self._y(value))], GRID, 1)
            self._text((LEFT - 8, self._y(value)), _ascii(readable(value, self._unit)), LABEL_SIZE, GREY, "rm")
        for time_ns in time_ticks(self._start_ns, self._end_ns):
            x = self._x(time_ns)
            self._stroke([(x, HEIGHT - BOTTOM), (x, HEIGHT - BOTTOM + 4)], GREY, 1)
            form = "%H:%M:%S" if self._end_ns - self._start_ns < 600 * NS_PER_SECOND else "%H:%M"
            label = f"{datetime.fromtimestamp(time_ns / NS_PER_SECOND, UTC):{form}}"
            self._text((min(max(x, 40), WIDTH - 40), HEIGHT - BOTTOM + 9), label, LABEL_SIZE, GREY, "ma")
        self._stroke([(LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM)], GREY, 1)

    def _band(self) -> None:
        data = self._data
        upper = np.where(np.isfinite(data.upper), data.upper, np.nan)
        lower = np.where(np.isfinite(data.lower), data.lower, self._bottom)
        for first, last in runs(np.isfinite(upper)):
            if not np.isfinite(data.expected[first:last]).any():
                continue
            times = data.time_ns[first:last].tolist()
            above = [(self._x(one), self._y(high)) for one, high in zip(times, upper[first:last].tolist(), strict=True)]
            below = [(self._x(one), self._y(low)) for one, low in zip(times, lower[first:last].tolist(), strict=True)]
            if len(above) > 1:
                self._pen.polygon([self._at(one) for one in above + below[::-1]], fill=BAND)
        for first, last in runs(np.isfinite(upper)):
            points = zip(data.time_ns[first:last].tolist(), upper[first:last].tolist(), strict=True)
            self._stroke([(self._x(one), self._y(high)) for one, high in points], LIMIT, 1.5)

    def _marks(self) -> None:
        """The time since the alert fires, and the legend."""
        data = self._data
        if self._start_ns <= data.since_ns <= self._end_ns:
            x = self._x(data.since_ns)
            self._stroke([(x, TOP - 4), (x, HEIGHT - BOTTOM)], ALERT, 1.5)
            anchor = "ra" if x > WIDTH / 2 else "la"
            self._text((x - 6 if anchor == "ra" else x + 6, TOP - 4), "alert fires", LABEL_SIZE, ALERT, anchor)
        legend = [("value", LINE)]
        if np.isfinite(data.upper).any():
            legend.append(("limit", LIMIT))
        if np.isfinite(data.expected).any():
            legend.append(("expected band", BAND))
        x = float(WIDTH - RIGHT)
        for name, colour in legend:
            self._text((x, 12), name, LABEL_SIZE, GREY, "ra")
            x -= _font(LABEL_SIZE * self._factor).getlength(name) / self._factor + 6
            self._stroke([(x - 18, 22), (x, 22)], colour, 8 if colour == BAND else 3)
            x -= 30

    def _line(self) -> None:
        data = self._data
        for first, last in runs(np.isfinite(data.value)):
            times, values = data.time_ns[first:last].tolist(), data.value[first:last].tolist()
            points = [(self._x(one), self._y(value)) for one, value in zip(times, values, strict=True)]
            self._stroke(points if len(points) > 1 else points * 2, LINE, 2)
        with np.errstate(invalid="ignore"):
            outside = (data.value > data.upper) | (data.value < data.lower)
        radius = 3 * self._factor
        for place in np.flatnonzero(outside).tolist():
            x, y = self._at((self._x(int(data.time_ns[place])), self._y(float(data.value[place]))))
            self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ALERT)

    def _x(self, time_ns: float) -> float:
        share = (time_ns - self._start_ns) / max(self._end_ns - self._start_ns, 1)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        share = (value - self._bottom) / (self._top - self._bottom)
        return HEIGHT - BOTTOM - min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM)

    def _at(self, point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * self._factor, point[1] * self._factor

    def _stroke(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        scaled = [self._at(point) for point in points]
        self._pen.line(scaled, fill=colour, width=round(width * self._factor), joint="curve")

    def _text(
        self, place: tuple[float, float], text: str, size: int, colour: str, anchor: str, bold: bool = False
    ) -> None:
        font = _font(size * self._factor)
        self._pen.text(
            self._at(place), text, fill=colour, font=font, anchor=anchor, stroke_width=self._factor // 3 if bold else 0
        )


def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _ascii(text: str) -> str:
    """Pillow's own font has no other letters."""
    return text.encode("ascii", "replace").decode()


def _range(data: ChartData) -> tuple[float, float]:
    """What the vertical axis covers: the values, the limit, and zero where it is near."""
    known = np.concatenate([data.value, data.expected, data.upper, data.lower])
    known = known[np.isfinite(known)]
    value = data.value[np.isfinite(data.value)]
    lowest, highest = float(known.min()), float(known.max())
    highest = min(highest, 4 * float(np.abs(value).max())) if value.max() > 0 else highest
    if lowest >= 0 and lowest < highest / 2:
        lowest = 0.0
    if highest <= lowest:
        margin = abs(lowest) * 0.1 or 1.0
        return lowest - margin, highest + margin
    return lowest, highest


def nice_ticks(bottom: float, top: float, wanted: int = 4) -> list[float]:
    """Round numbers that cover a range.

    Examples
    --------
    >>> nice_ticks(0.0, 0.23), nice_ticks(97.0, 103.0)
    ([0.0, 0.1, 0.2, 0.3], [96.0, 98.0, 100.0, 102.0, 104.0])
    """
    rough = (top - bottom) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999)
    first, last = math.floor(bottom / step + 1e-9), math.ceil(top / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


TIME_STEPS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


def time_ticks(start_ns: int, end_ns: int, most: int = 4) -> list[int]:
    """Round moments within a range, at most about four.

    Examples
    --------
    >>> [tick // 10**9 for tick in time_ticks(61 * 10**9, 190 * 10**9)]
    [120, 180]
    """
    span = (end_ns - start_ns) / NS_PER_SECOND
    step = next((one for one in TIME_STEPS_SECONDS if span / one <= most), TIME_STEPS_SECONDS[-1])
    step_ns = step * NS_PER_SECOND
    first = -(-start_ns // step_ns)
    return [number * step_ns for number in range(first, end_ns // step_ns + 1)][: most + 1]


def runs(known: np.ndarray) -> list[tuple[int, int]]:
    """Consecutive true values as [first, last).

    Examples
    --------
    >>> runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
