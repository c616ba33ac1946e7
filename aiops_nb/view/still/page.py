"""A still picture of a dashboard: tiles, charts and alerts as plain HTML."""

from __future__ import annotations

from html import escape

import numpy as np

from aiops_nb.view.charts.names import short_names
from aiops_nb.view.charts.palette import series_colour
from aiops_nb.view.charts.selection import choose
from aiops_nb.view.data.series_data import Data, calm_end, host_data, line_data
from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.still.charts import Frame, Trace, still_chart
from aiops_nb.view.widgets.tiles import AlertRow, Tile, alert_rows, tiles_of

MOST_ALERTS = 20
_TILE = "display:inline-block;margin:4px;padding:4px 12px;border:1px solid #8886;border-radius:6px"
_CELL = "text-align:left;padding:1px 12px 1px 0"


def picture_html(store: ViewStore) -> str:
    """Everything that the store holds, on one time axis; text from outside is escaped.

    Examples
    --------
    >>> picture_html(ViewStore())[:40]
    '<div class="aiops-picture"><p>No rows ye'
    """
    if not store.newest_ns:
        return '<div class="aiops-picture"><p>No rows yet.</p></div>'
    parts = [*map(_tile, tiles_of(store)), "<div>", *_charts(store), "</div>", _alerts(alert_rows(store))]
    return f'<div class="aiops-picture">{"".join(parts)}</div>'


def _tile(tile: Tile) -> str:
    value = f"<b>{escape(tile['value'])}</b> {escape(tile['unit'])}"
    return f'<span style="{_TILE}">{escape(tile["label"])}<br>{value}<br><small>{escape(tile["note"])}</small></span>'


def _charts(store: ViewStore) -> list[str]:
    shown = choose(store, ())
    names = short_names([store.series.keys[series] for series in shown])
    lines = [line_data(store, series, store.oldest_ns) for series in shown]
    latency = [_latency(store, place, name, data) for place, (name, data) in enumerate(zip(names, lines, strict=True))]
    shared = [
        _together(store, "Requests", "/s", "rate", lines, 1.0),
        _together(store, "Errors", "%", "error", lines, 5.0),
    ]
    return [*latency, *shared, _host(store, "CPU", "cpu_ratio"), _host(store, "Memory", "memory_ratio")]


def _frame(store: ViewStore, top: float) -> Frame:
    return Frame(start_ms=store.oldest_ns / 1e6, end_ms=store.newest_ns / 1e6, top=top)


def _largest(data: Data, column: str) -> float:
    known = data[column][np.isfinite(data[column])]
    return float(known.max(initial=0.0))


def _latency(store: ViewStore, place: int, name: str, data: Data) -> str:
    line = _largest(data, "p95")
    frame = _frame(store, calm_end(max(line, min(_largest(data, "upper"), 2 * line)), 10.0))
    trace = Trace(
        colour=series_colour(place),
        time_ms=data["time"],
        value=data["p95"],
        band=(data["lower"], data["upper"]),
        marks=data["anomaly"],
    )
    return still_chart(f"{name}: p95 latency", "ms", frame, [trace])


def _together(store: ViewStore, title: str, unit: str, column: str, lines: list[Data], least: float) -> str:
    marks = [data["error_anomaly"] if column == "error" else np.zeros(0) for data in lines]
    traces = [
        Trace(colour=series_colour(place), time_ms=data["time"], value=data[column], marks=mark)
        for place, (data, mark) in enumerate(zip(lines, marks, strict=True))
    ]
    top = calm_end(max((_largest(data, column) for data in lines), default=0.0), least)
    return still_chart(title, unit, _frame(store, min(top, 100.0) if unit == "%" else top), traces)


def _host(store: ViewStore, title: str, metric: str) -> str:
    hosts = [number for number, key in enumerate(store.hosts.keys) if key.metric == metric]
    data = [host_data(store, host, store.oldest_ns) for host in hosts[:8]]
    traces = [
        Trace(colour=series_colour(place), time_ms=one["time"], value=one["value"]) for place, one in enumerate(data)
    ]
    return still_chart(title, "%", _frame(store, 100.0), traces)


def _alerts(rows: list[AlertRow]) -> str:
    if not rows:
        return "<p>No alerts.</p>"
    head = "".join(
        f'<th style="{_CELL}">{name}</th>' for name in ("", "severity", "since (UTC)", "target", "what happened")
    )
    return f"<table><tr>{head}</tr>{''.join(map(_alert, rows[:MOST_ALERTS]))}</table>"


def _alert(row: AlertRow) -> str:
    texts = (row["state"], row["severity"], row["since"], row["target"], row["summary"] or row["name"])
    return "<tr>" + "".join(f'<td style="{_CELL}">{escape(text)}</td>' for text in texts) + "</tr>"
