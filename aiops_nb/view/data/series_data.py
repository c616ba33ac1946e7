"""What the charts draw of each series, taken from the store: bounded, and in the charts' units."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.view.data.ring_buffers import Points, extremes
from aiops_nb.view.data.store import REQUEST_COLUMNS, ViewStore

LINE_COLUMNS = ("time", "p95", "expected", "lower", "upper", "anomaly", "rate", "error", "error_anomaly")
BAND_COLUMNS = ("band_lower", "band_upper")
HOST_COLUMNS = ("time", "value", "fill")
POINT_COLUMNS = ("time", "answered", "failed")
MOST_POINTS = 2000
RATE_WINDOWS = 10
FEW_WINDOWS = 3
GAP_STEPS = 2.5  # of the typical distance: one row may be late or missing without an interruption of the line
BREAK_MS = 1.0
Data = dict[str, Any]
Floats = npt.NDArray[np.float64]
_SCALE = {"p95": 1000, "expected": 1000, "lower": 1000, "upper": 1000, "anomaly": 1000, "error": 100}
_SCALE |= {"error_anomaly": 100, "rate": 1}


def line_data(store: ViewStore, series: int, start_ns: int) -> Data:
    """Lines of one target: ms, requests per second, per cent; interrupted where the monitor was stopped."""
    columns: dict[str, Any] = store.requests.since(start_ns, series, REQUEST_COLUMNS)
    data: Data = {"time": milliseconds(columns["time_ns"])}
    for name in LINE_COLUMNS[1:]:
        data[name] = columns[name].astype(np.float64) * _SCALE[name]
    gaps = gaps_in(data["time"])
    first = [0] if store.requests.starts_after(start_ns) else []
    data["rate"] = mean_rate(data["rate"], [*first, *gaps.tolist()])
    bounded = np.isfinite(data["upper"])  # a detector that only limits slowness has no lower bound: time has
    data["lower"] = np.where(bounded, np.fmax(data["lower"], 0.0), np.nan)
    data |= {name: flat_where_unknown(data[name.removeprefix("band_")]) for name in BAND_COLUMNS}
    return with_breaks(data, gaps, flat=BAND_COLUMNS)


def gaps_in(time: Floats) -> npt.NDArray[np.intp]:
    """Indices of the rows that follow a gap: much later than the typical distance after the row before.

    Examples
    --------
    >>> gaps_in(np.array([0.0, 1e3, 2e3, 9e3, 10e3, 12e3])), gaps_in(np.array([0.0, 5e3, 10e3]))
    (array([3]), array([], dtype=int64))
    """
    steps = np.diff(time)
    return np.flatnonzero(steps > GAP_STEPS * np.median(steps)) + 1 if len(steps) > 1 else np.zeros(0, np.intp)


def with_breaks(data: Data, gaps: npt.NDArray[np.intp], flat: Sequence[str] = ()) -> Data:
    """Data with two rows in each gap at which lines end: NaN, but 0 in the `flat` columns that an area is drawn from.

    An area would be drawn across NaN; between two rows at 0 it has no height.

    Examples
    --------
    >>> data = with_breaks({"time": np.array([1e3, 9e3]), "y": np.ones(2), "fill": np.ones(2)}, np.array([1]), ["fill"])
    >>> data["time"].tolist(), data["y"].tolist(), data["fill"].tolist()
    ([1000.0, 1001.0, 8999.0, 9000.0], [1.0, nan, nan, 1.0], [1.0, 0.0, 0.0, 1.0])
    """
    if not len(gaps):
        return data
    time, at = data["time"], np.repeat(gaps, 2)
    breaks = np.column_stack([time[gaps - 1] + BREAK_MS, time[gaps] - BREAK_MS]).ravel()
    broken: Data = {name: np.insert(data[name], at, 0.0 if name in flat else np.nan) for name in data if name != "time"}
    return {"time": np.insert(time, at, breaks), **broken}


def flat_where_unknown(values: Floats) -> Floats:
    """Values for an area, 0 where they are not known; those before the first known one stay NaN.

    Examples
    --------
    >>> flat_where_unknown(np.array([np.nan, 2.0, np.nan, 3.0])).tolist()
    [nan, 2.0, 0.0, 3.0]
    """
    known = np.isfinite(values)
    started = np.logical_or.accumulate(known)
    return np.where(known, values, np.where(started, 0.0, np.nan))


def mean_rate(rate: Floats, starts: Sequence[int]) -> Floats:
    """Mean over the last 10 windows, begun again at each of the `starts`: there, unknown until the first request.

    Examples
    --------
    >>> mean_rate(np.array([0.0, 2.0, 4.0, 0.0, 6.0]), [0, 3]).tolist()
    [nan, 2.0, 3.0, nan, 6.0]
    >>> mean_rate(np.array([0.0, 2.0]), []).tolist()
    [0.0, 1.0]
    """
    mean = trailing_mean(rate, RATE_WINDOWS)
    for first, end in pairwise([*starts, len(rate)]):
        waited = int(np.argmax(rate[first:end] > 0))  # 0, too, if there was no request: then the rate is 0
        begun = first + (waited if waited < RATE_WINDOWS else 0)
        mean[first:begun] = np.nan
        mean[begun:end] = trailing_mean(rate[begun:end], RATE_WINDOWS)
    return mean


def trailing_mean(values: Floats, windows: int) -> Floats:
    """Mean over the last windows at each place; at the start over those that there are, unknown values as 0.

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
    """One metric of one host, in per cent, at the distance of its own samples; interrupted where there are none."""
    columns: dict[str, Any] = store.samples.since(start_ns, host, ("value",))
    known = np.isfinite(columns["value"])
    time = milliseconds(columns["time_ns"])
    stops = time[gaps_in(time)]
    time, value = time[known], columns["value"][known].astype(np.float64) * 100
    gaps = np.union1d(gaps_in(time), np.setdiff1d(np.searchsorted(time, stops), [0, len(time)]))
    return with_breaks({"time": time, "value": value, "fill": value}, gaps, flat=["fill"])


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
    """Whether there is a line or a dot to draw, or it is too early to say; many access logs hold no durations.

    Examples
    --------
    >>> has_latency([], []), has_latency(np.full(3, np.nan), [])
    (True, False)
    """
    line, dots = np.asarray(p95), np.asarray(point_times)
    return len(line) < FEW_WINDOWS or len(dots) > 0 or bool(np.isfinite(line).any())


def all_points(store: ViewStore, series: int, start_ns: int, end_ns: int, most: int = MOST_POINTS // 2) -> Points:
    """Requests of one target in a time range; of many, the quickest and slowest of equal stretches of time."""
    points = store.points.of(series, start_ns)
    points = points.take(points.time_ns <= end_ns) if end_ns < store.newest_ns else points
    if len(points.time_ns) <= most:
        return points
    stretch = max(1, (end_ns - start_ns) // (most // 2))
    return extremes(points, (points.time_ns - start_ns) // stretch)


def rows_after(data: Data, drawn: npt.NDArray[np.float64]) -> Data:
    """The rows later than the last of the times that are drawn."""
    begin = int(np.searchsorted(data["time"], drawn[-1], side="right")) if len(drawn) else 0
    return {name: column[begin:] for name, column in data.items()}


def rows_until(data: Data, end_ms: float) -> Data:
    """The rows up to a time, which Bokeh counts in ms."""
    end = int(np.searchsorted(data["time"], end_ms, side="right"))
    return {name: column[:end] for name, column in data.items()}


def calm_end(largest: float, least: float) -> float:
    """End of a value axis that seldom moves: 1, 2 or 5 times a power of ten, above the largest value.

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
