"""The charts: Bokeh figures on one shared time axis, in units that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from bokeh.models.annotations import BoxAnnotation, Span, Title
from bokeh.models.formatters import DatetimeTickFormatter, PrintfTickFormatter
from bokeh.models.glyphs import Line, Scatter, VArea, VSpan, VStrip
from bokeh.models.ranges import Range1d
from bokeh.models.renderers import GlyphRenderer
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tools import BoxSelectTool, CrosshairTool, HoverTool
from bokeh.plotting import figure

from aiops_nb.view.charts.palette import MARK, TROUBLE, series_colour
from aiops_nb.view.data.series_data import BAND_COLUMNS, LINE_COLUMNS, POINT_COLUMNS

Figure: TypeAlias = figure
Renderer: TypeAlias = "GlyphRenderer[Any]"
HEIGHT_PIXELS = 190
LEFT_PIXELS = 58  # the same everywhere, so that charts above each other share their time
SWATCH_PIXELS = 18
# tooltips have no code of their own: a page with a content security policy would refuse it, and the pointer with it
MARK_COLUMNS = ("time", "text", "target")
STRETCH_COLUMNS = ("start", "end", "kind", "note", "target")
_TIME_FORMATS: dict[str, Any] = {
    "milliseconds": "%H:%M:%S",
    "seconds": "%H:%M:%S",
    "minsec": "%H:%M:%S",
    "minutes": "%H:%M",
    "hourmin": "%H:%M",
    "hours": "%H:%M",
    "days": "%d %b",
}


def empty_source(columns: Sequence[str], name: str) -> ColumnDataSource:
    """A named source without rows; tests and pages find it by its name."""
    return ColumnDataSource({column: np.zeros(0) for column in columns}, name=name)


def time_chart(title: str, unit: str, x_range: Range1d, y_range: Range1d, name: str, marks: Marks) -> Figure:
    """An empty chart that fills the width; its values carry their unit."""
    plot = figure(
        name=name,
        title=title,
        height=HEIGHT_PIXELS,
        sizing_mode="stretch_width",
        x_range=x_range,
        y_range=y_range,
        x_axis_type="datetime",
        tools="",
        toolbar_location=None,
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
        output_backend="canvas",
        lod_threshold=None,
        min_border_left=LEFT_PIXELS,
        min_border_right=14,
    )
    _style_axes(plot, unit)
    select = BoxSelectTool(dimensions="width", persistent=False)
    plot.add_tools(CrosshairTool(overlay=marks.moment), select)
    plot.toolbar.active_drag = select
    plot.add_layout(marks.alert)
    plot.add_layout(marks.selection)
    _draw_labels(plot, marks.labels)
    _draw_marks(plot, marks.placed)
    return plot


def _draw_labels(plot: Figure, labels: ColumnDataSource) -> None:
    """A stretch of time that somebody labelled; its text is shown as data, never as part of a template."""
    strip = VStrip(x0="start", x1="end", fill_color=MARK, fill_alpha=0.1, line_color=MARK, line_alpha=0.5)
    drawn = plot.add_glyph(labels, strip)
    tooltips = [("label", "@kind"), ("note", "@note"), ("target", "@target")]
    plot.add_tools(HoverTool(renderers=[drawn], mode="mouse", tooltips=tooltips))


def _draw_marks(plot: Figure, placed: ColumnDataSource) -> None:
    """A line where something was done, such as a deployment; its text is shown as data, never as part of a template."""
    line = VSpan(x="time", line_color=MARK, line_width=1.5, line_dash="dotdash")
    drawn = plot.add_glyph(placed, line)
    hover = HoverTool(
        renderers=[drawn],
        mode="mouse",
        tooltips=[("mark", "@text"), ("target", "@target"), ("time", "@time{%H:%M:%S} UTC")],
        formatters={"@time": "datetime"},
    )
    plot.add_tools(hover)


def _style_axes(plot: Any, unit: str) -> None:
    plot.title.update(text_font_size="12.5px", text_font_style="bold", standoff=17, offset=8 - LEFT_PIXELS)
    plot.xgrid.grid_line_color = None
    for axis in plot.axis:
        axis.update(
            major_label_text_font_size="10.5px",
            major_tick_in=0,
            major_tick_out=3,
            minor_tick_line_color=None,
        )
    (across,), (up,) = plot.xaxis, plot.yaxis
    across.formatter = DatetimeTickFormatter(**_TIME_FORMATS)
    across.ticker.update(desired_num_ticks=3)
    up.formatter = PrintfTickFormatter(format=f"%.4g {unit}".replace(" %", " %%"))
    up.ticker.update(desired_num_ticks=4)
    up.update(axis_line_alpha=0, major_tick_line_alpha=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What every chart shows at the same time: the pointer's moment, the selected alert's start, the selected range."""

    moment: Span
    alert: Span
    selection: BoxAnnotation
    placed: ColumnDataSource
    labels: ColumnDataSource


def make_marks() -> Marks:
    """The marks of one board; those of the alert and the selection are hidden."""
    return Marks(
        moment=Span(dimension="height", line_color="#8c8c8c", line_alpha=0.7, line_dash="dashed", line_width=1),
        alert=Span(
            dimension="height", name="alert-mark", visible=False, location=0, line_color=TROUBLE, line_width=1.5
        ),
        selection=BoxAnnotation(
            name="selection",
            visible=False,
            left=0,
            right=0,
            fill_color="#2f8fd8",
            fill_alpha=0.14,
            line_color="#2f8fd8",
            line_alpha=0.8,
        ),
        placed=empty_source(MARK_COLUMNS, "marks"),
        labels=empty_source(STRETCH_COLUMNS, "labels"),
    )


