"""Bounded histories in numpy: values per window and series, and single requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops_nb.core.growing import capacity_for
from aiops_nb.core.types import FloatArray, IntArray

MOST_WINDOWS = 90_000  # a day and a little more of windows of 1 s
FIRST_WINDOWS, FEWEST_WINDOWS = 1000, 20
Float32Array = npt.NDArray[np.float32]


class History:
    """Columns of values by window and series; the more series, the fewer windows are kept.

    Memory grows with what is kept, up to 8 bytes a cell and column.

    Parameters
    ----------
    names
        Of the columns.
    cells
        Bound on windows x series of one column.

    Examples
    --------
    >>> history = History(("rate_hz",), cells=1000)
    >>> history.append(1_000_000_000, {"rate_hz": np.array([2.0, 3.0])}, np.array([0, 1]))
    >>> history.since(0, 1, ("rate_hz",))
    {'time_ns': array([1000000000]), 'rate_hz': array([3.], dtype=float32)}
    """

    def __init__(self, names: tuple[str, ...], cells: int = 1_000_000) -> None:
        self.names, self._cells = names, cells
        self.length = 0
        self.appended_total = 0
        self._allocate(0, FIRST_WINDOWS)

    def _allocate(self, width: int, windows: int) -> None:
        self.width = width
        self.windows = min(max(self._cells // max(width, 1), FEWEST_WINDOWS), MOST_WINDOWS, windows)
        self._time = np.zeros(2 * self.windows, np.int64)
        self._values = {name: np.full((2 * self.windows, width), np.nan, np.float32) for name in self.names}

    def append(self, time_ns: int, values: Mapping[str, FloatArray], series: IntArray) -> None:
        """Add one window; `values` belong to these series, all others are not known."""
        self._make_room(int(series.max(initial=-1)) + 1)
        at = self.length
        self._time[at] = time_ns
        for name, column in values.items():
            self._values[name][at] = np.nan
            self._values[name][at, series] = column
        self.length += 1
        self.appended_total += 1

    def amend(self, values: Mapping[str, FloatArray], series: IntArray) -> None:
        """Add columns of the newest window; `values` belong to these series."""
        self._make_room(int(series.max(initial=-1)) + 1)
        for name, column in values.items():
            self._values[name][self.length - 1, series] = column

    def latest(self, name: str) -> Float32Array:
        """Values of the last window, (width,); NaN where not known."""
        newest: Float32Array = self._values[name][max(self.length - 1, 0)]
        return newest

    def recent_mean(self, name: str, windows: int) -> Float32Array:
        """Mean of each series over the last windows in which it is known, (width,); NaN where it is in none."""
        rows = self._values[name][max(self.length - windows, 0) : self.length]
        known = np.isfinite(rows)
        count = known.sum(axis=0)
        total = np.where(known, rows, 0).sum(axis=0, dtype=np.float32)
        mean: Float32Array = np.where(count, total / np.maximum(count, 1), np.nan).astype(np.float32)
        return mean

    def run_lengths(self, known: str, unknown: str, windows: int) -> IntArray:
        """For how many of the last windows, in a row, each series has a value in one column and none in another."""
        rows = slice(max(self.length - windows, 0), self.length)
        holds = np.isfinite(self._values[known][rows]) & ~np.isfinite(self._values[unknown][rows])
        backwards = np.logical_and.accumulate(holds[::-1], axis=0)
        length: IntArray = backwards.sum(axis=0, dtype=np.int64)
        return length

    def starts_after(self, time_ns: int) -> bool:
        """Whether the first window that was ever added is kept, and ends at this time or later."""
        return self.length == self.appended_total and self.length > 0 and int(self._time[0]) >= time_ns

    def since(self, start_ns: int, series: int, names: tuple[str, ...]) -> dict[str, npt.NDArray[np.generic]]:
        """Copies of the columns of one series from the first window that ends at or after `start_ns`."""
        first = int(np.searchsorted(self._time[: self.length], start_ns))
        columns: dict[str, npt.NDArray[np.generic]] = {"time_ns": self._time[first : self.length].copy()}
        known = series < self.width
        for name in names:
            column = self._values[name][first : self.length, series] if known else np.full(self.length - first, np.nan)
            columns[name] = column.copy()
        return columns

    def between(self, start_ns: int, end_ns: int, names: tuple[str, ...]) -> tuple[IntArray, dict[str, Float32Array]]:
        """Ends of the windows between two times, and their columns, (windows, width); views, not copies."""
        first, last = np.searchsorted(self._time[: self.length], [start_ns, end_ns + 1])
        return self._time[first:last], {name: self._values[name][first:last] for name in names}

    def _make_room(self, count: int) -> None:
        if count > self.width:
            self._move(capacity_for(count, self.width or 16), self.windows)
        elif self.length == len(self._time):
            self._move(self.width, 2 * self.windows)

    def _move(self, width: int, windows: int) -> None:
        time, values, old, length = self._time, self._values, self.width, self.length
        self._allocate(width, windows)
        self.length = min(length, self.windows)
        self._time[: self.length] = time[length - self.length : length]
        for name in self.names:
            self._values[name][: self.length, :old] = values[name][length - self.length : length]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Single requests: series, UTC ns, seconds, status (0: none), error kind (0: none)."""

    series: npt.NDArray[np.int32]
    time_ns: IntArray
    seconds: Float32Array
    status: npt.NDArray[np.int16]
    error: npt.NDArray[np.int8]

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_] | slice) -> Points:
        """These rows."""
        return Points(
            series=self.series[rows],
            time_ns=self.time_ns[rows],
            seconds=self.seconds[rows],
            status=self.status[rows],
            error=self.error[rows],
        )

    @property
    def failed(self) -> npt.NDArray[np.bool_]:
        """Whether no answer came, or a 5xx."""
        failed: npt.NDArray[np.bool_] = (self.error != 0) | (self.status >= 500)
        return failed

    @classmethod
    def joined(cls, parts: list[Points]) -> Points:
        """All rows of the parts in order."""
        return Points(
            series=np.concatenate([part.series for part in parts]),
            time_ns=np.concatenate([part.time_ns for part in parts]),
            seconds=np.concatenate([part.seconds for part in parts]),
            status=np.concatenate([part.status for part in parts]),
            error=np.concatenate([part.error for part in parts]),
        )

    @classmethod
    def none(cls) -> Points:
        """No rows."""
        return Points(
            series=np.zeros(0, np.int32),
            time_ns=np.zeros(0, np.int64),
            seconds=np.zeros(0, np.float32),
            status=np.zeros(0, np.int16),
            error=np.zeros(0, np.int8),
        )


