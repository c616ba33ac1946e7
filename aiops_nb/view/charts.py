"""The charts: Bokeh figures on one shared time axis, in units that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from bokeh.models.annotations import Legend, LegendItem, Title
from bokeh.models.formatters import DatetimeTickFormatter, NumeralTickFormatter
from bokeh.models.ranges import Range1d
from bokeh.models.renderers import GlyphRenderer
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tools import HoverTool
from bokeh.plotting import figure

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.view.palette import TROUBLE, series_colour

Figure: TypeAlias = figure
Renderer: TypeAlias = "GlyphRenderer[Any]"
Columns = Mapping[str, npt.NDArray[Any]]
LINE_COLUMNS = ("time", "p95", "expected", "lower", "upper", "anomaly", "rate", "error", "error_anomaly")
POINT_COLUMNS = ("time", "answered", "failed")
MOST_POINTS = 2000
HEIGHT_PIXELS = 190
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


def time_chart(title: str, unit: str, x_range: Range1d, y_range: Range1d, name: str) -> Figure:
    """An empty chart that fills the width; the time axis states its zone, the value axis its unit."""
    plot = figure(
        name=name,
        title=title,
        height=HEIGHT_PIXELS,
        sizing_mode="stretch_width",
        x_range=x_range,
        y_range=y_range,
        x_axis_type="datetime",
        y_axis_label=unit,
        tools="",
        toolbar_location=None,
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
        output_backend="canvas",
        lod_threshold=None,
        min_border_right=14,
    )
    _style_axes(plot)
    return plot


def _style_axes(plot: Any) -> None:
    plot.title.update(text_font_size="12.5px", text_font_style="bold")
    plot.xgrid.grid_line_color = None
    for axis in plot.axis:
        axis.update(
            axis_label_text_font_style="normal",
            axis_label_text_font_size="11px",
            axis_label_standoff=3,
            major_label_text_font_size="11px",
            major_tick_in=0,
            minor_tick_line_color=None,
        )
    (across,), (up,) = plot.xaxis, plot.yaxis
    across.update(formatter=DatetimeTickFormatter(**_TIME_FORMATS), axis_label="UTC")
    across.ticker.update(desired_num_ticks=5)
    up.update(formatter=NumeralTickFormatter(format="0,0.[00]"))
    up.ticker.update(desired_num_ticks=4)


def add_hover(plot: Figure, renderers: Sequence[Renderer], rows: Sequence[tuple[str, str]]) -> None:
    """Tooltips that name time and values with their units."""
    time = ("time", "@time{%H:%M:%S} UTC")
    tool = HoverTool(
        renderers=list(renderers),
        tooltips=[time, *rows],
        formatters={"@time": "datetime"},
        mode="mouse",
        point_policy="snap_to_data",
        line_policy="nearest",
    )
    plot.add_tools(tool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place for one target: its latency chart, its lines in the shared charts, and their sources."""

    place: int
    lines: ColumnDataSource
    points: ColumnDataSource
    latency: Figure
    title: Title
    y_range: Range1d


def make_slot(place: int, x_range: Range1d) -> Slot:
    """A hidden latency chart: requests as dots, p95 as a line in its expected band, anomalies and failures marked."""
    lines = empty_source(LINE_COLUMNS, f"target-{place}")
    points = empty_source(POINT_COLUMNS, f"requests-{place}")
    y_range = Range1d(start=0, end=1)
    plot = time_chart("", "latency, ms", x_range, y_range, f"latency-{place}")
    plot.update(visible=False, css_classes=["aiops-latency"])
    _draw_latency(plot, lines, points, series_colour(place))
    title: Any = plot.title
    return Slot(place=place, lines=lines, points=points, latency=plot, title=title, y_range=y_range)


