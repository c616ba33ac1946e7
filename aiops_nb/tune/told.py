"""Which episodes somebody was told of, and which were told as one of many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiops_nb.alert.together_params import TOGETHER_DETECTOR

OF_MANY = " of many"

BoolVector = npt.NDArray[np.bool_]


def told(alerts: pd.DataFrame) -> pd.DataFrame:
    """The episodes that somebody was told of."""
    fired = alerts[alerts["starts_at"].notna()]
    return fired[fired["suppressed_by"] == ""] if "suppressed_by" in fired else fired


def told_or_of_many(alerts: pd.DataFrame) -> pd.DataFrame:
    """The episodes that were told, by themselves or by an alert of many targets, in the order of their starts."""
    fired = alerts[alerts["starts_at"].notna()]
    if "suppressed_by" in fired:
        by = fired["suppressed_by"].astype(str)
        fired = fired[(by == "") | by.str.endswith(OF_MANY)]
    return fired.sort_values("starts_at", kind="stable").reset_index(drop=True)


def is_told_itself(alerts: pd.DataFrame) -> BoolVector:
    """Which of them are notifications of their own."""
    if "suppressed_by" not in alerts:
        return np.ones(len(alerts), bool)
    return (alerts["suppressed_by"] == "").to_numpy(bool)


def with_members(hit: BoolVector, alerts: pd.DataFrame) -> BoolVector:
    """An alert of many hits what one of its single alerts hits.

    Examples
    --------
    >>> at = lambda second: pd.Timestamp(second, unit="s", tz="UTC")
    >>> row = {"alertname": "slow", "pending_at": at(0), "ends_at": at(60), "detector": "robust_z"}
    >>> single, many = row | {"starts_at": at(3)}, row | {"starts_at": at(5), "detector": "together"}
    >>> with_members(np.array([True, False]), pd.DataFrame([single, many])).tolist()
    [True, True]
    """
    if "detector" not in alerts:
        return hit
    hit = hit.copy()
    for place in np.flatnonzero(alerts["detector"] == TOGETHER_DETECTOR):
        hit[place] = hit[place] or bool(hit[_members(alerts, alerts.iloc[place])].any())
    return hit


def _members(alerts: pd.DataFrame, many: pd.Series) -> BoolVector:
    last = alerts["starts_at"].max() if pd.isna(many["ends_at"]) else many["ends_at"]
    during = alerts["starts_at"].between(many["pending_at"], last)
    members: BoolVector = (during & (alerts["alertname"] == many["alertname"])).to_numpy(bool)
    return members
