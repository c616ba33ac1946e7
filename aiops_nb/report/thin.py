"""Fewer points for a chart, without losing what the eye looks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd

How = Literal["min", "max", "mean"]
POINTS_PER_PAGE = 120_000  # 8 bytes each, base64: 1.3 MB at most beside BokehJS


def thin(table: pd.DataFrame, how: Mapping[str, How], points: int) -> pd.DataFrame:
    """At most `points` rows: equal slices of time, each column reduced as told.

    A slice stands at its first row's time. Peaks survive `max`, and a slice without values stays empty, so gaps show.

    Examples
    --------
    >>> table = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=4, freq="s"), "v": [1, 9, 2, 3]})
    >>> thin(table, {"v": "max"}, points=2)["v"].tolist()
    [9, 3]
    """
    kept = table[["time", *how]]
    if len(table) <= points:
        return kept.reset_index(drop=True)
    since_ns = (table["time"] - table["time"].min()).dt.as_unit("ns").astype("int64")
    width_ns = since_ns.max() // points + 1
    slices = kept.groupby(since_ns // width_ns)
    return slices.agg({"time": "min", **how}).reset_index(drop=True)


def points_each(series: int, columns: int) -> int:
    """How many points each of some series may have, so that the page stays small."""
    return max(200, min(2000, POINTS_PER_PAGE // max(1, series * columns)))
