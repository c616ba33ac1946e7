"""Rows of a DataFrame as a stream: all of the toolkit on data that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

import numpy as np
import pyarrow as pa

from aiops_nb.collect.frame_columns import TimeUnit, time_column, value_column
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import TABLES, TIME, Column, TableName, make_batch
from aiops_nb.core.types import IntArray

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 5_000
_OURS = ("seq", "source")  # not of the frame: the stream gives them
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "requests": ("time", "target"),
    "samples": ("time", "target", "metric", "value"),
    "messages": ("time", "target", "text"),
}
_MILLISECONDS = {"duration_ms": "duration_seconds"}


def from_frame(
    df: pd.DataFrame,
    *,
    table: TableName = "requests",
    time: str = "time",
    target: str = "target",
    name: str = "frame",
    time_zone: str = "UTC",
    time_unit: TimeUnit = "s",
    sort: bool = True,
    constants: Mapping[str, str] | None = None,
    **columns: str,
) -> FrameSource:
    """Make a stream of a DataFrame.

    Columns of the frame that are called as ours are taken; others are named: `status_code="code"`. What is left is not
    used, and listed in `unused`.

    Parameters
    ----------
    df
        The rows; it is read at once and not changed.
    table
        `requests`, `samples` or `messages`.
    time, target
        The columns with the time and the target.
    name
        The `source` of the rows.
    time_zone
        Of times that say no offset. What the clocks showed twice is the first of both, what they never showed is the
        moment after the gap.
    time_unit
        Of times that are numbers: `s`, `ms`, `us` or `ns` since 1970, UTC.
    sort
        Bring the rows into the order of time; rows of one time keep their order. Otherwise the engine sees them in
        the order of the frame, and those that come late are counted and not judged.
    constants
        One value for all rows, by column of ours: `{"target": "checkout"}`; requests have the origin `traffic`.
    **columns
        Columns of the frame by column of ours, and `duration_ms` for a `duration_seconds` in milliseconds.

    Returns
    -------
    FrameSource
        A collector that ends with the last row.

    Raises
    ------
    ConfigError
        Naming the column, what was expected, what came and in which row.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"when": ["2026-05-01 12:00:02", "2026-05-01 12:00:01"], "code": [503, 200]})
    >>> source = from_frame(df, time="when", status_code="code", constants={"target": "checkout"})
    >>> source.poll(0)["status_code"].to_pylist(), source.poll(0)
    ([200, 503], None)
    """
    _check_frame(df)
    _check_table(table)
    constant = {**({"origin": "traffic"} if table == "requests" else {}), **(constants or {})}
    chosen = _chosen(df, table, {"time": time, "target": target, **columns}, constant)
    time_ns = time_column(df[chosen["time"]], time_zone, time_unit)
    arrays = {ours: _array(df[theirs], ours, table, time_zone) for ours, theirs in chosen.items() if ours != "time"}
    for milliseconds, seconds in _MILLISECONDS.items():
        if milliseconds in arrays:
            arrays[seconds] = arrays.pop(milliseconds)
    source = FrameSource(table, name, time_ns, arrays, {k: v for k, v in constant.items() if k not in arrays}, sort)
    source.unused = tuple(str(column) for column in df.columns if column not in chosen.values())
    return source


class FrameSource:
    """A collector that gives out columns, 5,000 rows at a time, and ends; made by `from_frame`.

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
    """

    def __init__(
        self,
        table: TableName,
        name: str,
        time_ns: IntArray,
        arrays: Mapping[str, pa.Array],
        constants: Mapping[str, str],
        sort: bool,
    ) -> None:
        self.name = name
        self.unused: tuple[str, ...] = ()
        self.is_sorted = bool(np.all(time_ns[1:] >= time_ns[:-1]))
        if sort and not self.is_sorted:
            order = np.argsort(time_ns, kind="stable")
            time_ns, arrays = time_ns[order], {name: array.take(pa.array(order)) for name, array in arrays.items()}
        self._table, self._time_ns, self._arrays, self._constants = table, time_ns, arrays, constants
        self._next_row = 0

    @property
    def last_time_ns(self) -> int:
        """The greatest time, UTC ns; 0 without rows."""
        return int(self._time_ns.max(initial=0))

    def __len__(self) -> int:
        return len(self._time_ns)

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next rows; None after the last one."""
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


def _check_frame(df: pd.DataFrame) -> None:
    import pandas as pd

    if not isinstance(df, pd.DataFrame):
        raise ConfigError.at("df", "a pandas DataFrame", type(df).__name__)
    if not df.columns.is_unique:
        raise ConfigError.at("df", "one column of each name", df.columns[df.columns.duplicated()][0])


def _check_table(table: str) -> None:
    if table not in _NEEDED:
        raise ConfigError.at("table", f"one of {', '.join(_NEEDED)}", table)


def _chosen(
    df: pd.DataFrame, table: TableName, named: Mapping[str, str], constants: Mapping[str, str]
) -> dict[str, str]:
    """Column of the frame by column of ours."""
    ours = [name for name in TABLES[table].names if name not in _OURS]
    _check_names(table, [*named, *constants], ours)
    taken = {name: name for name in ours if name in df.columns}
    # The default of `time` and `target` is no wish: a constant does as well.
    wished = {our: their for our, their in named.items() if not (our == their and our in constants)}
    for our, their in wished.items():
        if their not in df.columns:
            raise ConfigError.at(our, f"a column of the frame ({_listed(df)})", their)
    chosen = {**taken, **wished}
    missing = [name for name in _NEEDED[table] if name not in chosen and name not in constants]
    if missing:
        raise ConfigError(f"{missing[0]}: expected a column of the frame ({_listed(df)}), got none")
    return chosen


def _check_names(table: TableName, names: list[str], ours: list[str]) -> None:
    allowed = [*ours, *(_MILLISECONDS if table == "requests" else ())]
    for name in names:
        if name not in allowed:
            raise ConfigError.at("columns", f"columns of {table} ({', '.join(allowed)})", name)
    if "duration_ms" in names and "duration_seconds" in names:
        raise ConfigError("duration_ms: expected one column for the duration, got duration_seconds too")


def _array(series: pd.Series, ours: str, table: TableName, time_zone: str) -> pa.Array:
    name = _MILLISECONDS.get(ours, ours)
    kind = TABLES[table].field(name).type
    if kind == TIME:
        return _optional_times(series, time_zone)
    return value_column(series, name, kind, factor=1e-3 if ours in _MILLISECONDS else 1.0)


def _optional_times(series: pd.Series, time_zone: str) -> pa.Array:
    known = series.notna().to_numpy()
    times = np.zeros(len(series), np.int64)
    times[known] = time_column(series[known], time_zone, get_args(TimeUnit)[0])
    return pa.array(times, mask=~known).cast(TIME)


def _listed(df: pd.DataFrame) -> str:
    return ", ".join(map(str, df.columns[:20])) + (", ..." if len(df.columns) > 20 else "")
