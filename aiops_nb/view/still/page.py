"""A static picture of a dashboard: tiles, charts and alerts as plain HTML."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import jinja2
import numpy as np

from aiops_nb.view.charts.palette import series_colour
from aiops_nb.view.charts.selection import choose
from aiops_nb.view.data.names import short_names
from aiops_nb.view.data.series_data import Data, calm_end, host_data, line_data
from aiops_nb.view.data.store import ViewStore, clock_text, date_text
from aiops_nb.view.still.charts import Frame, Trace, still_chart
from aiops_nb.view.widgets.alert_rows import alert_rows
from aiops_nb.view.widgets.tiles import tiles_of

MOST_ALERTS = 20


@lru_cache(maxsize=1)
def template() -> jinja2.Template:
    """The page; everything that is filled in is escaped, but the charts, whose own template escapes."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.get_template("page.html.j2")


def picture_html(store: ViewStore, *, twin: bool = False) -> str:
    """Everything that the store holds, on one time axis; external text is escaped.

    Parameters
    ----------
    store
        What is shown.
    twin
        For the output next to a live dashboard: it is hidden where the live one is shown, and the other way round.

    Examples
    --------
    >>> "No rows yet" in picture_html(ViewStore())
    True
    """
    known = bool(store.newest_ns)
    charts, note = _charts(store) if known else ([], "")
    return template().render(
        twin=twin,
        known=known,
        newest=f"{date_text(store.newest_ns)} {clock_text(store.newest_ns)[:8]} UTC" if known else "",
        tiles=tiles_of(store) if known else [],
        charts=charts,
        note=note,
        alerts=alert_rows(store)[:MOST_ALERTS] if known else [],
    )


def _charts(store: ViewStore) -> tuple[list[str], str]:
    shown = choose(store, ())
    names = [store.names.of(series) for series in shown]
    lines = [line_data(store, series, store.oldest_ns) for series in shown]
    latency = [_latency(store, place, name, data) for place, (name, data) in enumerate(zip(names, lines, strict=True))]
    shared = [
        _shared(store, "Requests", "/s", "rate", names, lines, 1.0),
        _shared(store, "Errors", "%", "error", names, lines, 5.0),
    ]
    hosts = [_host(store, "CPU", "cpu_ratio"), _host(store, "Memory", "memory_ratio")]
    count = len(store.series.keys)
    note = f"Showing {len(shown)} of {count:,} targets, alerts first." if len(shown) < count else ""
    return [*latency, *shared, *hosts], note


def _frame(store: ViewStore, top: float) -> Frame:
    return Frame(start_ms=store.oldest_ns / 1e6, end_ms=store.newest_ns / 1e6, top=top)


def _largest(data: Data, column: str) -> float:
    known = data[column][np.isfinite(data[column])]
    return float(known.max(initial=0.0))


def _latency(store: ViewStore, place: int, name: str, data: Data) -> str:
    line = _largest(data, "p95")
    frame = _frame(store, calm_end(max(line, min(_largest(data, "upper"), 2 * line)), 10.0))
    trace = Trace(
        name=name,
        colour=series_colour(place),
        time_ms=data["time"],
        value=data["p95"],
        band=(data["lower"], data["upper"]),
        marks=data["anomaly"],
    )
    return still_chart(f"{name}: p95 latency", "ms", frame, [trace])


def _shared(
    store: ViewStore, title: str, unit: str, column: str, names: Sequence[str], lines: Sequence[Data], least: float
) -> str:
    marks = [data["error_anomaly"] if column == "error" else np.zeros(0) for data in lines]
    named = zip(names, lines, marks, strict=True)
    traces = [
        Trace(name=name, colour=series_colour(place), time_ms=data["time"], value=data[column], marks=mark)
        for place, (name, data, mark) in enumerate(named)
    ]
    top = calm_end(max((_largest(data, column) for data in lines), default=0.0), least)
    return still_chart(title, unit, _frame(store, min(top, 100.0) if unit == "%" else top), traces)


def _host(store: ViewStore, title: str, metric: str) -> str:
    hosts = [number for number, key in enumerate(store.hosts.keys) if key.metric == metric][:8]
    names = short_names([store.hosts.keys[host] for host in hosts])
    drawn = [host_data(store, host, store.oldest_ns) for host in hosts]
    traces = [
        Trace(name=name, colour=series_colour(place), time_ms=data["time"], value=data["value"])
        for place, (name, data) in enumerate(zip(names, drawn, strict=True))
    ]
    return still_chart(title, "%", _frame(store, 100.0), traces)
