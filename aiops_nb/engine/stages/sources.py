"""Which source each series comes from, and which of them have ended."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, Int32Array, IntArray

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
        self._failing: set[str] = set()
        self._recovered_ns: dict[str, int] = {}

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

    @property
    def is_plain(self) -> bool:
        """Whether no source has ended, fails or has just recovered: nothing is masked."""
        return not (self.any_ended or self._failing or self._recovered_ns)

    def failed(self, source: str) -> None:
        """A source fails: its silence says nothing about its series."""
        self._failing.add(source)

    def recovered(self, source: str, time_ns: int) -> None:
        """A source that failed works again: the silence of its series counts from here."""
        if source in self._failing:
            self._failing.remove(source)
            self._recovered_ns[source] = time_ns

    def mask(self, names: tuple[str, ...], values: FloatArray, end_ns: int) -> None:
        """Write NaN over rates and silences of series that have ended, or whose source fails; `values` is (k, n)."""
        if self.any_ended or self._failing:
            gone = self.ended(values.shape[1]) | self._of(self._failing, values.shape[1])
            for name in RATES:
                if name in names:
                    values[names.index(name)][gone] = np.nan
        if self._recovered_ns and "silent_seconds" in names:
            self._shorten(values[names.index("silent_seconds")], end_ns)

    def _of(self, sources: set[str], count: int) -> BoolArray:
        codes = [self._codes[source] for source in sorted(sources) if source in self._codes]
        of_them: BoolArray = np.isin(self._source_of[:count], codes)
        return of_them

    def _shorten(self, silent_seconds: FloatArray, end_ns: int) -> None:
        """Count no silence from before a source recovered; one whose series have all come again is forgotten."""
        for source, recovered_ns in list(self._recovered_ns.items()):
            longest = (end_ns - recovered_ns) / NS_PER_SECOND
            too_long = self._of({source}, len(silent_seconds)) & (silent_seconds > longest)
            silent_seconds[too_long] = longest if longest > 0 else np.nan
            if not too_long.any() and longest > 0:
                del self._recovered_ns[source]
