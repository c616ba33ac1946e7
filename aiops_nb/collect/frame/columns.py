"""Columns of a DataFrame as columns of our schemas, or one error that names the column, the row and the value."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import ERROR_TYPES, Origin
from aiops_nb.core.types import BoolArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

TimeUnit = Literal["s", "ms", "us", "ns"]
_NS_PER_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_EXPECTED_TIME = "times in every row, of the years 1970 to 2261"
_EXPECTED_NUMBER = _EXPECTED_TIME + ", as numbers of {unit} since 1970 (time_unit)"
_LAST_NS = 9_200_000_000 * 1_000_000_000
_SHOWN_CHARACTERS = 100
_OFFSET = r"(?:[Zz]|[T ]\d[\d:.,]*[+-]\d\d(?::?\d\d)?)\s*$"
_TIME_ZONE_ERRORS = (KeyError, ValueError, OSError)

_Check = Callable[[pa.Array], pa.Array]
_RANGES: dict[str, tuple[str, _Check]] = {
    "status_code": ("100 to 999", lambda c: pc.and_(pc.greater_equal(c, 100), pc.less(c, 1000))),
    "response_bytes": ("a number >= 0", lambda c: pc.greater_equal(c, 0)),
    "error_type": (f"one of {', '.join(ERROR_TYPES)}", lambda c: pc.is_in(c, pa.array(ERROR_TYPES))),
    "origin": (f"one of {', '.join(get_args(Origin))}", lambda c: pc.is_in(c, pa.array(get_args(Origin)))),
}
_REQUIRED = ("target", "metric", "text", "origin")


def time_column(series: pd.Series, timezone: str, unit: TimeUnit) -> IntArray:
    """Nanoseconds since 1970 of a column of times, (n,).

    Times that say their offset are taken as they are. Others are of `timezone`; what the clocks showed twice is the
    first of both, what they never showed is moved to the moment after the gap. Numbers are `unit`s since 1970, UTC.

    Examples
    --------
    >>> import pandas as pd
    >>> time_column(pd.Series(["1970-01-01 01:00:01", "1970-01-01 01:00:02.5"]), "Europe/Paris", "s").tolist()
    [1000000000, 2500000000]
    >>> time_column(pd.Series([1.5, 2.0]), "UTC", "s").tolist()
    [1500000000, 2000000000]
    """
    if unit not in _NS_PER_UNIT:
        raise ConfigError.at("time_unit", f"one of {', '.join(_NS_PER_UNIT)}", unit)
    numbers = _as_numbers(series)
    times = _moments_ns(series, timezone) if numbers is None else _numbers_ns(numbers, unit)
    bad = (times < 0) | (times >= _LAST_NS)
    if bad.any():
        raise _error(series, _EXPECTED_TIME if numbers is None else _EXPECTED_NUMBER.format(unit=unit), bad)
    return times


def _as_numbers(series: pd.Series) -> pd.Series | None:
    """Numbers, also those that were read as text; None if it is something else."""
    import pandas as pd

    if series.dtype.kind in "iuf":
        return series
    is_text = pd.api.types.is_string_dtype(series.dtype) and len(series) > 0
    # Of eight digits: ISO 8601 without its dashes.
    if not is_text or not series.astype(str).str.fullmatch(r"[0-9]{9,}(\.[0-9]+)?").all():
        return None
    return pd.to_numeric(series)


def _numbers_ns(series: pd.Series, unit: TimeUnit) -> IntArray:
    factor = _NS_PER_UNIT[unit]
    known = series.notna().to_numpy()
    limit = _LAST_NS / factor
    within = series.where(series.between(0, limit).fillna(False).astype(bool) & known, -1)
    if series.dtype.kind != "f":
        whole: IntArray = within.to_numpy(np.int64)
        return np.where(whole < 0, -1, whole * factor)
    values = within.to_numpy(np.float64)
    # Today's seconds in a float64 are exact to the microsecond only.
    micros = np.rint(values * (factor / 1000)) * 1000
    return np.where(values < 0, -1, micros).astype(np.int64)


def _moments_ns(series: pd.Series, timezone: str) -> IntArray:
    import pandas as pd

    moments = series if pd.api.types.is_datetime64_any_dtype(series.dtype) else _parsed(series, timezone)
    if moments.isna().any():
        raise _error(series, _EXPECTED_TIME, moments.isna().to_numpy())
    try:
        if moments.dt.tz is None:
            moments = _localised(moments, timezone)
        naive = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    except _TIME_ZONE_ERRORS:
        raise ConfigError.at("timezone", "a name such as Europe/Paris", timezone) from None
    seconds = naive.to_numpy("datetime64[s]").view(np.int64)
    within = (seconds >= 0) & (seconds < _LAST_NS // _NS_PER_UNIT["s"])  # beyond, nanoseconds would overflow silently
    return np.where(within, naive.to_numpy("datetime64[ns]").view(np.int64), -1)


def _localised(moments: pd.Series, timezone: str) -> pd.Series:
    """Clock readings of a zone as moments; the first of those shown twice, the next after those never shown."""
    earlier = np.ones(len(moments), np.bool_)
    localised: pd.Series = moments.dt.tz_localize(timezone, ambiguous=earlier, nonexistent="shift_forward")
    return localised


def _parsed(series: pd.Series, timezone: str) -> pd.Series:
    import pandas as pd

    with suppress(ValueError, TypeError, OverflowError):
        moments = pd.to_datetime(series, format="ISO8601")
        if pd.api.types.is_datetime64_any_dtype(moments.dtype):
            return moments
    readable = pd.to_datetime(series, format="ISO8601", utc=True, errors="coerce")
    bad = readable.isna().to_numpy()
    if bad.any() or not pd.api.types.is_datetime64_any_dtype(readable.dtype):
        expected = "datetimes, ISO 8601 or numbers, of the years 1677 to 2262"
        raise _error(series, expected, bad if bad.any() else None)
    # Offsets that differ, or that only some of the times have: those without are clock readings of the zone.
    has_offset = series.astype(str).str.contains(_OFFSET, regex=True).to_numpy(np.bool_)
    moments = readable.reset_index(drop=True)
    readings = _localised(moments[~has_offset].dt.tz_localize(None), timezone).dt.tz_convert("UTC")
    moments[~has_offset] = readings
    return moments


def value_column(series: pd.Series, name: str, kind: pa.DataType, factor: float = 1.0) -> pa.Array:
    """A column as the plain type of ours, null where it is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> value_column(pd.Series([200, None, 404.0]), "status_code", pa.int16()).to_pylist()
    [200, None, 404]
    """
    if name.endswith("_seconds") and series.dtype.kind == "m":
        series, factor = series.dt.total_seconds(), 1.0
    column = _cast(series, pa.string() if pa.types.is_dictionary(kind) else kind)
    if factor != 1.0:
        column = pc.multiply(column, factor)
    _check_range(series, name, column)
    return column


def _cast(series: pd.Series, kind: pa.DataType) -> pa.Array:
    try:
        column = pa.array(series, from_pandas=True)
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if pa.types.is_string(kind) and not _is_text(whole.type):
            raise pa.ArrowInvalid("not text")
        return whole.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        raise _error(series, _WORDS[kind], _unfit(series, kind)) from None


_WORDS = {
    pa.string(): "strings (astype(str) makes them of anything)",
    pa.int16(): "whole numbers",
    pa.int64(): "whole numbers",
    pa.float64(): "numbers",
}


def _is_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_null(inner))


def _unfit(series: pd.Series, kind: pa.DataType) -> BoolArray | None:
    """Which rows do not fit, by trying each: only after the whole did not."""
    bad = np.array([not _fits(value, kind) for value in series.array])
    return bad if bad.any() else None


def _fits(value: Any, kind: pa.DataType) -> bool:
    try:
        scalar = pa.array([value], from_pandas=True)
        if pa.types.is_string(kind):
            return _is_text(scalar.type)
        scalar.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return False
    return True


def _check_range(series: pd.Series, name: str, column: pa.Array) -> None:
    if name in _REQUIRED and column.null_count:
        raise _error(series, "a value in every row", column.is_null().to_numpy(zero_copy_only=False))
    expected, check = _RANGES.get(name, ("", None))
    if check is None and name.endswith("_seconds"):
        expected, check = "a number >= 0", lambda c: pc.and_(pc.greater_equal(c, 0.0), pc.is_finite(c))
    if check is not None:
        bad = pc.and_(pc.invert(check(column)), column.is_valid()).fill_null(False).to_numpy(zero_copy_only=False)
        if bad.any():
            raise _error(series, expected, bad)


def _error(series: pd.Series, expected: str, bad: BoolArray | None) -> ConfigError:
    """The standard message with the first bad row, by its position."""
    if bad is None:
        return ConfigError.at(_where(series), expected, str(series.dtype))
    row = int(np.flatnonzero(bad)[0])
    got = series.iloc[row]
    shown = repr(got.item() if isinstance(got, np.generic) else got)[:_SHOWN_CHARACTERS]
    return ConfigError(f"{_where(series)}: expected {expected}, got {shown} in row {row}")


def _where(series: pd.Series) -> str:
    return f"df[{series.name!r}]"
