"""Which source each series comes from, and which of them have ended."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import BoolArray, FloatArray, Int32Array, IntArray

RATES = ("rate_hz", "silent_seconds")


def source_of(batch: pa.RecordBatch) -> str:
    """The one source of a batch; empty if it has no rows."""
    return str(batch.column("source")[0].as_py()) if batch.num_rows else ""


class SeriesSources:
    """The source of the last row of each series; a series whose source has ended is expected to be silent.

    Memory: 5 bytes a series.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._source_of: Int32Array = np.zeros(16, np.int32)
        self._ended: BoolArray = np.zeros(16, np.bool_)
        self.any_ended = False

    def note(self, source: str, series: IntArray) -> None:
        """Rows of one source came, of these series; called with the rows, as windows may close within their batch."""
        if not len(series):
            return
        capacity = capacity_near(int(series.max()) + 1, len(self._source_of))
        if capacity > len(self._source_of):
            self._source_of = widened(self._source_of, capacity)
            self._ended = widened(self._ended, capacity)
        self._source_of[series] = self._codes.setdefault(source, len(self._codes))
        if self.any_ended:
            self._ended[series] = False

    def end(self, source: str, count: int) -> BoolArray:
        """A source has ended; which of the first `count` series came from it, (count,)."""
        if source not in self._codes or count > len(self._source_of):
            return np.zeros(count, np.bool_)
        of_it: BoolArray = self._source_of[:count] == self._codes[source]
        self._ended[:count] |= of_it
        self.any_ended = bool(self._ended.any())
        return of_it

    def ended(self, count: int) -> BoolArray:
        """Which of the first `count` series have ended, (count,)."""
        return self._ended[:count]

    def mask(self, names: tuple[str, ...], values: FloatArray) -> None:
        """Write NaN over rates and silences of series that have ended; `values` is (k, n)."""
        if not self.any_ended:
            return
        gone = self.ended(values.shape[1])
        for name in RATES:
            if name in names:
                values[names.index(name)][gone] = np.nan
