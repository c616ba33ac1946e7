"""Sliding quantiles of many series at once: a histogram with bins of equal ratio.

The idea is that of DDSketch (Masson, Rim, Lee 2019), with bins read from the bits of the float, so they are exact and
the same on every machine. By hand: the ddsketch package is one Python object a series and takes a value a call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aiops_nb.core.growing import parts_of, widened
from aiops_nb.core.types import FloatArray, Int32Array, IntArray

BinArray = npt.NDArray[np.int16]
FineArray: TypeAlias = npt.NDArray[np.uint16] | npt.NDArray[np.int32]
IntegerArray: TypeAlias = npt.NDArray[np.integer]
BinnedRows = tuple[BinArray, Int32Array]
"""Bin and series of each row."""
BINS_PER_OCTAVE_LOG2 = 4
LOWEST_EXPONENT = -13  # 122 us
OCTAVES = 19  # up to 64 s
BINS_PER_OCTAVE = 1 << BINS_PER_OCTAVE_LOG2
BINS = OCTAVES * BINS_PER_OCTAVE
RELATIVE_ERROR = 0.5 / (1 << BINS_PER_OCTAVE_LOG2)

MOST_NARROW = np.iinfo(np.uint16).max
FEWEST_BACKING, MOST_BACKING, VALUES_A_BACKING = 3, 8, 8

_FIRST = (1023 + LOWEST_EXPONENT) << BINS_PER_OCTAVE_LOG2
_SHIFT = 52 - BINS_PER_OCTAVE_LOG2
_STEPS = np.arange(BINS)
MIDDLES = np.ldexp(
    1 + ((_STEPS & ((1 << BINS_PER_OCTAVE_LOG2) - 1)) + 0.5) / (1 << BINS_PER_OCTAVE_LOG2),
    LOWEST_EXPONENT + (_STEPS >> BINS_PER_OCTAVE_LOG2),
)


def bin_of(values: FloatArray) -> IntArray:
    """Bin of each value >= 0: exponent and leading mantissa bits; values outside 122 us to 64 s go to the end bins.

    Examples
    --------
    >>> bin_of(np.array([0.0, 0.001, 0.001, 1e9])).tolist()
    [0, 48, 48, 303]
    """
    bits = np.ascontiguousarray(values, np.float64).view(np.int64)
    bins: IntArray = np.clip((bits >> _SHIFT) - _FIRST, 0, BINS - 1)
    return bins


class Counts:
    """Counts by (series, bin) and, so that quantiles need not look at every bin, by (octave, series).

    The bins of one octave of a series lie in one line of the processor's cache.
    """

    def __init__(self, capacity: int, *, narrow: bool = False) -> None:
        shape = capacity, BINS
        self._fine: FineArray = np.zeros(shape, np.uint16) if narrow else np.zeros(shape, np.int32)
        self._most = 0  # no series has counted more rows
        self._coarse = np.zeros((OCTAVES, capacity), np.int32)

    def grow(self, capacity: int) -> None:
        """Make room for more series."""
        self._fine.resize((capacity, BINS), refcheck=False)  # pages are moved, not copied; no view outlives a call
        self._coarse = widened(self._coarse, capacity)

    @property
    def arrays(self) -> tuple[int, FineArray, Int32Array]:
        """Bytes of a count, counts by (series, bin) and by (octave, series): the compiled kernel counts in them."""
        return self._fine.itemsize, self._fine, self._coarse

    def expect(self, series: Int32Array) -> None:
        """Make the counts wide enough for these rows, which are to be counted."""
        if self._fine.dtype != np.uint16:
            return
        self._most += len(series)
        if self._most > MOST_NARROW:
            self._most = int(self._coarse.sum(axis=0).max(initial=0)) + int(np.bincount(series).max(initial=0))
            if self._most > MOST_NARROW:
                self._fine = self._fine.astype(np.int32)

    def add(self, bins: BinArray, series: Int32Array, sign: int) -> None:
        """Count the rows, or take them away."""
        if sign > 0:
            self.expect(series)
        _tally(self._fine, series, bins, sign)
        _tally(self._coarse, bins >> BINS_PER_OCTAVE_LOG2, series, sign)

    def quantiles(self, ratios: tuple[float, ...], count: int) -> FloatArray:
        """Quantiles of the first `count` series, (len(ratios), count); NaN where nothing was counted.

        Of n values it is the one at rank 1 + floor(ratio (n - 1)), so that a single slow one of a few is no p95 yet.
        """
        coarse = self._by_octave(count)
        return self._at_ranks(_ranks(ratios, coarse[-1]), coarse)

    def quantiles_and_backed(self, ratios: tuple[float, ...], count: int) -> FloatArray:
        """The same, and last the value that `slow_enough` values reach, NaN of fewer; (len(ratios) + 1, count)."""
        coarse = self._by_octave(count)
        backed = coarse[-1] - slow_enough(coarse[-1]) + 1
        ranks = np.concatenate([_ranks(ratios, coarse[-1]), np.maximum(backed, 1)[None]])
        values = self._at_ranks(ranks.astype(np.int32), coarse)
        values[-1, backed <= 0] = np.nan
        return values

    def _by_octave(self, count: int) -> Int32Array:
        """Counts before each octave, and of all at the end, (OCTAVES + 1, count)."""
        before = np.zeros((OCTAVES + 1, count), np.int32)
        np.cumsum(self._coarse[:, :count], axis=0, out=before[1:])
        return before

    def _at_ranks(self, rank: Int32Array, coarse: Int32Array) -> FloatArray:
        """Values at ranks from 1 on, both (ranks, count); NaN where nothing was counted."""
        values = np.empty(rank.shape)
        for part in parts_of(rank.shape[1]):
            bins = _bins_at(self._fine[part], coarse[:, part], rank[:, part])
            values[:, part] = np.where(coarse[-1, part] > 0, MIDDLES[bins], np.nan)
        return values


def slow_enough(total: IntArray) -> IntArray:
    """How many of so many values must be high before it is no chance: three of eight, eight of 41 or more.

    Examples
    --------
    >>> slow_enough(np.array([6, 8, 9, 41, 1000])).tolist()
    [3, 3, 4, 8, 8]
    """
    enough: IntArray = np.minimum(MOST_BACKING, FEWEST_BACKING + (total - 1) // VALUES_A_BACKING)
    return enough


def _ranks(ratios: tuple[float, ...], total: Int32Array) -> Int32Array:
    ranks: Int32Array = (1 + np.floor(np.array(ratios)[:, None] * np.maximum(total - 1, 0))).astype(np.int32)
    return ranks


def _tally(counts: FineArray | Int32Array, rows: IntegerArray, columns: IntegerArray, sign: int) -> None:
    cells = rows * np.int64(counts.shape[1]) + columns
    move = np.add if sign > 0 else np.subtract
    move.at(counts.reshape(-1), cells, counts.dtype.type(1))


def _bins_at(fine: FineArray, coarse: Int32Array, rank: Int32Array) -> IntArray:
    series = np.arange(rank.shape[1])
    octave = (coarse[1:-1, None] < rank).sum(axis=0, dtype=np.uint8).astype(np.int64)
    within = fine.reshape(-1, BINS_PER_OCTAVE).take(series * OCTAVES + octave, axis=0)
    bins: IntArray = octave * BINS_PER_OCTAVE + _steps(within, rank - coarse[octave, series])
    return bins


def _steps(counts: FineArray, rank: Int32Array) -> npt.NDArray[np.uint8]:
    """How many of the counts (..., bins) end before the rank (...), at most all but one."""
    left = rank.copy()
    steps = np.zeros(rank.shape, np.uint8)
    for place in range(counts.shape[-1] - 1):
        left -= counts[..., place]
        steps += left > 0
    return steps


class SlidingHistogram:
    """Histogram of each series over the last `span_ticks` closed windows.

    Memory: 2 * BINS + 4 * OCTAVES bytes a series, 2 * BINS more once a series has 65,536 rows in the span, and 6 bytes
    a row of the span. Cost of a tick: O(series + rows).
    Quantiles are off by at most `RELATIVE_ERROR` (3.1 %) of the value.
    """

    def __init__(self, span_ticks: int, capacity: int) -> None:
        self._span_ticks = span_ticks
        self._counts = Counts(capacity, narrow=True)
        self._open: dict[int, list[BinnedRows]] = {}
        self._closed: deque[BinnedRows] = deque()

    def grow(self, capacity: int) -> None:
        """Make room for more series."""
        self._counts.grow(capacity)

    def add(self, window: int, series: IntArray, values: FloatArray) -> None:
        """Take the rows of one open window."""
        rows = bin_of(values).astype(np.int16), series.astype(np.int32)
        self._open.setdefault(window, []).append(rows)

    def add_binned(self, window: int, rows: BinnedRows) -> None:
        """Take the rows of one open window whose bins are known."""
        self._open.setdefault(window, []).append(rows)

    def close(self, window: int) -> tuple[BinnedRows, BinnedRows]:
        """The window's rows enter the span, those of the oldest leave it; gives both."""
        entering, leaving = self.move_on(window)
        self._counts.add(*entering, 1)
        self._counts.add(*leaving, -1)
        return entering, leaving

    def move_on(self, window: int) -> tuple[BinnedRows, BinnedRows]:
        """The same for a caller that counts the rows itself, after `expect`."""
        entering, leaving = _stacked(self._open.pop(window, [])), NO_ROWS
        self._closed.append(entering)
        if len(self._closed) > self._span_ticks:
            leaving = self._closed.popleft()
        return entering, leaving

    def expect(self, series: Int32Array) -> None:
        """See `Counts.expect`."""
        self._counts.expect(series)

    def take_open(self, window: int) -> BinnedRows:
        """The rows of an open window, which is then no longer open."""
        return _stacked(self._open.pop(window, []))

    def enter(self, entering: Sequence[BinnedRows]) -> list[BinnedRows]:
        """The rows of windows in a row enter the span, for a caller that counts them itself; gives those that leave."""
        leaving = []
        for rows in entering:
            self._closed.append(rows)
            leaving.append(self._closed.popleft() if len(self._closed) > self._span_ticks else NO_ROWS)
            self._counts.expect(rows[1])
        return leaving

    @property
    def arrays(self) -> tuple[int, FineArray, Int32Array]:
        """See `Counts.arrays`."""
        return self._counts.arrays

    def quantiles(self, ratios: tuple[float, ...], count: int) -> FloatArray:
        """Quantiles of the first `count` series, (len(ratios), count); NaN where the span is empty."""
        return self._counts.quantiles(ratios, count)

    def quantiles_and_backed(self, ratios: tuple[float, ...], count: int) -> FloatArray:
        """See `Counts.quantiles_and_backed`."""
        return self._counts.quantiles_and_backed(ratios, count)


NO_ROWS: BinnedRows = np.empty(0, np.int16), np.empty(0, np.int32)


def _stacked(parts: list[BinnedRows]) -> BinnedRows:
    if not parts:
        return NO_ROWS
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([bins for bins, _ in parts]), np.concatenate([series for _, series in parts])
