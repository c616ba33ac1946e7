"""How good the data of a report are: gaps, late rows, clocks that differ, certificates that end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aiops_nb.core.types import FloatArray, IntArray

GAP_INTERVALS = 5  # a pause so many times as long as the median one is a gap
SHORTEST_GAP_SECONDS = 5.0


def quality_table(*tables: pd.DataFrame) -> pd.DataFrame:
    """One row for each source and target.

    Parameters
    ----------
    *tables
        Requests and samples as `Recording.requests()` and `.samples()` give them.

    Returns
    -------
    pandas.DataFrame
        `rows`; `interval_seconds`, the median time between rows; `gaps`, pauses of more than five intervals and five
        seconds; `longest_gap_seconds`; `gap_ratio`, the share of the time that lies in gaps; `late_rows`, which arrived
        after a newer row of the same series; `largest_lateness_seconds`. Those with the most gaps first.
    """
    rows = [
        {"source": source, "target": target} | _quality(part)
        for table in tables
        for (source, target), part in table.groupby(["source", "target"], observed=True)
    ]
    columns = None if rows else ["source", "target", "rows"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values("gap_ratio", ascending=False, ignore_index=True) if rows else found


def _quality(part: pd.DataFrame) -> dict[str, Any]:
    arrived: IntArray = part["time"].to_numpy("datetime64[ns]").astype(np.int64)
    newest = np.maximum.accumulate(arrived)
    lateness = (newest - arrived) / 1e9
    pauses: FloatArray = np.diff(np.unique(arrived)).astype(np.float64) / 1e9
    interval = float(np.median(pauses)) if len(pauses) else float("nan")
    gaps = pauses[pauses > max(GAP_INTERVALS * interval, SHORTEST_GAP_SECONDS)] if len(pauses) else pauses
    return {
        "rows": len(part),
        "interval_seconds": interval,
        "gaps": len(gaps),
        "longest_gap_seconds": float(gaps.max()) if len(gaps) else 0.0,
        "gap_ratio": float(gaps.sum() / pauses.sum()) if len(pauses) else 0.0,
        "late_rows": int((lateness > 0).sum()),
        "largest_lateness_seconds": float(lateness.max()) if len(lateness) else 0.0,
    }


def certificate_table(requests: pd.DataFrame) -> pd.DataFrame:
    """The last certificate of each target that has one, the one that ends first at the top.

    Parameters
    ----------
    requests
        As `Recording.requests()` gives them.

    Returns
    -------
    pandas.DataFrame
        `target`, `certificate_expires` (UTC, or the zone of the rows) and `remaining_seconds` at the last probe.
    """
    seen = requests[requests["certificate_expires"].notna()]
    last = seen.groupby("target", observed=True).tail(1)
    expires = pd.to_datetime(last["certificate_expires"], utc=True)
    remaining = (expires - last["time"]).dt.total_seconds()
    table = last[["target", "certificate_expires"]].assign(remaining_seconds=remaining)
    return table.sort_values("certificate_expires", ignore_index=True)
