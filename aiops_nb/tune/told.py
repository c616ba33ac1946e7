"""Which episodes somebody was told of, and which were told as one of many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiops_nb.alert.together_params import TOGETHER_DETECTOR, name_of_many

BoolVector = npt.NDArray[np.bool_]


def told_or_of_many(alerts: pd.DataFrame) -> pd.DataFrame:
    """The episodes that were told, by themselves or by an alert of many targets, in the order of their starts.

    Examples
    --------
    >>> columns = {"alertname": "slow", "starts_at": pd.Timestamp(5, unit="s", tz="UTC")}
    >>> columns |= {"detector": ["together", "robust_z", "robust_z"]}
    >>> told_or_of_many(pd.DataFrame(columns | {"suppressed_by": ["", "slow of many", "http_5xx"]})).index.tolist()
    [0, 1]
    """
    fired = alerts[alerts["starts_at"].notna()]
    itself = is_told_itself(fired)
    if not itself.all():
        many = fired.loc[itself & (fired["detector"] == TOGETHER_DETECTOR), "alertname"].unique()
        fired = fired[itself | fired["suppressed_by"].isin([name_of_many(name) for name in many])]
    return fired.sort_values("starts_at", kind="stable").reset_index(drop=True)


def is_told_itself(alerts: pd.DataFrame) -> BoolVector:
    """Which of them are notifications of their own, none that another explains."""
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