def extremes(points: Points, group: IntArray) -> Points:
    """The quickest and the slowest request of each group, in their order; groups of up to two stay whole.

    Examples
    --------
    >>> ten = Points(
    ...     series=np.zeros(10, np.int32), time_ns=np.arange(10), seconds=np.arange(10, dtype=np.float32),
    ...     status=np.full(10, 200, np.int16), error=np.zeros(10, np.int8),
    ... )
    >>> extremes(ten, np.zeros(10, np.int64)).time_ns
    array([0, 9])
    """
    if len(group) == 0:
        return points
    order = np.lexsort((points.seconds, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=group[order[0]] - 1))
    ends = np.append(starts[1:], len(order)) - 1
    return points.take(np.unique(np.concatenate([order[starts], order[ends]])))


class PointRing:
    """The last requests of all series together, thinned before they come in."""

    def __init__(self, capacity: int = 200_000) -> None:
        self._capacity = capacity
        self._parts: list[Points] = []
        self._rows = 0

    def append(self, points: Points) -> None:
        """Add rows; the oldest go."""
        self._parts.append(points)
        self._rows += len(points.time_ns)
        if self._rows > 2 * self._capacity or len(self._parts) > 256:
            self._join()

    def of(self, series: int, start_ns: int) -> Points:
        """Rows of one series since `start_ns`."""
        whole = self._join()
        return whole.take((whole.series == series) & (whole.time_ns >= start_ns))

    def _join(self) -> Points:
        whole = Points.joined(self._parts).take(slice(-self._capacity, None)) if self._parts else Points.none()
        self._parts, self._rows = [whole], len(whole.time_ns)
        return whole
