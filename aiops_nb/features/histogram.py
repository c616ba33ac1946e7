"""Sliding quantiles of many series at once: a histogram with bins of equal ratio.

The idea is that of DDSketch (Masson, Rim, Lee 2019), with bins read from the bits of the float, so they are exact and
the same on every machine.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from aiops_nb.core.growing import widened
from aiops_nb.core.types import FloatArray, Int32Array, IntArray

BINS_PER_OCTAVE_LOG2 = 4
LOWEST_EXPONENT = -13  # 122 us
OCTAVES = 19  # up to 64 s
BINS = OCTAVES << BINS_PER_OCTAVE_LOG2
RELATIVE_ERROR = 0.5 / (1 << BINS_PER_OCTAVE_LOG2)

_FIRST = (1023 + LOWEST_EXPONENT) << BINS_PER_OCTAVE_LOG2
_SHIFT = 52 - BINS_PER_OCTAVE_LOG2
_STEPS = np.arange(BINS)
_MIDDLES = np.ldexp(
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


class SlidingHistogram:
    """Histogram of each series over the last `span_ticks` closed windows.

    Memory: 4 * BINS bytes a series and 4 bytes a row of the span. Cost of a tick: O(series * BINS + rows).
    Quantiles are off by at most `RELATIVE_ERROR` (3.1 %) of the value, half of that typically.
    """

    def __init__(self, span_ticks: int, capacity: int) -> None:
        self._span_ticks = span_ticks
        self._counts = np.zeros(capacity * BINS, np.int32)
        self._open: dict[int, list[Int32Array]] = {}
        self._closed: deque[Int32Array] = deque()

    def grow(self, capacity: int) -> None:
        """Make room for more series."""
        self._counts = widened(self._counts, capacity * BINS)

    def add(self, window: int, series: IntArray, values: FloatArray) -> None:
        """Take the rows of one open window."""
        self._open.setdefault(window, []).append((series * BINS + bin_of(values)).astype(np.int32))

    def close(self, window: int) -> None:
        """The window's rows enter the span; those of the oldest leave it."""
        parts = self._open.pop(window, [])
        cells = np.concatenate(parts) if parts else np.empty(0, np.int32)
        self._tally(cells, 1)
        self._closed.append(cells)
        if len(self._closed) > self._span_ticks:
            self._tally(self._closed.popleft(), -1)

    def _tally(self, cells: Int32Array, sign: int) -> None:
        if len(cells) * 8 < len(self._counts):
            np.add.at(self._counts, cells, np.int32(sign))
        else:
            self._counts += (sign * np.bincount(cells, minlength=len(self._counts))).astype(np.int32)

    def quantiles(self, ratios: tuple[float, ...], count: int) -> FloatArray:
        """Quantiles of the first `count` series, (len(ratios), count); NaN where the span is empty."""
        cumulated = np.cumsum(self._counts[: count * BINS], dtype=np.int64)
        upto = cumulated[BINS - 1 :: BINS]
        before = np.concatenate(([0], upto[:-1]))
        total = upto - before
        ranks = before + np.maximum(np.ceil(np.multiply.outer(ratios, total)), 1)
        bins = np.searchsorted(cumulated, ranks.ravel()).reshape(ranks.shape) % BINS
        return np.where(total > 0, _MIDDLES[bins], np.nan)
