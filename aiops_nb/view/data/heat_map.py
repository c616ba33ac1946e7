"""All targets over time as one picture: a row for each, the worst first, a cell for each stretch of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops_nb.core.types import NS_PER_SECOND, FloatArray, IntArray
from aiops_nb.view.data.store import ViewStore

MOST_ROWS = 1000
MOST_COLUMNS = 120
UNKNOWN, CALM, SLOW, FAILING, ANOMALOUS = range(5)
SLOW_RATIO = 0.75  # of the way from the expected value to its limit
FAILING_RATIO = 0.05
Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Levels, (rows, columns), of `series`, the worst first; columns begin at `times_ns`."""

    series: list[int]
    times_ns: IntArray
    levels: Levels


def levels_of(columns: dict[str, npt.NDArray[np.float32]]) -> Levels:
    """How each window of each series was: unknown, calm, near its limit, failing, anomalous.

    Examples
    --------
    >>> p95, nan = np.array([[0.1, 0.19, 0.1, 0.5, np.nan]], np.float32), np.full((1, 5), np.nan, np.float32)
    >>> band = {"expected": np.full((1, 5), 0.1, np.float32), "upper": np.full((1, 5), 0.2, np.float32)}
    >>> marks = {"anomaly": np.where(p95 > 0.3, p95, nan), "error_anomaly": nan}
    >>> levels_of({"p95": p95, **band, **marks, "error": np.array([[0, 0, 0.5, 0, np.nan]], np.float32)}).tolist()
    [[1, 2, 3, 4, 0]]
    """
    known = np.isfinite(columns["p95"]) | np.isfinite(columns["error"])
    limit = columns["expected"] + SLOW_RATIO * (columns["upper"] - columns["expected"])
    levels = np.where(known, CALM, UNKNOWN).astype(np.uint8)
    levels[columns["p95"] > limit] = SLOW
    levels[columns["error"] >= FAILING_RATIO] = FAILING
    levels[np.isfinite(columns["anomaly"]) | np.isfinite(columns["error_anomaly"])] = ANOMALOUS
    return levels


def heat_map(
    store: ViewStore, chosen: list[int], start_ns: int, end_ns: int, trouble: FloatArray | None = None
) -> HeatMap:
    """The worst level of each series in each of at most 120 stretches of time.

    Parameters
    ----------
    store
        Holds the windows.
    chosen
        Numbers of the series, in any order; at most 1,000 of the worst are shown.
    start_ns, end_ns
        Bounds of the time.
    trouble
        Of each series, such as the severity of its alerts: who has more comes first. None: nobody has any.
    """
    names = ("p95", "expected", "upper", "error", "anomaly", "error_anomaly")
    time, columns = store.requests.between(start_ns, end_ns, names)
    if not len(time) or not chosen:
        return HeatMap(series=[], times_ns=np.zeros(0, np.int64), levels=np.zeros((0, 0), np.uint8))
    levels = levels_of(columns)
    length = max(end_ns - start_ns, NS_PER_SECOND)
    stretch = np.clip((time - start_ns) * MOST_COLUMNS // length, 0, MOST_COLUMNS - 1)
    starts = np.flatnonzero(np.diff(stretch, prepend=-1))
    joined = np.maximum.reduceat(levels, starts, axis=0).T
    known = [series for series in chosen if series < joined.shape[0]]
    now = np.zeros(len(known)) if trouble is None else np.array([trouble[one] for one in known])
    order = _worst_first(joined[known], now)[:MOST_ROWS]
    series = [known[place] for place in order.tolist()]
    return HeatMap(series=series, times_ns=time[starts], levels=np.ascontiguousarray(joined[series]))


def _worst_first(levels: Levels, trouble: FloatArray) -> IntArray:
    """Rows by their trouble, by what they are now, and by how much of the time was bad; equal ones in their order."""
    now = levels[:, -5:].max(axis=1, initial=0).astype(np.int64)
    bad = (levels >= FAILING).sum(axis=1)
    order: IntArray = np.lexsort((np.arange(len(levels)), -bad, -now, -trouble))
    return order
