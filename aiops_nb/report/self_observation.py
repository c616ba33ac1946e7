"""The health of the monitor itself while it recorded."""

from __future__ import annotations

import pandas as pd

from aiops_nb.core.schemas import SELF_SOURCE

LARGEST = {"lag_seconds": "max_lag_seconds", "queue_batches": "max_queued_batches"}


def observed(samples: pd.DataFrame) -> pd.DataFrame:
    """The samples of what was monitored, without those of the monitor about itself."""
    return samples[samples["source"] != SELF_SOURCE]


def monitor_table(samples: pd.DataFrame) -> pd.DataFrame:
    """One row for each source, and one for the monitor: totals at their end, the largest lag and queue.

    Parameters
    ----------
    samples
        Rows as `Recording.samples()` gives them.

    Returns
    -------
    pandas.DataFrame
        By `source`; empty if the monitor did not sample itself. Totals of several runs are added up.

    Examples
    --------
    >>> columns = {"source": "aiops_nb", "target": "web", "metric": "rows_total", "value": [5.0, 9.0, 2.0]}
    >>> monitor_table(pd.DataFrame(columns)).loc["web", "rows_total"].item()
    11.0
    """
    own = samples[samples["source"] == SELF_SOURCE].astype({"target": object, "metric": object})
    if own.empty:
        return pd.DataFrame()
    totals = own[own["metric"].str.endswith("_total")]
    ends = totals.groupby(["target", "metric"])["value"].agg(_total).unstack()
    largest = own[own["metric"].isin(LARGEST)].groupby(["target", "metric"])["value"].max().unstack()
    totals_shown = ends.loc[:, (ends.fillna(0) != 0).any()] if len(ends) else ends
    table = totals_shown.join(largest.rename(columns=LARGEST), how="outer")
    table.index.name = "source"
    return table.rename_axis(columns=None)


def _total(values: pd.Series) -> float:
    """What a counter rose by, over restarts from 0."""
    rises = values.diff()
    return float(values.iloc[0] + rises.where(rises >= 0, values).iloc[1:].sum())
