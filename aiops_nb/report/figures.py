"""The charts of the report: time series with bands, anomalies and alerts; they zoom together and need no kernel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import pandas as pd
from bokeh.layouts import row
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from aiops_nb.report.canvas import (
    BLUE,
    GREY,
    RED,
    add_line,
    finish,
    plain_figure,
    shade_alerts,
    shared_range,
    time_figure,
)
from aiops_nb.report.html import Html
from aiops_nb.report.page import chart_html
from aiops_nb.report.zones import wall_times

COLOURS = ("#3b82d0", "#d9730d", "#3f9a52", "#a35bc2", "#d1364f", "#1493a1", "#a07c2c", "#7a828c")
MAX_SERIES = 12
MAX_MARKS = 2000
_HOST = re.compile(r"https?://[^/]+(?=/)|[^ ]+ ")


def latency_charts(features: pd.DataFrame, scores: pd.DataFrame, alerts: pd.DataFrame) -> Html:
    """One chart per target: p95 with its expected band, median, anomalies as points, alerts shaded."""
    features = wall_times(features)
    lines, judged, shaded = (with_series(wall_times(table)) for table in (features, scores, alerts))
    judged = with_band(judged[judged["feature"] == "duration_p95_seconds"])
    shared = shared_range(features)
    names = busiest(lines)
    points = points_each(len(names), columns=6)
    return chart_html(
        *(_latency_chart(_of(lines, name), _of(judged, name), _of(shaded, name), shared, points) for name in names)
    )


def with_band(scores: pd.DataFrame) -> pd.DataFrame:
    """With a lower limit where the detector has none: a duration is at least 0."""
    return scores.assign(lower=scores["lower"].fillna(0).where(scores["upper"].notna()))


def _of(table: pd.DataFrame, series: str) -> pd.DataFrame:
    return table[table["series"] == series]


def with_series(table: pd.DataFrame) -> pd.DataFrame:
    """With a column that names the series: the target, and whether it is traffic of other clients."""
    suffix = table["origin"].astype(str).map({"traffic": " (traffic)"}).fillna("")
    return table.assign(series=table["target"].astype(str) + suffix)


def _latency_chart(
    lines: pd.DataFrame, mine: pd.DataFrame, alerts: pd.DataFrame, shared: Range1d, points: int
) -> figure:
    chart = time_figure(f"{lines['series'].iloc[0]}: latency", shared, "seconds")
    shade_alerts(chart, alerts, lines["time"].max())
    _add_band(chart, thin(mine, {"lower": "min", "upper": "max"}, points))
    for column, colour, label in (("duration_p50_seconds", GREY, "p50"), ("duration_p95_seconds", BLUE, "p95")):
        add_line(chart, thin(lines, {column: "max"}, points), column, colour, label)
    _mark(chart, mine[mine["is_anomaly"]])
    return finish(chart)


def rate_charts(features: pd.DataFrame, alerts: pd.DataFrame) -> Html:
    """Requests per second and error ratio, a line for each target."""
    if features.empty:
        return chart_html()
    charts = []
    features, alerts = wall_times(features), wall_times(alerts)
    lines, shared = with_series(features), shared_range(features)
    for column, title, unit in (("rate_hz", "Requests per second", "hz"), ("error_ratio", "Error ratio", "ratio")):
        chart = time_figure(title, shared, unit)
        on_errors = alerts["alertname"].str.contains("error|http|failed", regex=True)
        shade_alerts(chart, alerts[on_errors], features["time"].max(), alpha=0.05)
        _add_lines(chart, lines, column, busiest(lines))
        charts.append(finish(chart))
    return chart_html(*charts)


def sample_charts(samples: pd.DataFrame, alerts: pd.DataFrame) -> Html:
    """Samples of hosts and services: a chart for each unit."""
    samples, alerts = wall_times(samples), wall_times(alerts)
    names = {metric: _without_unit(str(metric)) for metric in samples["metric"].unique()}
    series = samples["target"].astype(str) + " " + samples["metric"].astype(str).map(names)
    full = list(series.unique())
    shown = series.map(dict(zip(full, short_names(full), strict=True)))
    samples = samples.assign(series=shown, unit=samples["metric"].astype(str).map(unit_of))
    shared = shared_range(samples)
    return chart_html(*(_sample_chart(part, alerts, shared) for _, part in samples.groupby("unit", sort=False)))


def unit_of(metric: str) -> str:
    """The unit of a metric, from its name.

    Examples
    --------
    >>> [unit_of(name) for name in ("cpu_ratio", "disk_read_bytes_per_second", "redis_ops_hz", "load_1m")]
    ['ratio', 'bytes per second', 'hz', 'load_1m']
    """
    units = ("ratio", "bytes_per_second", "bytes", "seconds", "hz")
    return next((unit.replace("_", " ") for unit in units if metric.endswith(f"_{unit}")), metric)


def _without_unit(metric: str) -> str:
    return metric.removesuffix("_" + unit_of(metric).replace(" ", "_")).replace("_", " ")


def _sample_chart(samples: pd.DataFrame, alerts: pd.DataFrame, shared: Range1d) -> figure:
    unit = str(samples["unit"].iloc[0])
    chart = time_figure(f"{unit[0].upper()}{unit[1:]}".replace("_", " "), shared, unit)
    shade_alerts(chart, alerts[alerts["metric"].isin(samples["metric"].unique())], samples["time"].max())
    _add_lines(chart, samples, "value", list(samples["series"].unique())[:MAX_SERIES])
    return finish(chart)


def short_names(names: list[str]) -> list[str]:
    """Names without the host that all of them begin with.

    Examples
    --------
    >>> short_names(["http://a:1/api/users", "http://a:1/checkout"]), short_names(["vm cpu_ratio", "vm swap_ratio"])
    (['/api/users', '/checkout'], ['cpu_ratio', 'swap_ratio'])
    >>> short_names(["http://a:1/x", "http://b:2/x"])
    ['http://a:1/x', 'http://b:2/x']
    """
    host = _HOST.match(names[0]) if len(names) > 1 else None
    if host is None or not all(name.startswith(host[0]) for name in names):
        return names
    return [name.removeprefix(host[0]) for name in names]


def busiest(lines: pd.DataFrame) -> list[str]:
    """The series with the most requests, at most as many as a page holds."""
    counts = lines.groupby("series")["count"].sum().sort_values(ascending=False, kind="stable")
    return [str(series) for series in counts.index[:MAX_SERIES]]


def _add_band(chart: figure, band: pd.DataFrame) -> None:
    source = ColumnDataSource(band)
    label = "expected band"
    chart.varea("time", "lower", "upper", source=source, color=BLUE, alpha=0.16, legend_label=label)


def _add_lines(chart: figure, table: pd.DataFrame, column: str, names: list[str]) -> None:
    points = points_each(len(names), columns=2)
    shown = short_names(names)
    for i, name in enumerate(names):
        part = thin(_of(table, name), {column: "max"}, points)
        add_line(chart, part, column, COLOURS[i % len(COLOURS)], shown[i])


def _mark(chart: figure, anomalies: pd.DataFrame) -> None:
    if len(anomalies):
        marks = ColumnDataSource(thin(anomalies, {"value": "max"}, MAX_MARKS))
        chart.scatter("time", "value", source=marks, size=5, color=RED, legend_label="anomaly")


def sweep_charts(table: pd.DataFrame, chosen: float) -> Html:
    """What each threshold would have found and cost, next to as many alerts at random moments."""
    tried = table[table["threshold"] < float("inf")]
    pairs = (
        ("Faults found", "recall_ratio", "random_recall_ratio", "ratio"),
        ("False alarms per day", "false_alarms_per_day", "random_false_alarms_per_day", ""),
        ("Median delay", "median_delay_seconds", "", "seconds"),
    )
    charts = [_sweep_chart(tried, chosen, *pair) for pair in pairs]
    for chart in charts[1:]:
        chart.x_range = charts[0].x_range  # a threshold without a delay keeps its position
    return chart_html(row(charts, sizing_mode="stretch_width"))


def _sweep_chart(table: pd.DataFrame, chosen: float, title: str, column: str, by_chance: str, unit: str) -> figure:
    chart = plain_figure(title, unit, x_axis_label="threshold", height=260, min_width=260)
    source = ColumnDataSource(table)
    if by_chance:
        chart.line("threshold", by_chance, source=source, color=GREY, line_dash="dashed", legend_label="at random")
    chart.line("threshold", column, source=source, color=BLUE, line_width=2, legend_label="this rule")
    points = chart.scatter("threshold", column, source=source, color=BLUE, size=6)
    chart.add_tools(HoverTool(renderers=[points], tooltips=[("threshold", "@threshold"), (column, f"@{column}")]))
    chart.add_layout(Span(location=chosen, dimension="height", line_color=RED, line_dash="dotted", line_width=2))
    chart.legend.visible = bool(by_chance)
    chart.legend.label_text_font_size = "11px"
    chart.legend.label_text_color = GREY
    chart.legend.background_fill_color = None
    return chart


How = Literal["min", "max", "mean"]
POINTS_PER_PAGE = 120_000  # 8 bytes each, base64: 1.3 MB at most besides BokehJS


def thin(table: pd.DataFrame, how: Mapping[str, How], points: int) -> pd.DataFrame:
    """At most `points` rows: equal slices of time, each column reduced as given.

    A slice has the time of its first row. Peaks survive `max`, and a slice without values stays empty, so gaps show.

    Examples
    --------
    >>> table = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=4, freq="s"), "v": [1, 9, 2, 3]})
    >>> thin(table, {"v": "max"}, points=2)["v"].tolist()
    [9, 3]
    """
    kept = table[["time", *how]]
    if len(table) <= points:
        return kept.reset_index(drop=True)
    since_ns = (table["time"] - table["time"].min()).dt.as_unit("ns").astype("int64")
    width_ns = since_ns.max() // points + 1
    slices = kept.groupby(since_ns // width_ns)
    return slices.agg({"time": "min", **how}).reset_index(drop=True)


def points_each(series: int, columns: int) -> int:
    """How many points each series may have, so that the page stays small."""
    return max(200, min(2000, POINTS_PER_PAGE // max(1, series * columns)))
