"""DataFrames of an older tool's events: a request, and what CPU and memory were at then, in percent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from aiops_nb.collect.frame.columns import value_column
from aiops_nb.collect.frame.rows import FrameSource
from aiops_nb.core.types import IntArray

if TYPE_CHECKING:
    import pandas as pd

EVENT_COLUMNS = {
    "timestamp": "time",
    "endpoint": "target",
    "status_code": "status_code",
    "response_time": "duration_ms",
    "ip": "client_ip",
    "method": "method",
}
SAMPLED = {"cpu_usage": "cpu_ratio", "memory_usage": "memory_ratio"}
_HOST = "host"  # as for events that come by a socket


def are_events(df: pd.DataFrame) -> bool:
    """Whether the columns are called as those of events, and not as ours.

    Examples
    --------
    >>> import pandas as pd
    >>> [are_events(pd.DataFrame(columns=[name, "endpoint"])) for name in ("timestamp", "time")]
    [True, False]
    """
    return {"timestamp", "endpoint"} <= set(df.columns) and set(df.columns).isdisjoint({"time", "target"})


def event_samples(df: pd.DataFrame, name: str, time_ns: IntArray, sort: bool) -> FrameSource | None:
    """CPU and memory of events as samples; None if there are none."""
    percents = {
        ours: value_column(df[theirs], theirs, pa.float64()) for theirs, ours in SAMPLED.items() if theirs in df
    }
    if not percents:
        return None
    rows = np.repeat(np.arange(len(df)), len(percents))
    values = np.stack([column.to_numpy(zero_copy_only=False) for column in percents.values()], axis=1).ravel() / 100
    known = ~np.isnan(values)
    metrics = np.tile(np.array(list(percents)), len(df))[known]
    arrays = {"metric": pa.array(metrics, pa.string()), "value": pa.array(values[known])}
    return FrameSource("samples", name, time_ns[rows[known]], arrays, {"target": _HOST}, sort)
