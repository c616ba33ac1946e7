"""Whether derived tables are what a replay of the rows makes: compared while it runs, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from aiops_nb.core.labels import rfc3339
from aiops_nb.frames.moving import completed, warm_up_columns
from aiops_nb.record.derived.store import DerivedTables

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("table", "rows", "is_equal", "difference")


@dataclass(slots=True)
class _Compared:
    """One table: what is kept and not compared yet, how many rows were equal, and the first difference."""

    kept: Iterator[pa.Table]
    from_ns: int | None
    waiting: pa.Table | None = None
    rows: int = 0
    difference: str = ""


@dataclass(slots=True)
class Comparison:
    """Takes the place of a writer: what a derivation makes is compared with what is kept, and nothing is written.

    Parameters
    ----------
    kept
        The tables to be verified.

    Attributes
    ----------
    is_continued, needs_trust
        As of a writer.
    """

    kept: DerivedTables
    is_continued: bool = False
    needs_trust: bool = False
    _tables: dict[str, _Compared] = field(default_factory=dict)

    def write(self, name: str, table: pa.Table, start_ns: int, end_ns: int, reach_ns: int = 0) -> None:
        """Compare the next rows of a table."""
        compared = self._of(name)
        if compared.from_ns is not None:
            table = _from(table, compared.from_ns)
        if not compared.difference:
            compared.difference = _compare(compared, table)

    def frame(self) -> pd.DataFrame:
        """A row for each table: table, rows, is_equal, difference."""
        import pandas as pd

        for name in self.kept.manifest.tables:
            compared = self._of(name)
            if not compared.difference and (extra := _next(compared)) is not None:
                compared.difference = f"row {compared.rows} ({_at(extra, 0)}): kept, not derived"
        rows = [(name, one.rows, not one.difference, one.difference) for name, one in sorted(self._tables.items())]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def _of(self, name: str) -> _Compared:
        if name not in self._tables:
            from_ns = self.kept.manifest.dropped_until_ns.get(name)
            pieces = completed(self.kept.batches(name, from_ns, None, warm_up_columns), from_ns)
            self._tables[name] = _Compared(pieces, from_ns)
        return self._tables[name]


def _compare(compared: _Compared, table: pa.Table) -> str:
    """The first difference; empty if there is none."""
    while table.num_rows:
        try:
            kept = _next(compared)
        except (OSError, ValueError, pa.ArrowException) as problem:
            return f"row {compared.rows}: {problem}"
        if kept is None:
            return f"row {compared.rows} ({_at(table, 0)}): derived, not kept"
        count = min(kept.num_rows, table.num_rows)
        difference = _difference(kept.slice(0, count), table.slice(0, count), compared.rows)
        if difference:
            return difference
        compared.rows += count
        compared.waiting, table = kept.slice(count), table.slice(count)
    return ""


def _next(compared: _Compared) -> pa.Table | None:
    while compared.waiting is None or not compared.waiting.num_rows:
        compared.waiting = next(compared.kept, None)
        if compared.waiting is None:
            return None
        if compared.from_ns is not None:
            compared.waiting = _from(compared.waiting, compared.from_ns)
    return compared.waiting


def _difference(kept: pa.Table, derived: pa.Table, before: int) -> str:
    if kept.column_names != derived.column_names:
        only = sorted({*kept.column_names} ^ {*derived.column_names})
        return f"row {before} ({_at(derived, 0)}): columns differ: {', '.join(only) or 'their order'}"
    for name in derived.column_names:
        one, other = kept.column(name), derived.column(name)
        if pa.types.is_floating(other.type):
            found = np.flatnonzero(one.to_numpy().view(np.int64) != other.to_numpy().view(np.int64))
        else:
            found = _unequal(one, other)
        if len(found):
            row = int(found[0])
            values = f"kept {one[row].as_py()!r}, derived {other[row].as_py()!r}"
            return f"row {before + row} ({_at(derived, row)}): {name}: {values}"
    return ""


def _unequal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    if pa.types.is_dictionary(other.type):
        one, other = one.cast(pa.string()), other.cast(pa.string())
    if one.equals(other):
        return np.zeros(0, np.int64)
    pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
    # NaN within maps and lists is no difference
    return np.array([row for row, (first, second) in enumerate(pairs) if repr(first) != repr(second)], np.int64)


def _from(table: pa.Table, moment_ns: int) -> pa.Table:
    return table.filter(pa.array(table.column("time").cast(pa.int64()).to_numpy() >= moment_ns))


def _at(table: pa.Table, row: int) -> str:
    return rfc3339(int(table.column("time").cast(pa.int64())[row].as_py()))
