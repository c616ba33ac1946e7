"""Frames by the clock of a time zone: the zone is part of the column's type, so tables and charts know it."""

from __future__ import annotations

import pandas as pd


def in_zone(frame: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """The same moments by another clock.

    Parameters
    ----------
    frame
        Columns of times have a zone, UTC in all tables of the package.
    timezone
        IANA name.

    Examples
    --------
    >>> frame = pd.DataFrame({"time": pd.to_datetime(["2026-01-01T00:00:00Z"]), "value": [1.0]})
    >>> str(in_zone(frame, "Asia/Seoul")["time"].iloc[0])
    '2026-01-01 09:00:00+09:00'
    """
    zoned = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.DatetimeTZDtype)]
    return frame.assign(**{str(name): frame[name].dt.tz_convert(timezone) for name in zoned})


def wall_times(frame: pd.DataFrame) -> pd.DataFrame:
    """What the clocks of the zone show, without it, as charts draw it: a browser would show UTC."""
    zoned = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.DatetimeTZDtype)]
    return frame.assign(**{str(name): frame[name].dt.tz_localize(None) for name in zoned})


def zone_name(column: pd.Series) -> str:
    """The name of the zone of a column of times; empty for another column.

    Examples
    --------
    >>> zone_name(pd.Series(pd.to_datetime(["2026-01-01T00:00:00Z"]))), zone_name(pd.Series([1]))
    ('UTC', '')
    """
    kind = column.dtype
    return str(kind.tz) if isinstance(kind, pd.DatetimeTZDtype) else ""