def add_hover(
    plot: Figure,
    rows: Sequence[tuple[str, str]],
    renderers: Sequence[Renderer],
    mode: Literal["mouse", "vline"] = "mouse",
) -> HoverTool:
    """Tooltips with time, values and units of some renderers: marks and labels have their own.

    `rows` are templates that Bokeh fills in: they hold no external text, which could be read as markup.
    """
    tool = HoverTool(
        mode=mode,
        renderers=list(renderers),
        tooltips=[("time", "@time{%H:%M:%S} UTC"), *rows],
        formatters={"@time": "datetime"},
    )
    plot.add_tools(tool)
    return tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place for one target: its latency chart, its sources, and its lines in the shared charts."""

    place: int
    lines: ColumnDataSource
    points: ColumnDataSource
    latency: Figure
    title: Title
    y_range: Range1d


def make_slot(place: int, x_range: Range1d, marks: Marks) -> Slot:
    """A latency chart: requests as dots, p95 as a line in its expected band, anomalies and failures marked."""
    lines = empty_source((*LINE_COLUMNS, *BAND_COLUMNS), f"target-{place}")
    points = empty_source(POINT_COLUMNS, f"requests-{place}")
    y_range = Range1d(start=0, end=1)
    plot = time_chart("", "ms", x_range, y_range, f"latency-{place}", marks)
    plot.css_classes = slot_classes(place)
    _draw_latency(plot, lines, points, series_colour(place))
    title: Any = plot.title
    title.offset += SWATCH_PIXELS
    return Slot(place=place, lines=lines, points=points, latency=plot, title=title, y_range=y_range)


def slot_classes(place: int, tone: str = "ok", *, selected: bool = False) -> list[str]:
    """The group of charts, the colour, and the trouble of a slot: `ok`, `failing`, `warn` or `bad`."""
    selection = ["aiops-selected"] if selected else []  # the target of the alert that a person looks at
    return ["aiops-latency", f"aiops-colour-{place}", *selection, f"aiops-{tone}"]


def _draw_latency(plot: Figure, lines: ColumnDataSource, points: ColumnDataSource, colour: str) -> None:
    area = VArea(x="time", y1="band_lower", y2="band_upper", fill_color=colour, fill_alpha=0.15)
    plot.add_glyph(lines, area)
    plot.add_glyph(lines, _line("expected", colour, line_dash="dotted", line_alpha=0.9, line_width=1))
    dots = plot.add_glyph(points, _dots("answered", colour, size=3, fill_alpha=0.45))
    cross = Scatter(x="time", y="failed", marker="x", size=7, line_color=TROUBLE, line_width=1.5)
    failed = plot.add_glyph(points, cross)
    line = plot.add_glyph(lines, _line("p95", colour))
    plot.add_glyph(lines, _dots("anomaly", TROUBLE))
    band = "@lower{0,0.[0]} to @upper{0,0.[0]} ms"
    rows = [
        ("p95", "@p95{0,0.[0]} ms"),
        ("expected", "@expected{0,0.[0]} ms"),
        ("band", band),
        ("rate", "@rate{0,0.00} /s"),
    ]
    add_hover(plot, rows, [line], "vline")
    add_hover(plot, [("failed after", "@failed{0,0.0} ms")], [failed])
    add_hover(plot, [("request", "@answered{0,0.0} ms")], [dots])


def _line(column: str, colour: str, **more: Any) -> Line:
    return Line(x="time", y=column, line_color=colour, **{"line_width": 2, **more})


def _dots(column: str, colour: str, **more: Any) -> Scatter:
    return Scatter(x="time", y=column, fill_color=colour, line_color=None, **{"size": 6, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One chart with a line for each of several sources."""

    plot: Figure
    y_range: Range1d
    column: str
    hover: HoverTool
    lines: list[Renderer] = field(default_factory=list)


def make_shared(title: str, unit: str, column: str, x_range: Range1d, y_end: float, marks: Marks) -> Shared:
    """A chart without lines; `add_line` adds them."""
    y_range = Range1d(start=0, end=y_end)
    plot = time_chart(title, unit, x_range, y_range, f"chart-{title.lower()}", marks)
    plot.css_classes = ["aiops-shared"]
    rows = [("target", "$name"), (title.lower(), f"@{column}{{0,0.[00]}} {unit}")]
    hover = add_hover(plot, rows, (), "vline")
    return Shared(plot=plot, y_range=y_range, column=column, hover=hover)


def add_line(shared: Shared, source: ColumnDataSource, marks: str = "") -> None:
    """One more line, in the colour of its place; `marks` names the column of the anomalous values."""
    colour = series_colour(len(shared.lines))
    line = shared.plot.add_glyph(source, _line(shared.column, colour))
    shared.lines.append(line)
    shared.hover.renderers = list(shared.lines)
    if shared.column == "value":
        shared.plot.add_glyph(source, VArea(x="time", y1=0, y2="fill", fill_color=colour, fill_alpha=0.12))
    if marks:
        shared.plot.add_glyph(source, _dots(marks, TROUBLE, size=5))


def name_lines(shared: Shared, names: Sequence[str]) -> None:
    """Name the lines for the tooltips, which show names as data: never as part of a template."""
    for name, line in zip(names, shared.lines, strict=False):
        line.name = name
