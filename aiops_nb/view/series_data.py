"""What the charts draw of each series, taken from the store: bounded, and in the charts' units."""

from __future__ import annotations

from typing import Any

import numpy as np

from aiops_nb.view.charts import LINE_COLUMNS, MOST_POINTS, milliseconds
from aiops_nb.view.rings import Points, extremes
from aiops_nb.view.store import REQUEST_COLUMNS, ViewStore

Data = dict[str, Any]
_SCALE = {"p95": 1000, "expected": 1000, "lower": 1000, "upper": 1000, "anomaly": 1000, "error": 100}
_SCALE |= {"error_anomaly": 100, "rate": 1}


def line_data(store: ViewStore, series: int, start_ns: int) -> Data:
    """Lines of one target: ms, requests a second, per cent."""
    columns: dict[str, Any] = store.requests.since(start_ns, series, REQUEST_COLUMNS)
    data: Data = {"time": milliseconds(columns["time_ns"])}
    for name in LINE_COLUMNS[1:]:
        data[name] = columns[name].astype(np.float64) * _SCALE[name]
    data["lower"] = np.maximum(data["lower"], 0.0)
    return data


def host_data(store: ViewStore, host: int, start_ns: int) -> Data:
    """One metric of one host, in per cent."""
    columns: dict[str, Any] = store.samples.since(start_ns, host, ("value",))
    return {"time": milliseconds(columns["time_ns"]), "value": columns["value"].astype(np.float64) * 100}


def point_data(points: Points) -> Data:
    """Requests as dots: answered and failed ones apart."""
    latency = points.seconds.astype(np.float64) * 1000
    failed = points.failed
    return {
        "time": milliseconds(points.time_ns),
        "answered": np.where(failed, np.nan, latency),
        "failed": np.where(failed, latency, np.nan),
    }


def all_points(store: ViewStore, series: int, start_ns: int) -> Points:
    """Requests of one target since a time; of many, the quickest and slowest of equal stretches of time."""
    points = store.points.of(series, start_ns)
    if len(points.time_ns) <= MOST_POINTS // 2:
        return points
    stretch = max(1, (store.newest_ns - start_ns) // (MOST_POINTS // 4))
    return extremes(points, (points.time_ns - start_ns) // stretch)


def last_rows(data: Data, count: int) -> Data:
    """The last rows of every column."""
    return {name: column[len(column) - count :] for name, column in data.items()}
