"""What the charts draw of each series, taken from the store: bounded, and in the charts' units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.view.data.ring_buffers import Points, extremes
from aiops_nb.view.data.store import REQUEST_COLUMNS, ViewStore

LINE_COLUMNS = ("time", "p95", "expected", "lower", "upper", "anomaly", "rate", "error", "error_anomaly")
POINT_COLUMNS = ("time", "answered", "failed")
MOST_POINTS = 2000
RATE_WINDOWS = 10
FEW_WINDOWS = 3
BRIDGED_WINDOWS = 2  # a sample every second falls now and then into the next window
Data = dict[str, Any]
_SCALE = {"p95": 1000, "expected": 1000, "lower": 1000, "upper": 1000, "anomaly": 1000, "error": 100}
_SCALE |= {"error_anomaly": 100, "rate": 1}


def line_data(store: ViewStore, series: int, start_ns: int) -> Data:
    """Lines of one target: ms, requests a second, per cent."""
    columns: dict[str, Any] = store.requests.since(start_ns, series, REQUEST_COLUMNS)
    data: Data = {"time": milliseconds(columns["time_ns"])}
    for name in LINE_COLUMNS[1:]:
        data[name] = columns[name].astype(np.float64) * _SCALE[name]
    data["rate"] = trailing_mean(data["rate"], RATE_WINDOWS)
    bounded = np.isfinite(data["upper"])  # a detector that only minds slowness has no lower bound: time has
    data["lower"] = np.where(bounded, np.fmax(data["lower"], 0.0), np.nan)
    return data


def trailing_mean(values: npt.NDArray[np.float64], windows: int) -> npt.NDArray[np.float64]:
    """Mean over the last windows at each place; at the beginning over those that there are, not known as 0.

    Examples
    --------
    >>> trailing_mean(np.array([2.0, 4.0, 6.0]), 2)
    array([2., 3., 5.])
    """
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    place = np.arange(1, len(values) + 1)
    first = np.maximum(place - windows, 0)
    return np.asarray((total[place] - total[first]) / (place - first))


def host_data(store: ViewStore, host: int, start_ns: int) -> Data:
    """One metric of one host, in per cent; a window or two without a sample do not break the line."""
    columns: dict[str, Any] = store.samples.since(start_ns, host, ("value",))
    drawn = bridged(np.isfinite(columns["value"]), BRIDGED_WINDOWS)
    value = columns["value"].astype(np.float64) * 100
    return {"time": milliseconds(columns["time_ns"])[drawn], "value": value[drawn]}


def bridged(known: npt.NDArray[np.bool_], windows: int) -> npt.NDArray[np.bool_]:
    """Which windows a line has points in: the known, and of a gap what comes after so many windows.

    Examples
    --------
    >>> bridged(np.array([True, False, True, False, False, False]), 2).tolist()
    [True, False, True, False, False, True]
    """
    place = np.arange(len(known))
    last_known = np.maximum.accumulate(np.where(known, place, 0))
    return np.asarray(known | (place - last_known > windows))


def point_data(points: Points) -> Data:
    """Requests as dots: answered and failed ones apart."""
    latency = points.seconds.astype(np.float64) * 1000
    failed = points.failed
    return {
        "time": milliseconds(points.time_ns),
        "answered": np.where(failed, np.nan, latency),
        "failed": np.where(failed, latency, np.nan),
    }


def has_latency(p95: npt.ArrayLike, point_times: npt.ArrayLike) -> bool:
    """Whether there is a line or a dot to draw, or it is too early to say; access logs often tell no durations.

    Examples
    --------
    >>> has_latency([], []), has_latency(np.full(3, np.nan), [])
    (True, False)
    """
    line, dots = np.asarray(p95), np.asarray(point_times)
    return len(line) < FEW_WINDOWS or len(dots) > 0 or bool(np.isfinite(line).any())


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


def rows_after(data: Data, drawn: npt.NDArray[np.float64]) -> Data:
    """The rows later than the last of the times that are drawn."""
    begin = int(np.searchsorted(data["time"], drawn[-1], side="right")) if len(drawn) else 0
    return {name: column[begin:] for name, column in data.items()}


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
