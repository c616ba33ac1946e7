"""Rows as a frame: each column is filled once, piece by piece, so that a day needs little more than its frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.schemas import TABLES, TableName

if TYPE_CHECKING:
    import pandas as pd

AnyArray = np.ndarray[Any, np.dtype[Any]]
FIRST_ROWS = 1 << 12


def rows_frame(table: TableName, batches: Iterable[pa.RecordBatch], rows: int = FIRST_ROWS) -> pd.DataFrame:
    """The rows of one table, in stream order, without `seq`.

    Parameters
    ----------
    table
        Which table.
    batches
        Its rows.
    rows
        About how many there will be: columns are made that long at first.
    """
    import pandas as pd

    schema = TABLES[table]
    columns = {field.name: _column_of(field.type, max(rows, 1)) for field in schema if field.name != "seq"}
    filled = 0
    for batch in batches:
        for name, column in columns.items():
            column.add(batch.column(name), filled)
        filled += batch.num_rows
    return pd.DataFrame({name: columns.pop(name).taken(filled) for name in list(columns)}, copy=False)


class _Column(Protocol):
    def add(self, part: pa.Array, at: int) -> None: ...

    def taken(self, rows: int) -> Any: ...


def _column_of(kind: pa.DataType, rows: int) -> _Column:
    if pa.types.is_dictionary(kind):
        return _Coded(rows)
    if pa.types.is_timestamp(kind):
        return _Times(rows)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _Numbers(kind, rows)
    return _Others(kind)


def _longer(values: AnyArray, rows: int) -> AnyArray:
    """Room for so many rows; what is there is kept."""
    if rows <= len(values):
        return values
    grown = np.empty(max(rows, 2 * len(values)), values.dtype)
    grown[: len(values)] = values
    return grown


class _Numbers:
    """Floats, null being NaN; integers as long as none is null."""

    def __init__(self, kind: pa.DataType, rows: int) -> None:
        self._values = np.empty(rows, kind.to_pandas_dtype())

    def add(self, part: pa.Array, at: int) -> None:
        self._values = _longer(self._values, at + len(part))
        if part.null_count and self._values.dtype.kind == "i":
            self._values = self._values.astype(np.float64)
        self._values[at : at + len(part)] = part.to_numpy(zero_copy_only=False)

    def taken(self, rows: int) -> AnyArray:
        return self._values[:rows]


class _Times:
    """Moments in UTC, null being NaT."""

    def __init__(self, rows: int) -> None:
        self._values = np.empty(rows, "datetime64[ns]")

    def add(self, part: pa.Array, at: int) -> None:
        self._values = _longer(self._values, at + len(part))
        self._values[at : at + len(part)] = part.to_numpy(zero_copy_only=False)

    def taken(self, rows: int) -> Any:
        import pandas as pd

        return pd.DatetimeIndex(self._values[:rows], copy=False).tz_localize("UTC")


class _Coded:
    """Words by their number, -1 being null; numbers take as few bytes as there are words."""

    def __init__(self, rows: int) -> None:
        self._codes = np.empty(rows, np.int8)
        self._places: dict[str, int] = {}

    def add(self, part: pa.Array, at: int) -> None:
        words = part.dictionary.to_pylist()
        places = [self._places.setdefault(word, len(self._places)) for word in words]
        self._codes = _longer(self._codes, at + len(part))
        if (needed := np.min_scalar_type(-len(self._places) - 1)).itemsize > self._codes.itemsize:
            self._codes = self._codes.astype(needed)
        indices = part.indices
        known = pc.fill_null(indices, len(words)).to_numpy(zero_copy_only=False)
        self._codes[at : at + len(part)] = np.array([*places, -1], self._codes.dtype)[known]

    def taken(self, rows: int) -> Any:
        import pandas as pd

        return pd.Categorical.from_codes(self._codes[:rows], categories=pd.Index(list(self._places)))


class _Others:
    """What Arrow turns into a column by itself."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._parts: list[pa.Array] = []

    def add(self, part: pa.Array, at: int) -> None:
        self._parts.append(part)

    def taken(self, rows: int) -> Any:
        parts, self._parts = self._parts, []
        return pa.chunked_array(parts, self._kind).to_pandas()
