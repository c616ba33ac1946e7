"""Columns that are there already, as a stream."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import TABLES, Column, TableName, make_batch
from aiops_nb.core.types import IntArray

BATCH_ROWS = 5_000
LEAST_GAPS = 10


class FrameSource:
    """A collector that gives out columns, 5,000 rows at a time, and ends; see `from_frame`.

    Parameters
    ----------
    table, name
        Which schema, and the `source` of the rows.
    time_ns
        Of each row, (n,).
    arrays
        The other columns, plain, (n,) each.
    constants
        One value for all rows, by column.
    sort
        Whether to bring the rows into the order of time.
    samples
        Rows of another table, given out in between, by their time.
    """

    def __init__(
        self,
        table: TableName,
        name: str,
        time_ns: IntArray,
        arrays: Mapping[str, pa.Array],
        constants: Mapping[str, str],
        sort: bool,
        samples: FrameSource | None = None,
    ) -> None:
        self.name = name
        self.unused: tuple[str, ...] = ()
        self.is_sorted = bool(np.all(time_ns[1:] >= time_ns[:-1]))
        if sort and not self.is_sorted:
            order = np.argsort(time_ns, kind="stable")
            time_ns, arrays = time_ns[order], {name: array.take(pa.array(order)) for name, array in arrays.items()}
        self._table, self._time_ns, self._arrays, self._constants = table, time_ns, arrays, constants
        self._next_row, self._samples = 0, samples

    @property
    def last_time_ns(self) -> int:
        """The greatest time, UTC ns; 0 without rows."""
        return int(self._time_ns.max(initial=0))

    @property
    def first_time_ns(self) -> int:
        """The least time, UTC ns; 0 without rows."""
        return int(self._time_ns.min()) if len(self) else 0

    @property
    def next_time_ns(self) -> float:
        """Of the row that is given out next, UTC ns; infinite after the last."""
        return int(self._time_ns[self._next_row]) if self._next_row < len(self) else math.inf

    @property
    def interval_seconds(self) -> float | None:
        """The median distance of the rows of one series; None of fewer than ten, or if rows come at once."""
        codes = np.zeros(len(self), np.int64)
        for name in ("target", "metric"):
            if name in self._arrays:
                positions = self._arrays[name].dictionary_encode().indices.fill_null(-1)
                codes = codes * (len(self) + 1) + positions.to_numpy(zero_copy_only=False)
        order = np.lexsort((self._time_ns, codes))
        gaps_ns = np.diff(self._time_ns[order])[np.diff(codes[order]) == 0]
        known = gaps_ns[gaps_ns > 0]
        return float(np.median(known)) / 1e9 if len(known) >= LEAST_GAPS and len(known) * 2 > len(gaps_ns) else None

    def __len__(self) -> int:
        return len(self._time_ns)

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next rows; None after the last one."""
        if self._samples is not None and self._samples.next_time_ns <= self.next_time_ns:
            return self._samples.poll(timeout_seconds)
        begin, end = self._next_row, min(self._next_row + BATCH_ROWS, len(self))
        if begin >= end:
            return None
        self._next_row = end
        columns: dict[str, Column] = {"time": self._time_ns[begin:end], **self._constants}
        for name, array in self._arrays.items():
            part = array.slice(begin, end - begin)
            coded = pa.types.is_dictionary(TABLES[self._table].field(name).type)
            columns[name] = part.dictionary_encode() if coded else part
        return make_batch(self._table, self.name, columns)

    def close(self) -> None:
        """Give out no more."""
        self._next_row = len(self)
        if self._samples is not None:
            self._samples.close()
