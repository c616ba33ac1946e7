"""Windows in a row that are closed at once: their totals and rows side by side, for the compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.types import Int32Array, IntArray
from aiops_nb.features.requests.histogram import BinArray, BinnedRows
from aiops_nb.features.requests.rows import RequestRows
from aiops_nb.features.requests.totals import Totals, WholeArray

SMALL = ("count", "errors", "failed", "status_4xx", "status_5xx", "status_429", "timed")
LARGE = ("micros", "square_high", "square_low")


@dataclass(frozen=True, slots=True)
class BinnedWindows:
    """Bin and series of rows, window by window; those of window `w` are at [offsets[w], offsets[w + 1])."""

    bins: BinArray
    series: Int32Array
    offsets: IntArray

    @classmethod
    def of(cls, parts: Sequence[BinnedRows]) -> BinnedWindows:
        """The rows of each window.

        Examples
        --------
        >>> one, none = ((np.zeros(rows, np.int16), np.zeros(rows, np.int32)) for rows in (1, 0))
        >>> BinnedWindows.of([one, none, one]).offsets.tolist()
        [0, 1, 1, 2]
        """
        offsets = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(bins) for bins, _ in parts], out=offsets[1:])
        return cls(np.concatenate([bins for bins, _ in parts]), np.concatenate([rows for _, rows in parts]), offsets)

    def at(self, place: int) -> BinnedRows:
        """The rows of one window."""
        first, last = self.offsets[place : place + 2].tolist()
        return self.bins[first:last], self.series[first:last]

    def whole(self) -> tuple[BinArray, Int32Array, IntArray]:
        """The arrays, in the order in which the compiled kernel takes them."""
        return self.bins, self.series, self.offsets


class WindowTotals:
    """Totals of n series in each of w windows, (w, n) each."""

    def __init__(self, windows: int, series: int) -> None:
        self._small = np.zeros((len(SMALL), windows, series), np.int32)
        self._large = np.zeros((len(LARGE), windows, series), np.int64)

    def array(self, name: str) -> WholeArray:
        """One total of every window and series, (w, n)."""
        array: WholeArray = self._small[SMALL.index(name)] if name in SMALL else self._large[LARGE.index(name)]
        return array

    def whole(self) -> tuple[WholeArray, ...]:
        """The arrays, in the order in which the compiled kernel takes them."""
        return tuple([self.array(name) for name in Totals.__slots__])

    def add(self, place: int, totals: Totals) -> None:
        """Add what was counted in one window before."""
        for name, array in totals.arrays():
            count = min(len(array), self._small.shape[2])
            self.array(name)[place, :count] += array[:count]

    def count(self, rows: RequestRows, place: IntArray) -> BinnedWindows:
        """Count rows whose window has that place, which rises from row to row; gives those with a duration."""
        assert kernel.compiled is not None
        _, windows, series = self._small.shape
        cell, count = place * series + rows.series, len(place)
        bins, binned = np.empty(count, np.int16), np.empty(count, np.int32)
        status = rows.status_code.astype(np.int16, copy=False)
        columns = cell, np.ascontiguousarray(status), rows.failed, rows.duration_seconds
        totals = (array.reshape(-1) for array in self.whole())
        counted = kernel.compiled.count_rows(*totals, *columns, bins, binned)
        bins, binned = bins[:counted], binned[:counted]
        offsets = np.searchsorted(binned, np.arange(windows + 1) * series)
        binned %= series
        return BinnedWindows(bins, binned, offsets)

    def at(self, place: int) -> Totals:
        """The totals of one window; they are views."""
        return Totals.of([array[place] for array in self.whole()])

    def each(self) -> Iterator[Totals]:
        """The totals of each window in turn."""
        return map(Totals.of, zip(*self.whole(), strict=True))


@dataclass(frozen=True, slots=True)
class ClosedWindows:
    """What entered and left the span while windows in a row were closed; see `Movement` for one window."""

    totals: WindowTotals
    leaving: tuple[bytes | None, ...]
    entering_rows: BinnedWindows
    leaving_rows: BinnedWindows


def by_window(rows: RequestRows, first: int) -> tuple[RequestRows, IntArray]:
    """The rows window by window, in stream order within each, and the place of each row's window."""
    place = rows.window - first
    if len(place) > 1 and (place[1:] < place[:-1]).any():
        order = np.argsort(place, kind="stable")
        return rows.take(order), place[order]
    return rows, place
