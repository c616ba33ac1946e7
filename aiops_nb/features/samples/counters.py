"""Rates of what only ever rises: metrics named `*_total`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import dictionary_indices
from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray

COUNTER_SUFFIX = "_total"
NEVER = np.iinfo(np.int64).min


def counts_up(metrics: pa.DictionaryArray) -> BoolArray:
    """Which rows are of a metric that by its name only ever rises, (rows,).

    Examples
    --------
    >>> counts_up(pa.array(["cpu_ratio", "requests_total", None]).dictionary_encode()).tolist()
    [False, True, False]
    """
    names = [name is not None and name.endswith(COUNTER_SUFFIX) for name in metrics.dictionary.to_pylist()]
    is_counter: BoolArray = np.array([*names, False])[dictionary_indices(metrics)]
    return is_counter


@dataclass(frozen=True, slots=True)
class Readings:
    """The newest reading of each series, (capacity,): when, UTC ns (`NEVER`: none), and what."""

    time_ns: IntArray
    value: FloatArray

    @staticmethod
    def none(capacity: int) -> Readings:
        """No reading yet."""
        return Readings(np.full(capacity, NEVER), np.full(capacity, np.nan))

    def wide(self, capacity: int) -> Readings:
        """The same with room for more series."""
        return Readings(widened(self.time_ns, capacity, NEVER), widened(self.value, capacity, np.nan))

    def read(self, series: IntArray, time_ns: IntArray, value: FloatArray) -> None:
        """Take readings in the order of their rows; of two of one time the later row counts."""
        order = np.lexsort((time_ns, series))  # stable: rows of one time keep their order
        last = order[np.flatnonzero(np.diff(series[order], append=-1))]
        newer = last[time_ns[last] >= self.time_ns[series[last]]]
        self.time_ns[series[newer]], self.value[series[newer]] = time_ns[newer], value[newer]


class CounterRates:
    """Rate of each counter between its last reading in a window and the last one before that window.

    A counter that went back, because it was reset or is another one now, gives no rate until it is read once more; a
    reading older than one that was used gives none either. After a gap the rate is the mean over the gap.
    """

    def __init__(self) -> None:
        self._open: dict[int, Readings] = {}
        self._before = Readings.none(64)
        self.is_counter = np.zeros(64, np.bool_)

    def add(self, window: int, series: IntArray, time_ns: IntArray, value: FloatArray) -> None:
        """Take readings of one open window; the values are finite."""
        self._make_room(int(series.max()) + 1)
        self.is_counter[series] = True
        self._open.setdefault(window, Readings.none(len(self.is_counter))).read(series, time_ns, value)

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, len(self.is_counter))
        if capacity > len(self.is_counter):
            self.is_counter, self._before = widened(self.is_counter, capacity), self._before.wide(capacity)
            self._open = {window: readings.wide(capacity) for window, readings in self._open.items()}

    def close(self, window: int, count: int) -> FloatArray:
        """Rates of the first `count` series, a second; NaN where not known."""
        self._make_room(count)
        now, before = self._open.pop(window, None), self._before
        rates = np.full(count, np.nan)
        if now is not None:
            read = np.flatnonzero(now.time_ns[:count] > before.time_ns[:count])
            again = read[before.time_ns[read] != NEVER]
            rise = now.value[again] - before.value[again]
            rates[again] = np.where(rise >= 0, rise / (now.time_ns[again] - before.time_ns[again]), np.nan)
            before.time_ns[read], before.value[read] = now.time_ns[read], now.value[read]
        return rates * NS_PER_SECOND
