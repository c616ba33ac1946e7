"""What all charts share: figures that look alike, lines with tooltips, shaded alerts."""

from __future__ import annotations

from typing import Any

import pandas as pd
from bokeh.models import (
    AdaptiveTicker,
    BasicTickFormatter,
    ColumnDataSource,
    DataRange1d,
    HoverTool,
    NumeralTickFormatter,
    PlainText,
    PrintfTickFormatter,
    Range1d,
    TickFormatter,
)
from bokeh.models.annotations import Title
from bokeh.plotting import figure

# At least 3 : 1 against a white and against a dark page: the ground of a chart is that of its page.
BLUE, GREY, RED = "#3b82d0", "#7a828c", "#d1364f"
SEVERITY_COLOURS = {"info": "#3b82d0", "warning": "#d39e00", "error": "#e0641f", "critical": "#d1364f"}
LEGEND_WIDTH = 140  # pixels kept free, so that charts of one page line up
TOOLS = "xbox_zoom,xpan,reset,save"


def shared_range(table: pd.DataFrame) -> Range1d:
    """The time that all charts of a section show."""
    return Range1d(start=table["time"].min(), end=table["time"].max()) if len(table) else Range1d()


def time_figure(title: str, shared: Range1d, unit: str) -> figure:
    """A chart over time."""
    return plain_figure(
        title,
        unit,
        x_range=shared,
        x_axis_type="datetime",
        height=215,
        min_border_left=64,
        min_border_right=LEGEND_WIDTH,
    )


def plain_figure(title: str, unit: str, **options: Any) -> figure:
    """An empty chart with its y axis in a unit.

    Parameters
    ----------
    title
        Shown as it is: neither markup nor mathematics is read in it.
    unit
        `seconds`, `ratio`, `bytes`, `bytes per second`; any other gives plain numbers.
    **options
        Of `bokeh.plotting.figure`.
    """
    heading = Title(text=PlainText(text=title), text_font_size="14px", text_color=GREY)
    chart = figure(
        title=heading,
        y_range=DataRange1d(start=0),
        sizing_mode="stretch_width",
        tools=TOOLS,
        active_drag="xbox_zoom",
        background_fill_color=None,
        border_fill_color=None,
        **options,
    )
    chart.toolbar_location = "above"
    chart.toolbar.logo = None
    chart.yaxis.formatter = _formatter(unit)
    if unit.startswith("bytes"):
        chart.yaxis.ticker = AdaptiveTicker(base=1024, mantissas=[2.0**power for power in range(10)], num_minor_ticks=0)
    chart.grid.grid_line_color = GREY
    chart.grid.grid_line_alpha = 0.2
    chart.outline_line_color = None
    chart.axis.minor_tick_line_color = None
    chart.axis.axis_line_color = chart.axis.major_tick_line_color = GREY
    chart.axis.major_label_text_color = chart.axis.axis_label_text_color = GREY
    return chart


def _formatter(unit: str) -> TickFormatter:
    # No formatter with code of its own: it would need `unsafe-eval` in the page's Content-Security-Policy.
    if unit == "seconds":
        return PrintfTickFormatter(format="%.3g s")
    formats = {"ratio": "0.[0] %", "bytes": "0.[0] b", "bytes per second": "0.[0] b"}
    return NumeralTickFormatter(format=formats[unit]) if unit in formats else BasicTickFormatter()


def add_line(chart: figure, table: pd.DataFrame, column: str, colour: str, label: str) -> None:
    """A line with its values under the pointer; the label may be any recorded text."""
    source = ColumnDataSource(table)
    line = chart.line("time", column, source=source, color=colour, line_width=1.6, legend_label=label, name=label)
    # `$name` is escaped; a label put into the template itself would be read as one (`@column{safe}`).
    tooltips = [("series", "$name"), ("time", "@time{%F %T}"), (column, f"@{column}{{0.[0000]}}")]
    chart.add_tools(HoverTool(renderers=[line], tooltips=tooltips, formatters={"@time": "datetime"}, mode="vline"))


def shade_alerts(chart: figure, alerts: pd.DataFrame, until: pd.Timestamp, alpha: float = 0.13) -> None:
    """Shade the time that alerts lasted; those that still fire, `until` the end."""
    fired = alerts[alerts["starts_at"].notna()]
    if fired.empty:
        return
    spans = fired[["starts_at", "alertname", "summary"]].assign(
        ends_at=fired["ends_at"].fillna(until), colour=fired["severity"].map(SEVERITY_COLOURS).fillna(GREY)
    )
    strips = chart.vstrip("starts_at", "ends_at", source=ColumnDataSource(spans), color="colour", alpha=alpha)
    chart.add_tools(HoverTool(renderers=[strips], tooltips=[("alert", "@alertname"), ("summary", "@summary")]))


def finish(chart: figure) -> figure:
    """Put the legend to the right of the chart."""
    if chart.legend:
        chart.add_layout(chart.legend[0], "right")
        chart.legend.label_text_font_size = "11px"
        chart.legend.label_text_color = GREY
        chart.legend.background_fill_color = chart.legend.border_line_color = None
        chart.legend.click_policy = "hide"
    return chart