def _draw_latency(plot: Figure, lines: ColumnDataSource, points: ColumnDataSource, colour: str) -> None:
    plot.varea("time", "lower", "upper", source=lines, fill_color=colour, fill_alpha=0.17)
    plot.line("time", "expected", source=lines, color=colour, line_dash="dotted", line_alpha=0.8)
    dots = plot.scatter("time", "answered", source=points, color=colour, size=3, fill_alpha=0.45, line_color=None)
    failed = plot.scatter("time", "failed", source=points, color=TROUBLE, size=7, marker="x", line_width=1.5)
    line = plot.line("time", "p95", source=lines, color=colour, line_width=2)
    marks = plot.scatter(
        "time", "anomaly", source=lines, size=9, marker="circle", line_color=TROUBLE, line_width=2, fill_alpha=0
    )
    band = ("expected", "@expected{0,0.0} ms (@lower{0,0.0} to @upper{0,0.0})")
    add_hover(plot, [line, marks], [("p95", "@p95{0,0.0} ms"), band, ("rate", "@rate{0,0.00} /s")])
    add_hover(plot, [failed], [("failed after", "@failed{0,0.0} ms")])
    add_hover(plot, [dots], [("request", "@answered{0,0.0} ms")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One chart with a line for each slot."""

    plot: Figure
    y_range: Range1d
    column: str
    legend: Legend
    lines: tuple[Renderer, ...]


def make_shared(
    title: str, unit: str, column: str, sources: Sequence[ColumnDataSource], x_range: Range1d, y_end: float
) -> Shared:
    """Lines of one column of several sources, with a legend below, filled by `name_lines`."""
    y_range = Range1d(start=0, end=y_end)
    plot = time_chart(title, unit, x_range, y_range, f"chart-{column}")
    lines = tuple(
        plot.line("time", column, source=source, color=series_colour(place), line_width=2, visible=False)
        for place, source in enumerate(sources)
    )
    for line in lines:
        add_hover(plot, [line], [("target", "$name"), (title, f"@{column}{{0,0.[00]}} {unit}")])
    legend = Legend(
        items=[],
        orientation="horizontal",
        ncols=4,
        label_text_font_size="11px",
        background_fill_alpha=0,
        border_line_color=None,
        margin=0,
        spacing=10,
        glyph_width=14,
        label_standoff=3,
        visible=False,
    )
    plot.add_layout(legend, "below")
    return Shared(plot=plot, y_range=y_range, column=column, legend=legend, lines=lines)


def mark_errors(shared: Shared, sources: Sequence[ColumnDataSource]) -> None:
    """Rings around error ratios that a detector judged anomalous."""
    for source in sources:
        shared.plot.scatter(
            "time", "error_anomaly", source=source, size=9, line_color=TROUBLE, line_width=2, fill_alpha=0
        )


def name_lines(shared: Shared, names: Sequence[str]) -> None:
    """Show a line for each name, and a legend where there is more than one."""
    for line in shared.lines[len(names) :]:
        line.visible = False
    pairs = list(zip(names, shared.lines, strict=False))
    for name, line in pairs:
        line.update(name=name, visible=True)
    shared.legend.items = [LegendItem(label={"value": name}, renderers=[line]) for name, line in pairs]
    shared.legend.visible = len(pairs) > 1
    shared.plot.height = HEIGHT_PIXELS + 20 * ((len(pairs) + 3) // 4 if len(pairs) > 1 else 0)


def calm_end(largest: float, least: float) -> float:
    """End of a value axis that seldom moves: 1, 2 or 5 times a power of ten above the largest value.

    Examples
    --------
    >>> calm_end(37.0, 1.0), calm_end(0.0, 5.0), calm_end(float("nan"), 1.0), calm_end(190.0, 1.0)
    (50.0, 5.0, 1.0, 500.0)
    """
    if not np.isfinite(largest) or largest * 1.08 <= least:
        return least
    power = 10.0 ** np.floor(np.log10(largest))
    return float(next(step * power for step in (1, 2, 5, 10, 20) if step * power >= largest * 1.08))


def milliseconds(time_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Times as Bokeh counts them."""
    return time_ns / (NS_PER_SECOND / 1000)
