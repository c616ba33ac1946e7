"""What a series of values by time holds: its times, its numbers, its typical interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import FloatArray, IntArray
from aiops_nb.detect.kernel import known
from aiops_nb.detect.time_of_day import zone

if TYPE_CHECKING:
    import pandas as pd

AnyArray = np.ndarray[Any, np.dtype[Any]]
FIRST_POINTS = 21  # their typical distance is taken as the series' interval


def times_of(series: pd.Series, timezone: str | None) -> tuple[pd.DatetimeIndex, IntArray, str]:
    """UTC times, the same on local clocks in ns, and the name of the local zone."""
    import pandas as pd

    if not isinstance(series, pd.Series) or not isinstance(series.index, pd.DatetimeIndex):
        hint = 'set the index, as in s.index = pd.to_datetime(df["timestamp"])'
        raise ConfigError(
            f"series: expected a pandas Series of numbers by time (DatetimeIndex), got {_kind_of(series)!r}; {hint}"
        )
    if series.index.hasnans:
        raise ConfigError.at("series", "a time in each row", f"none in row {int(np.argmax(series.index.isna()))}")
    given = series.index if series.index.tz is not None else series.index.tz_localize("UTC")
    utc = _in_ns(given.tz_convert("UTC"))
    name = timezone or str(given.tz)
    if timezone is not None:
        zone(timezone)
    local = utc.tz_convert(timezone or given.tz).tz_localize(None)
    return utc, local.asi8, name


def require_frame(df: object) -> None:
    """Raise unless it is a frame whose columns have distinct names."""
    import pandas as pd

    if not isinstance(df, pd.DataFrame):
        raise ConfigError.at("df", "a pandas DataFrame of numbers by time", type(df).__name__)
    if not df.columns.is_unique:
        twice = df.columns[df.columns.duplicated()][0]
        raise ConfigError.at("df", "another name for each column", f"{twice} twice")


def _in_ns(utc: pd.DatetimeIndex) -> pd.DatetimeIndex:
    import pandas as pd

    try:
        return utc.as_unit("ns")
    except pd.errors.OutOfBoundsDatetime:
        raise ConfigError.at("series", "times from 1677 to 2262", f"{utc.min()} to {utc.max()}") from None


def _kind_of(series: object) -> str:
    index = getattr(series, "index", None)
    return f"{type(series).__name__} by {type(index).__name__}" if hasattr(index, "dtype") else type(series).__name__


def values_of(series: pd.Series) -> FloatArray:
    """Its numbers; NaN where they are not known."""
    import pandas as pd

    dtype, unlike = series.dtype, ConfigError.at("series", "numbers", f"values of type {series.dtype}")
    if any(kind(dtype) for kind in (pd.api.types.is_complex_dtype, pd.api.types.is_datetime64_any_dtype)):
        raise unlike
    if pd.api.types.is_timedelta64_dtype(dtype):
        raise unlike
    try:
        value = series.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    except (TypeError, ValueError):
        raise unlike from None
    value[~known(value)] = np.nan
    return value


def typical_interval_seconds(times_ns: IntArray) -> float:
    """Typical distance of the first values, so that what comes later changes nothing; 300 if there is none."""
    steps = np.diff(times_ns[:FIRST_POINTS])
    steps = steps[steps > 0]
    return float(np.median(steps)) / 1e9 if len(steps) else 300.0


def in_given_order(
    utc: pd.DatetimeIndex, order: IntArray, given: Mapping[str, AnyArray], columns: Mapping[str, AnyArray]
) -> pd.DataFrame:
    """The columns, computed in order of time, in the order that was given."""
    import pandas as pd

    back = np.argsort(order, kind="stable")
    return pd.DataFrame({**given, **{name: column[back] for name, column in columns.items()}}, index=utc)
