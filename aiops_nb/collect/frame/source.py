"""Rows of a DataFrame as a stream: all of the toolkit on data that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

import numpy as np
import pyarrow as pa

from aiops_nb.collect.frame.columns import TimeUnit, time_column, value_column
from aiops_nb.collect.frame.events import EVENT_COLUMNS, SAMPLED, are_events, event_samples
from aiops_nb.collect.frame.rows import FrameSource
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import TABLES, TIME, TableName

if TYPE_CHECKING:
    import pandas as pd

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
    timezone: str = "UTC",
    time_unit: TimeUnit = "s",
    sort: bool = True,
    constants: Mapping[str, str] | None = None,
    **columns: str,
) -> FrameSource:
    """Make a stream of a DataFrame.

    Columns of the frame that are called as ours are taken; others are named: `status_code="code"`. The index does as
    well as a column. What is left is not used, and listed in `unused`. Events of the older tool (`timestamp`,
    `endpoint`, `response_time`, ...) are read as they are.

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
    timezone
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
    named = {"time": time, "target": target, **columns}
    df = _with_index(df, named)
    is_of_events = table == "requests" and are_events(df) and named == {"time": "time", "target": "target"}
    if is_of_events:
        named = {ours: theirs for theirs, ours in EVENT_COLUMNS.items() if theirs in df.columns}
    constant = {**({"origin": "traffic"} if table == "requests" else {}), **(constants or {})}
    chosen = _chosen(df, table, named, constant)
    time_ns = time_column(df[chosen["time"]], timezone, time_unit)
    arrays = {ours: _array(df[theirs], ours, table, timezone) for ours, theirs in chosen.items() if ours != "time"}
    for milliseconds, seconds in _MILLISECONDS.items():
        if milliseconds in arrays:
            arrays[seconds] = arrays.pop(milliseconds)
    constants_left = {ours: value for ours, value in constant.items() if ours not in arrays}
    samples = event_samples(df, name, time_ns, sort) if is_of_events else None
    source = FrameSource(table, name, time_ns, arrays, constants_left, sort, samples)
    used = {*chosen.values(), *(SAMPLED if is_of_events else ())}
    source.unused = tuple(str(column) for column in df.columns if column not in used)
    return source


def _check_frame(df: pd.DataFrame) -> None:
    import pandas as pd

    if not isinstance(df, pd.DataFrame):
        raise ConfigError.at("df", "a pandas DataFrame", type(df).__name__)
    if not df.columns.is_unique:
        raise ConfigError.at("df", "one column of each name", df.columns[df.columns.duplicated()][0])


def _with_index(df: pd.DataFrame, named: Mapping[str, str]) -> pd.DataFrame:
    """With what is asked for and stands in the index as columns; an index of times without a name is the time."""
    import pandas as pd

    if isinstance(df.index, pd.DatetimeIndex) and df.index.name is None and named["time"] not in df.columns:
        df = df.rename_axis(named["time"])
    asked = {*named.values(), *EVENT_COLUMNS}
    levels = [name for name in df.index.names if name in asked and name not in df.columns]
    return df.reset_index(levels) if levels else df


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


def _array(series: pd.Series, ours: str, table: TableName, timezone: str) -> pa.Array:
    name = _MILLISECONDS.get(ours, ours)
    kind = TABLES[table].field(name).type
    if kind == TIME:
        return _optional_times(series, timezone)
    return value_column(series, name, kind, factor=1e-3 if ours in _MILLISECONDS else 1.0)


def _optional_times(series: pd.Series, timezone: str) -> pa.Array:
    known = series.notna().to_numpy()
    times = np.zeros(len(series), np.int64)
    times[known] = time_column(series[known], timezone, get_args(TimeUnit)[0])
    return pa.array(times, mask=~known).cast(TIME)


def _listed(df: pd.DataFrame) -> str:
    return ", ".join(map(str, df.columns[:20])) + (", ..." if len(df.columns) > 20 else "")
