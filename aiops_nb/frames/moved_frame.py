"""The frame of what moved; imported late, because its class needs pandas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from aiops_nb.core.quantities import readable, readable_name, unit_name
from aiops_nb.frames.html import moved_html

MOST_ROWS = 30
SHOWN_ANYWAY = 3  # where nothing clearly moved


class MovedFrame(pd.DataFrame):
    """A DataFrame of series by how far they left their baseline; a notebook shows the verdict above them.

    It is a plain DataFrame in all else: slices and results of its methods are plain DataFrames.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    @property
    def verdict(self) -> str:
        """How many series clearly moved, or that it is not clear."""
        return str(self.attrs.get("verdict", ""))

    def in_words(self, most: int = MOST_ROWS) -> list[dict[str, str]]:
        """The first rows as people read them: those that clearly moved, or a few that moved furthest."""
        clear = int(self["is_clear"].sum())
        rows = self[self["distance"].notna()].head(min(clear or SHOWN_ANYWAY, most))
        marks = self[self["table"] == "marks"].tail(most)
        return [row_in_words(row) for row in [*marks.to_dict("records"), *rows.to_dict("records")]]

    def _repr_html_(self) -> str:
        return moved_html(self.verdict, self.in_words())


def row_in_words(row: Mapping[Any, Any]) -> dict[str, str]:
    """A row of `what_moved` in words.

    Examples
    --------
    >>> row = {"table": "samples", "target": "db", "metric": "cpu_ratio", "change": "up", "before": 0.2, "during": 0.9}
    >>> row_in_words(row | {"distance": 12.3, "onset": pd.NaT})["moved"]
    '20 % -> 90 %'
    """
    has_own_name = row["table"] != "requests"
    is_sample, metric, change = row["table"] == "samples", str(row["metric"]), str(row["change"])
    unit = unit_name("value", metric) if is_sample else unit_name(metric, "")
    before, during = (readable(float(one), unit) if pd.notna(one) else "?" for one in (row["before"], row["during"]))
    return {
        "target": str(row["target"]),
        "name": metric if has_own_name else readable_name(metric),
        "moved": change if change in ("new", "gone", "mark", "") else f"{before} -> {during}",
        "since": f"{row['onset']:%H:%M:%S}" if pd.notna(row["onset"]) else "",
        "distance": f"{row['distance']:.3g}" if pd.notna(row["distance"]) else "",
    }
