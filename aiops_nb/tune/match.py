"""Which alerts found which faults, by events: no point of a series is scored, no credit is given twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiops_nb.alert.grouping import GROUPING_DETECTOR, name_of_group

TOLERANCE_SECONDS = 5.0

BoolMatrix = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Alerts held against labels.

    Attributes
    ----------
    labels
        The faults asked for, with `found`, `alertname` of the first alert that found it, and `delay_seconds` from the
        start of the fault to the start of that alert (NaN if missed).
    alerts
        The alerts that fired, with `is_false`: it began while nothing was wrong with its target.
    """

    labels: pd.DataFrame
    alerts: pd.DataFrame

    @property
    def found(self) -> int:
        """Faults found."""
        return int(self.labels["found"].sum())

    @property
    def missed(self) -> int:
        """Faults missed."""
        return len(self.labels) - self.found

    @property
    def false_alarms(self) -> int:
        """Alerts that began while nothing was wrong."""
        return int(self.alerts["is_false"].sum())


def match(
    alerts: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    kinds: Sequence[str] | None = None,
) -> Matches:
    """Hold alerts against labels.

    A fault is found if an alert of its target starts within `[start, end + tolerance]`. An alert of its target that
    starts there is never false; any other is. A label's target covers what lies below it (`http://host` covers
    `http://host/a`), and an empty one covers everything.

    Parameters
    ----------
    alerts
        Episodes as `alerts()` gives them; those that never fired, or that another one inhibits, are left out. An alert
        of several targets finds the faults that its single alerts would have, and counts as one alert.
    labels
        As `read_labels` gives them.
    tolerance_seconds
        How late after the end of a fault an alert still counts as finding it.
    kinds
        Faults asked for; others are neither found nor missed, and an alert during one is not false.

    Returns
    -------
    Matches
        Faults with the alert that found them, and alerts with `is_false`.

    Examples
    --------
    >>> at = lambda second: pd.Timestamp(second, unit="s", tz="UTC")
    >>> labels = pd.DataFrame({"kind": ["slow"], "target": [""], "start": [at(100)], "end": [at(120)]})
    >>> alerts = pd.DataFrame({"alertname": "a", "target": "t", "starts_at": [at(50), at(107)]})
    >>> matches = match(alerts, labels)
    >>> matches.found, matches.false_alarms, matches.labels["delay_seconds"].tolist()
    (1, 1, [7.0])
    """
    fired = notified_or_grouped(alerts)
    hits = _hits(fired, labels, pd.Timedelta(seconds=tolerance_seconds))
    asked = np.ones(len(labels), bool) if kinds is None else labels["kind"].isin(list(kinds)).to_numpy()
    is_false = np.logical_not(with_members(_any(hits, axis=0), fired))
    return Matches(
        labels=_found(labels[asked].reset_index(drop=True), fired, hits[asked]),
        alerts=fired.assign(is_false=is_false)[is_notified_itself(fired)].reset_index(drop=True),
    )


def _hits(alerts: pd.DataFrame, labels: pd.DataFrame, tolerance: pd.Timedelta) -> BoolMatrix:
    """(labels, alerts): whether the alert starts within the label, of its target."""
    at = alerts["starts_at"].to_numpy("datetime64[ns]")
    start = labels["start"].to_numpy("datetime64[ns]")[:, None]
    end = (labels["end"] + tolerance).to_numpy("datetime64[ns]")[:, None]
    targets = _targets(alerts)
    covered = [
        [any(covers(label, target) for label in labelled for target in several) for several in targets]
        for labelled in (label_targets(label) for _, label in labels.iterrows())
    ]
    hits: BoolMatrix = (start <= at) & (at <= end) & np.array(covered, bool).reshape(len(labels), len(alerts))
    return hits


def label_targets(label: pd.Series) -> tuple[str, ...]:
    """What a label is about; an empty name is everything."""
    several = label.get("targets")
    return several if isinstance(several, tuple) and several else (str(label["target"]),)


