"""Features of request series: rates, error ratios and latency over a sliding span of closed windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, FloatArray, IntArray
from aiops_nb.features.histogram import SlidingHistogram
from aiops_nb.features.tally import count_into, count_where, sum_into

REQUEST_FEATURES = (
    "count",
    "rate_hz",
    "error_ratio",
    "status_4xx_ratio",
    "status_5xx_ratio",
    "failed_ratio",
    "duration_mean_seconds",
    "duration_std_seconds",
    "duration_p50_seconds",
    "duration_p95_seconds",
    "duration_p99_seconds",
)
QUANTILES = (0.5, 0.95, 0.99)
LONGEST_DURATION_SECONDS = 2000.0
LIMB_BITS = 32


@dataclass(frozen=True, slots=True)
class RequestRows:
    """The columns that the features need, each (rows,).

    `status_code` is 0 where none was received, `duration_seconds` NaN where unknown; `failed` marks requests that got
    no valid answer.
    """

    window: IntArray
    series: IntArray
    status_code: IntArray
    failed: BoolArray
    duration_seconds: FloatArray

    def take(self, rows: IntArray | BoolArray | slice) -> RequestRows:
        """A part of the rows."""
        return RequestRows(
            self.window[rows],
            self.series[rows],
            self.status_code[rows],
            self.failed[rows],
            self.duration_seconds[rows],
        )


class _Totals:
    """Whole-number totals of each series; durations in microseconds, squares in two limbs (one would overflow)."""

    __slots__ = ("count", "failed", "micros", "square_high", "square_low", "status_4xx", "status_5xx", "timed")
    _WIDE = ("micros", "square_low", "square_high")

    def __init__(self, capacity: int) -> None:
        self.count, self.failed, self.status_4xx, self.status_5xx, self.timed = (
            np.zeros(capacity, np.int32) for _ in range(5)
        )
        self.micros, self.square_low, self.square_high = (np.zeros(capacity, np.int64) for _ in range(3))

    def arrays(self) -> list[tuple[str, npt.NDArray[np.integer]]]:
        return [(name, getattr(self, name)) for name in self.__slots__]

    def grow(self, capacity: int) -> None:
        for name, array in self.arrays():
            setattr(self, name, widened(array, capacity))

    def trim(self, count: int) -> None:
        for name, array in self.arrays():
            setattr(self, name, array[:count].copy())

    def move(self, other: _Totals, sign: int) -> None:
        for name, array in self.arrays():
            part = getattr(other, name)
            (np.add if sign > 0 else np.subtract)(array[: len(part)], part, out=array[: len(part)])

    def add(self, rows: RequestRows) -> None:
        count_into(self.count, rows.series)
        status = rows.status_code
        if status.max() >= 400:
            count_where(self.status_5xx, rows.series, status >= 500)
            count_where(self.status_4xx, rows.series, (status >= 400) & (status < 500))
        count_where(self.failed, rows.series, rows.failed)

    def add_durations(self, series: IntArray, seconds: FloatArray) -> None:
        micros = np.rint(np.minimum(seconds, LONGEST_DURATION_SECONDS) * 1e6).astype(np.int64)
        squares = micros * micros
        count_into(self.timed, series)
        sum_into(self.micros, series, micros)
        sum_into(self.square_low, series, squares & ((1 << LIMB_BITS) - 1))
        sum_into(self.square_high, series, squares >> LIMB_BITS)


class RequestFeatures:
    """Turns request rows into the feature matrix of each closed window.

    Latency features cover the requests that got an answer: neither a refused connection (fast) nor a timeout (slow)
    says how quick the service is. Memory: about 4 KB a series at a span of 60 windows.
    """

    def __init__(self, span_ticks: int, tick_seconds: float) -> None:
        self._capacity = 64
        self._span_ticks, self._tick_seconds = span_ticks, tick_seconds
        self._closed_ticks = 0
        self._sliding = _Totals(self._capacity)
        self._open: dict[int, _Totals] = {}
        self._closed: dict[int, _Totals] = {}
        self._histogram = SlidingHistogram(span_ticks, self._capacity)

    def add(self, rows: RequestRows) -> None:
        """Take rows of open windows."""
        self._make_room(int(rows.series.max()) + 1)
        first, last = int(rows.window.min()), int(rows.window.max())
        if first == last:
            self._add_window(first, rows)
            return
        for window in np.unique(rows.window).tolist():
            self._add_window(window, rows.take(rows.window == window))

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._capacity)
        if capacity == self._capacity:
            return
        self._capacity = capacity
        self._sliding.grow(capacity)
        self._histogram.grow(capacity)
        for totals in self._open.values():
            totals.grow(capacity)

    def _add_window(self, window: int, rows: RequestRows) -> None:
        totals = self._open.get(window)
        if totals is None:
            totals = self._open[window] = _Totals(self._capacity)
        totals.add(rows)
        answered = ~rows.failed & (rows.duration_seconds >= 0)
        series, seconds = rows.series, rows.duration_seconds
        if not answered.all():
            series, seconds = series[answered], seconds[answered]
        if len(series):
            totals.add_durations(series, seconds)
            self._histogram.add(window, series, seconds)

    def close(self, window: int, count: int) -> FloatArray:
        """Close the next window and give the features of the first `count` series, (k, count)."""
        self._make_room(count)
        entering = self._open.pop(window, None)
        if entering is not None:
            self._sliding.move(entering, 1)
            entering.trim(count)  # the room for series to come is not kept in every closed window
            self._closed[window] = entering
        leaving = self._closed.pop(window - self._span_ticks, None)
        if leaving is not None:
            self._sliding.move(leaving, -1)
        self._histogram.close(window)
        self._closed_ticks = min(self._closed_ticks + 1, self._span_ticks)  # a young stream has no full span yet
        return self._features(entering, count)

    def _features(self, entering: _Totals | None, count: int) -> FloatArray:
        total = self._sliding
        n = total.count[:count].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            failed, low, high = (part[:count] / n for part in (total.failed, total.status_4xx, total.status_5xx))
            mean, deviation = self._moments(count)
        now = np.zeros(count) if entering is None else entering.count.astype(np.float64)
        ratios = (failed + high, low, high, failed)
        quantiles = self._histogram.quantiles(QUANTILES, count)
        return np.stack([now, n / (self._closed_ticks * self._tick_seconds), *ratios, mean, deviation, *quantiles])

    def _moments(self, count: int) -> tuple[FloatArray, FloatArray]:
        total = self._sliding
        timed = total.timed[:count]
        mean = total.micros[:count] / timed * 1e-6
        squares = (total.square_high[:count] * float(1 << LIMB_BITS) + total.square_low[:count]) / timed * 1e-12
        return mean, np.sqrt(np.maximum(squares - mean * mean, 0))
