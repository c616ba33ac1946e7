"""Whole-number totals of request series: exact, so that neither order nor cutting can matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aiops_nb import kernel
from aiops_nb.core.growing import widened
from aiops_nb.core.types import FloatArray, Int32Array, IntArray
from aiops_nb.features.accumulate import count_into, count_where, sum_into
from aiops_nb.features.requests.rows import RequestRows

WholeArray = npt.NDArray[np.integer]
LONGEST_DURATION_SECONDS = 2000.0
LIMB_BITS = 32
TOO_MANY_REQUESTS = 429
NARROW = {kind: np.iinfo(kind).max for kind in (np.uint8, np.uint16, np.uint32)}


def micros_of(seconds: FloatArray) -> IntArray:
    """Whole microseconds, at most 2000 s of them, so that a sum of a million rows is exact."""
    micros: IntArray = np.rint(np.minimum(seconds, LONGEST_DURATION_SECONDS) * 1e6).astype(np.int64)
    return micros


def narrowed(array: WholeArray) -> WholeArray:
    """A copy in the narrowest type that holds its numbers, all of them >= 0.

    Examples
    --------
    >>> narrowed(np.array([1, 300])).dtype
    dtype('uint16')
    """
    largest = int(array.max(initial=0))
    kind = next((one for one, most in NARROW.items() if largest <= most), None)
    return array.copy() if kind is None else array.astype(kind)


class Totals:
    """Totals of each series; durations in microseconds, their squares in two limbs (one would overflow)."""

    __slots__ = (
        "count",
        "errors",
        "failed",
        "micros",
        "square_high",
        "square_low",
        "status_4xx",
        "status_5xx",
        "status_429",
        "timed",
    )

    def __init__(self, capacity: int) -> None:
        self.count, self.errors, self.failed, self.timed = (np.zeros(capacity, np.int32) for _ in range(4))
        self.status_4xx, self.status_429, self.status_5xx = (np.zeros(capacity, np.int32) for _ in range(3))
        self.micros, self.square_low, self.square_high = (np.zeros(capacity, np.int64) for _ in range(3))

    @classmethod
    def of(cls, arrays: Sequence[WholeArray]) -> Totals:
        """Totals in these arrays, in the order of the names."""
        totals = cls.__new__(cls)
        for name, array in zip(cls.__slots__, arrays, strict=True):
            setattr(totals, name, array)
        return totals

    def arrays(self) -> list[tuple[str, WholeArray]]:
        """Name and array of each total."""
        return [(name, getattr(self, name)) for name in self.__slots__]

    def grow(self, capacity: int) -> None:
        """Make room for more series."""
        for name, array in self.arrays():
            setattr(self, name, widened(array, capacity))

    def whole(self) -> tuple[WholeArray, ...]:
        """The arrays, in the order in which the compiled kernel takes them."""
        return tuple([getattr(self, name) for name in self.__slots__])

    def cut(self, count: int) -> None:
        """Keep the first `count` series; nothing is added from now on."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name)[:count])

    def trim(self, count: int) -> None:
        """Keep the first `count` series, in as little room as their numbers need; nothing is added from now on."""
        for name, array in self.arrays():
            setattr(self, name, narrowed(array[:count]))

    def move(self, other: Totals, sign: int) -> None:
        """Add or take away the totals of a window."""
        for name, array in self.arrays():
            part = getattr(other, name)
            (np.add if sign > 0 else np.subtract)(array[: len(part)], part, out=array[: len(part)])

    def add(self, rows: RequestRows) -> None:
        """Count the answers."""
        series, status, failed = rows.series, rows.status_code, rows.failed
        count_into(self.count, series)
        if status.max() >= 400:
            too_many = status == TOO_MANY_REQUESTS
            count_where(self.status_5xx, series, status >= 500)
            count_where(self.status_429, series, too_many)
            count_where(self.status_4xx, series, (status >= 400) & (status < 500) & ~too_many)
            count_where(self.errors, series, failed | (status >= 500))
        else:
            count_where(self.errors, series, failed)
        count_where(self.failed, series, failed)

    def add_durations(self, series: IntArray, seconds: FloatArray) -> None:
        """Sum the durations and their squares."""
        micros = micros_of(seconds)
        squares = micros * micros
        count_into(self.timed, series)
        sum_into(self.micros, series, micros)
        sum_into(self.square_low, series, squares & ((1 << LIMB_BITS) - 1))
        sum_into(self.square_high, series, squares >> LIMB_BITS)

    def add_compiled(self, rows: RequestRows) -> tuple[npt.NDArray[np.int16], Int32Array]:
        """Count answers and durations in one pass; gives bin and series of the rows that have a duration."""
        assert kernel.compiled is not None
        count = len(rows.series)
        bins, series = np.empty(count, np.int16), np.empty(count, np.int32)
        columns = (rows.series, rows.status_code, rows.failed, rows.duration_seconds)
        totals = (getattr(self, name) for name in self.__slots__)
        counted = kernel.compiled.count_rows(*totals, *columns, bins, series)
        return bins[:counted], series[:counted]

    def ratios(self, count: int) -> tuple[FloatArray, ...]:
        """Shares of errors, 4xx, 429, 5xx and failures, each (count,); NaN without requests."""
        n = self.count[:count].astype(np.float64)
        parts = (self.errors, self.status_4xx, self.status_429, self.status_5xx, self.failed)
        with np.errstate(divide="ignore", invalid="ignore"):
            return tuple(part[:count] / n for part in parts)

    def moments(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the durations in seconds, (count,); NaN without any."""
        timed = self.timed[:count].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = self.micros[:count] / timed * 1e-6
            squares = (self.square_high[:count] * float(1 << LIMB_BITS) + self.square_low[:count]) / timed * 1e-12
            return mean, np.sqrt(np.maximum(squares - mean * mean, 0))


ANSWER_FEATURES = (
    "count",
    "rate_hz",
    "error_count",
    "span_count",
    "span_error_count",
    "error_ratio",
    "status_4xx_ratio",
    "status_429_ratio",
    "status_5xx_ratio",
    "failed_ratio",
    "duration_mean_seconds",
    "duration_std_seconds",
    "duration_p50_seconds",
    "duration_p95_seconds",
    "duration_p99_seconds",
)
QUANTILES = (0.5, 0.95, 0.99)
RATIOS = np.array(QUANTILES)


def answers(
    now: Totals | None, span: Totals, span_seconds: float, quantiles: FloatArray, count: int
) -> list[FloatArray]:
    """Values of `ANSWER_FEATURES`, each (count,): of the window `now`, and of the span that ends with it."""
    rate = span.count[:count] / span_seconds
    requests, errors = (np.zeros(count), np.zeros(count)) if now is None else (now.count[:count], now.errors[:count])
    return [
        requests,
        rate,
        errors,
        span.count[:count],
        span.errors[:count],
        *span.ratios(count),
        *span.moments(count),
        *quantiles,
    ]