def _targets(alerts: pd.DataFrame) -> list[tuple[str, ...]]:
    """The targets that each alert is about: of a group all its members."""
    single: list[tuple[str, ...]] = [(str(target),) for target in alerts["target"]]
    if "members" not in alerts:
        return single
    several = [tuple(members) if isinstance(members, tuple) else () for members in alerts["members"]]
    return [members or one for members, one in zip(several, single, strict=True)]


def _any(hits: BoolMatrix, axis: int) -> BoolMatrix:
    some: BoolMatrix = np.any(hits, axis=axis)
    return some


def covers(label_target: str, target: str) -> bool:
    """Whether a fault of the one is a fault of the other.

    Examples
    --------
    >>> covers("http://a:1", "http://a:1/b"), covers("http://a:1/b", "http://a:1/bc"), covers("", "x")
    (True, False, True)
    """
    return label_target in ("", target) or target.startswith(label_target.rstrip("/") + "/")


def _found(labels: pd.DataFrame, alerts: pd.DataFrame, hits: BoolMatrix) -> pd.DataFrame:
    found = _any(hits, axis=1)
    first = alerts.iloc[hits.argmax(axis=1)] if len(alerts) else alerts.reindex(range(len(labels)))
    delay = (first["starts_at"].reset_index(drop=True) - labels["start"]).dt.total_seconds()
    names = first["alertname"].reset_index(drop=True)
    return labels.assign(found=found, alertname=names.where(found, ""), delay_seconds=delay.where(found))


BoolVector = npt.NDArray[np.bool_]


def notified_or_grouped(alerts: pd.DataFrame) -> pd.DataFrame:
    """The episodes that were notified, by themselves or by an alert of several targets, in the order of their starts.

    Examples
    --------
    >>> columns = {"alertname": "slow", "starts_at": pd.Timestamp(5, unit="s", tz="UTC")}
    >>> columns |= {"detector": ["grouping", "robust_z", "robust_z"]}
    >>> columns |= {"inhibited_by": ["", "slow of several targets", "http_5xx"]}
    >>> notified_or_grouped(pd.DataFrame(columns)).index.tolist()
    [0, 1]
    """
    fired = alerts[alerts["starts_at"].notna()]
    itself = is_notified_itself(fired)
    if not itself.all():
        many = fired.loc[itself & (fired["detector"] == GROUPING_DETECTOR), "alertname"].unique()
        fired = fired[itself | fired["inhibited_by"].isin([name_of_group(name) for name in many])]
    return fired.sort_values("starts_at", kind="stable").reset_index(drop=True)


def is_notified_itself(alerts: pd.DataFrame) -> BoolVector:
    """Which of them are notifications of their own, not inhibited by another alert."""
    if "inhibited_by" not in alerts:
        return np.ones(len(alerts), bool)
    return (alerts["inhibited_by"] == "").to_numpy(bool)


def with_members(hit: BoolVector, alerts: pd.DataFrame) -> BoolVector:
    """An alert of several targets hits what one of its single alerts hits.

    Examples
    --------
    >>> at = lambda second: pd.Timestamp(second, unit="s", tz="UTC")
    >>> row = {"alertname": "slow", "pending_at": at(0), "ends_at": at(60), "detector": "robust_z"}
    >>> single, many = row | {"starts_at": at(3)}, row | {"starts_at": at(5), "detector": "grouping"}
    >>> with_members(np.array([True, False]), pd.DataFrame([single, many])).tolist()
    [True, True]
    """
    if "detector" not in alerts:
        return hit
    hit = hit.copy()
    for place in np.flatnonzero(alerts["detector"] == GROUPING_DETECTOR):
        hit[place] = hit[place] or bool(hit[_members(alerts, alerts.iloc[place])].any())
    return hit


def _members(alerts: pd.DataFrame, many: pd.Series) -> BoolVector:
    last = alerts["starts_at"].max() if pd.isna(many["ends_at"]) else many["ends_at"]
    during = alerts["starts_at"].between(many["pending_at"], last)
    members: BoolVector = (during & (alerts["alertname"] == many["alertname"])).to_numpy(bool)
    return members
