"""Preprocessing of what is there already: series and frames of pandas, by the very steps that clean a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import NS_PER_SECOND, FloatArray, IntArray
from aiops_nb.preprocess.params import ResampleParams, StepParams, as_steps
from aiops_nb.preprocess.steps import chain

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 50_000_000  # a stray row from 1970 would make a grid that no memory holds


def preprocess_series(series: pd.Series, steps: Sequence[StepParams | Mapping[str, object]]) -> pd.Series:
    """Preprocess one series, oldest value first; equals what a stream of the same values gives, to the bit.

    Parameters
    ----------
    series
        Numbers; NaN or null where not known. With `ResampleParams` as the first step it is indexed by time (UTC unless
        it carries a zone), in order, and the result lies on the even grid; else index and length stay.
    steps
        Parameters of the steps, in order; or mappings, as a config has them.

    Returns
    -------
    pandas.Series
        The preprocessed values, in the unit of the series unless it is scaled; NaN during warm-up.

    Raises
    ------
    ConfigError
        If a step is wrong, the values are no numbers, or the times cannot be resampled.

    Examples
    --------
    >>> import pandas as pd
    >>> preprocess_series(pd.Series([1.0, 50.0, 3.0]), [{"type": "moving_median", "window_values": 3}]).tolist()
    [1.0, 25.5, 3.0]
    """
    _check_kind("series", series, "Series")
    cleaned: pd.Series = preprocess_frame(series.to_frame("value"), steps)["value"]
    cleaned.name = series.name
    return cleaned


def preprocess_frame(df: pd.DataFrame, steps: Sequence[StepParams | Mapping[str, object]]) -> pd.DataFrame:
    """Preprocess each column as a series; see `preprocess_series`.

    A long frame (one row a series and time) is turned first: `df.pivot_table(index="time", columns="target",
    values="value")`.

    Parameters
    ----------
    df
        One column per series, indexed by time; a row per time.
    steps
        Parameters of the steps, in order; or mappings, as a config has them.

    Returns
    -------
    pandas.DataFrame
        The preprocessed columns under their names.

    Raises
    ------
    ConfigError
        If a step is wrong, the values are no numbers, or the times cannot be resampled.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.to_datetime(["2026-01-01 00:00:00.4", "2026-01-01 00:00:03.0"])
    >>> frame = pd.DataFrame({"cpu_ratio": [0.25, 0.5]}, index=times)
    >>> preprocess_frame(frame, [ResampleParams(interval_seconds=1, max_gap_seconds=1)])["cpu_ratio"].tolist()
    [0.25, nan, 0.5]
    """
    import pandas as pd

    _check_kind("df", df, "DataFrame")
    wanted = as_steps(steps)
    values, index, streamed = _numbers(df), df.index, chain(wanted)
    if wanted and isinstance(wanted[0], ResampleParams):
        values, index = _resampled(values, index, wanted[0])
        streamed = chain(wanted[1:])
    cleaned = np.empty_like(values)
    for row, tick in enumerate(values):
        cleaned[row] = streamed.apply(tick)
    return pd.DataFrame(cleaned, index=index, columns=df.columns)


def _check_kind(where: str, given: object, kind: str) -> None:
    import pandas as pd

    if not isinstance(given, getattr(pd, kind)):
        raise ConfigError.at(where, f"a pandas {kind}", type(given).__name__)


def _numbers(df: pd.DataFrame) -> FloatArray:
    for place, kind in enumerate(df.dtypes):
        if getattr(kind, "kind", "O") not in "iufb":
            raise ConfigError.at(f"column {df.columns[place]!r}", "numbers", str(kind))
    return df.to_numpy(np.float64, na_value=np.nan)


def _resampled(values: FloatArray, index: pd.Index, params: ResampleParams) -> tuple[FloatArray, pd.DatetimeIndex]:
    import pandas as pd

    time_ns, every_ns = _times_ns(index), round(params.interval_seconds * NS_PER_SECOND)
    grid_ns = _grid(time_ns, every_ns)
    zone = index.tz if isinstance(index, pd.DatetimeIndex) else None
    grid = pd.DatetimeIndex(grid_ns.view("M8[ns]"), name=index.name)
    on_grid = _nearest_before(values, time_ns, grid_ns, round(params.max_gap_seconds * NS_PER_SECOND))
    return on_grid, grid if zone is None else grid.tz_localize("UTC").tz_convert(zone)


def _times_ns(index: pd.Index) -> IntArray:
    import pandas as pd

    if not isinstance(index, pd.DatetimeIndex):
        raise ConfigError.at("resample", "an index of times", str(index.dtype))
    if index.hasnans:
        raise ConfigError("resample: expected a time in every row of the index, got NaT")
    if not index.is_monotonic_increasing:
        raise ConfigError.at("resample", "times in order (sort_index)", "times out of order")
    return np.asarray(index.as_unit("ns").asi8, np.int64)


def _grid(time_ns: IntArray, every_ns: int) -> IntArray:
    """Multiples of the distance from the first time to the last: no point lies beyond what is known."""
    if not len(time_ns):
        return np.empty(0, np.int64)
    first, last = -(-int(time_ns[0]) // every_ns), int(time_ns[-1]) // every_ns
    if last - first >= MOST_POINTS:
        raise ConfigError.at("resample", f"a grid of at most {MOST_POINTS} points", last - first + 1)
    return np.arange(first, last + 1, dtype=np.int64) * every_ns


def _nearest_before(values: FloatArray, time_ns: IntArray, grid_ns: IntArray, max_gap_ns: int) -> FloatArray:
    rows = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    last_known = np.maximum.accumulate(rows, axis=0)
    chosen = last_known[np.searchsorted(time_ns, grid_ns, side="right") - 1]
    age_ns = grid_ns[:, None] - time_ns[chosen]
    usable = (chosen >= 0) & (age_ns <= max_gap_ns)
    on_grid: FloatArray = np.where(usable, np.take_along_axis(values, np.maximum(chosen, 0), axis=0), np.nan)
    return on_grid
