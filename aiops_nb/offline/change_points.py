"""When a series changed: the dates of lasting changes in a stretch that is already known, by ruptures."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops_nb.core.errors import ConfigError, MissingExtraError, positive
from aiops_nb.core.types import FloatArray

if TYPE_CHECKING:
    import pandas as pd

SHORTEST_POINTS = 8
PENALTY = 3.0


def change_points(
    series: pd.Series, *, penalty: float = PENALTY, shortest_points: int = SHORTEST_POINTS
) -> pd.DataFrame:
    """Date the lasting changes of level in a stretch of a series, such as the hour before an alarm.

    The stretch is cut where that lowers the squared distance from the means of the parts by more than `penalty` x
    log(points) x the variance of the noise (Arlot, Celisse and Harchaoui 2019; `KernelCPD`, linear kernel). Values that
    are not finite are left out. A thousand points take a few milliseconds; the cost grows with their square.

    Parameters
    ----------
    series
        Numbers by time. Rows out of order are taken in order of time.
    penalty
        The larger, the fewer changes.
    shortest_points
        Between two changes.

    Returns
    -------
    pandas.DataFrame
        By time of the first value behind the change: mean `before` and `after` it, and `deviations`, their difference
        in deviations of the noise.

    Raises
    ------
    MissingExtraError
        Without ruptures.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.date_range("2026-01-01", periods=200, freq="1min", tz="UTC")
    >>> level = np.where(np.arange(200) < 120, 0.2, 0.5) + np.random.default_rng(0).normal(size=200) * 0.02
    >>> change_points(pd.Series(level, index=times)).round(1)[["before", "after"]]
                               before  after
    2026-01-01 02:00:00+00:00     0.2    0.5
    """
    import pandas as pd

    positive("penalty", penalty)
    positive("shortest_points", shortest_points)
    known = _known(series)
    value = known.to_numpy(np.float64)
    noise = _noise(value)
    cuts = _cuts(value / noise, penalty * np.log(max(len(value), 2)), shortest_points)
    edges = [0, *cuts, len(value)]
    means = [float(np.mean(value[first:last])) for first, last in pairwise(edges) if last > first]
    columns = {"before": means[:-1], "after": means[1:], "deviations": np.diff(means) / noise if means else []}
    return pd.DataFrame(columns, index=known.index[cuts])


def _known(series: pd.Series) -> pd.Series:
    """Its finite numbers, in order of time."""
    import pandas as pd

    if not isinstance(series, pd.Series):
        raise ConfigError.at("series", "a pandas Series of numbers by time", type(series).__name__)
    try:
        value = series.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise ConfigError.at("series", "numbers", f"values of type {series.dtype}") from None
    finite = np.isfinite(value)
    return pd.Series(value[finite], index=series.index[finite]).sort_index(kind="stable")


def _noise(value: FloatArray) -> float:
    """Deviation of a value about its level, from the differences: a change of level hardly moves it."""
    if len(value) < 2:
        return 1.0
    step = np.abs(np.diff(value))
    typical = float(np.median(step)) or float(np.mean(step))
    return typical / (np.sqrt(2.0) * 0.6745) or 1.0


def _cuts(value: FloatArray, penalty: float, shortest_points: int) -> list[int]:
    if len(value) < 2 * shortest_points:
        return []
    try:
        ruptures: Any = import_module("ruptures")
    except ImportError:
        raise MissingExtraError("dated change points", "detect") from None
    found = ruptures.KernelCPD(kernel="linear", min_size=shortest_points).fit(value.reshape(-1, 1)).predict(pen=penalty)
    return [int(at) for at in found[:-1]]
