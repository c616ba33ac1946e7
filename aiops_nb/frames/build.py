"""DataFrames of rows, features, scores and alerts: UTC times, units in the column names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops_nb.alert.grouping import GROUPING_DETECTOR, name_of_group
from aiops_nb.core.labels import PlacedMark
from aiops_nb.core.types import AlertChange, FeatureTableName, ScoredFeature, SeriesKey, Step, Tick
from aiops_nb.features.catalog import FEATURES
from aiops_nb.rules.feature.verdict_texts import wordings_of

if TYPE_CHECKING:
    import pandas as pd


KEYS: dict[FeatureTableName, tuple[str, ...]] = {
    "requests": ("target", "origin"),
    "overall": ("target", "origin"),
    "slo": ("target", "origin"),
    "samples": ("target", "metric"),
    "clients": ("client",),
}
AnyArray = np.ndarray[Any, np.dtype[Any]]
ALERT_COLUMNS = (
    "state",
    "severity",
    "alertname",
    "target",
    "summary",
    "starts_at",
    "ends_at",
    "inhibited_by",
    "outcome",
    "silenced_by",
    "acknowledged_by",
    "acknowledged_at",
    "note",
    "flapping",
    "value",
    "expected",
    "threshold",
    "pending_at",
    "metric",
    "client",
    "origin",
    "scope",
    "detector",
    "lower",
    "upper",
    "score",
    "contributions",
    "phase",
    "detail",
    "members",
    "fingerprint",
)
STATE_COLUMNS = (
    "state",
    "inhibited_by",
    "outcome",
    "fingerprint",
    "acknowledged_by",
    "note",
    "flapping",
)
LABEL_COLUMNS = ("alertname", "severity", "target", "origin", "scope", "metric", "client", "detector")
NUMBER_COLUMNS = ("value", "expected", "lower", "upper", "score", "threshold")
SCORE_NUMBERS = ("value", "expected", "lower", "upper", "score")
REASON_COLUMNS = ("contributions", "phase", "summary")
REASONS = "reasons"
Episode = dict[str, Any]


def features_frame(table: FeatureTableName, steps: Iterable[Step]) -> pd.DataFrame:
    """One row per closed window and series: time (end of the window), the series, its features.

    Runs of one recording may have had other features; what a window did not have is NaN.
    """
    import pandas as pd

    ticks = [tick for tick in _ticks(steps) if tick.features.table == table]
    names = dict.fromkeys(name for every in {tick.features.names: None for tick in ticks} for name in every)
    features = {name: _joined([_feature(tick, name) for tick in ticks]) for name in names or FEATURES[table]}
    return pd.DataFrame(_series_columns(table, ticks) | features)


def _feature(tick: Tick, name: str) -> AnyArray:
    known = name in tick.features.names
    return tick.features.column(name) if known else np.full(len(tick.features.series), np.nan)


def scores_frame(steps: Iterable[Step]) -> pd.DataFrame:
    """One row per closed window, series and rule.

    Of what is anomalous `contributions`, `phase` and `summary` are set, null for all else. `contributions` is JSON, as
    in `alerts_frame`; `phase` is null too where no part of a latency moved.
    """
    return with_reasons(bare_scores_frame(steps))


def bare_scores_frame(steps: Iterable[Step]) -> pd.DataFrame:
    """The same with one column of reasons, not yet put into words: cut it down before `with_reasons`."""
    import pandas as pd

    scored = [(tick, part) for tick in _ticks(steps) for part in tick.scored]
    counts = [len(part.value) for _, part in scored]
    columns = _scored_keys(scored)
    for name in ("alertname", "feature", "detector"):
        columns[name] = np.repeat(np.array([getattr(part, name) for _, part in scored], object), counts)
    columns["value"] = _joined([part.value for _, part in scored])
    for name in SCORE_NUMBERS[1:]:
        columns[name] = _joined([getattr(part.scores, name) for _, part in scored])
    columns["threshold"] = np.repeat([part.threshold for _, part in scored], counts)
    columns["is_anomaly"] = _joined([part.is_anomaly for _, part in scored]).astype(bool)
    columns["accepted"] = _joined([_accepted(part) for _, part in scored]).astype(bool)
    columns[REASONS] = _joined([reasons_of(part) for _, part in scored]).astype(object)
    return pd.DataFrame(columns)


def with_reasons(frame: pd.DataFrame) -> pd.DataFrame:
    """A bare frame of scores with its reasons in words."""
    anomalous = np.flatnonzero(frame[REASONS].notna())
    words = np.full((len(frame), len(REASON_COLUMNS)), None, object)
    if len(anomalous):
        words[anomalous] = wordings_of(frame[REASONS].iloc[anomalous].tolist())
    return frame.drop(columns=REASONS).assign(**dict(zip(REASON_COLUMNS, words.T.copy(), strict=True)))


def text_column(texts: Sequence[str | None]) -> AnyArray:
    """Strings and nulls as a column of a frame."""
    column = np.full(len(texts), None, object)
    column[:] = texts
    return column


def reasons_of(scored: ScoredFeature) -> AnyArray:
    """Of each of the n series, where to ask why it is anomalous; None if it is not."""
    places = np.full(len(scored.value), None, object)
    for number, at in enumerate(scored.reasons.series.tolist() if scored.reasons else ()):
        if scored.is_anomaly[at]:
            places[at] = scored, scored.reasons, number
    return places


def _accepted(scored: ScoredFeature) -> AnyArray:
    return scored.accepted if len(scored.accepted) else np.zeros(len(scored.value), np.bool_)


def marks_frame(marks: Iterable[PlacedMark]) -> pd.DataFrame:
    """One row per mark: time (UTC), text, target, author, id."""
    import pandas as pd

    rows = [(mark.time_ns, mark.text, mark.target, mark.author, mark.id) for mark in marks]
    frame = pd.DataFrame(rows, columns=["time", "text", "target", "author", "id"])
    frame["time"] = _utc(frame["time"])
    return frame


def alerts_frame(changes: Iterable[AlertChange]) -> pd.DataFrame:
    """One row per episode, newest state; numbers and summary are those of the moment when it began to fire.

    Episodes that were pending and never fired are left out once they are inactive. `contributions` is JSON: the share
    of each part in what was anomalous; empty of rules without a detector. `outcome` says why an episode is over.
    `silenced_by` (ids of silences, names of maintenance windows), `acknowledged_by`, `acknowledged_at` and `note` are
    what people answered; `flapping` is of now.
    """
    import pandas as pd

    episodes: dict[tuple[str, int], Episode] = {}
    for change in changes:
        key = change.fingerprint, change.pending_at_ns
        if change.state == "inactive":
            episodes.pop(key, None)
        else:
            episodes[key] = _episode(change, episodes.get(key))
    for episode in episodes.values():
        if episode["detector"] == GROUPING_DETECTOR:
            episode["members"] = _members(episode, episodes.values())
    frame = pd.DataFrame(list(episodes.values()), columns=list(ALERT_COLUMNS))
    for name in ("pending_at", "starts_at", "ends_at", "acknowledged_at"):
        # Through the frame an empty moment would make all of them floats, which cannot distinguish nanoseconds.
        frame[name] = _utc(pd.Series([episode[name] for episode in episodes.values()], dtype="Int64"))
    return frame


def _episode(change: AlertChange, before: Episode | None) -> Episode:
    episode: Episode = {name: change.labels.get(name, "") for name in LABEL_COLUMNS}
    kept = before if before is not None and change.state == "resolved" else None
    episode |= {name: getattr(change, name) for name in STATE_COLUMNS}
    episode["silenced_by"] = ", ".join(change.silenced_by)
    made = {name: getattr(change, name) for name in (*NUMBER_COLUMNS, "phase", "summary", "detail")}
    made["contributions"] = json.dumps(dict(change.contributions)) if change.contributions else ""
    episode |= {name: kept[name] if kept else value for name, value in made.items()}
    episode["members"] = change.members
    moments = {"pending_at": change.pending_at_ns, "starts_at": change.starts_at_ns, "ends_at": change.ends_at_ns}
    moments["acknowledged_at"] = change.acknowledged_at_ns
    return episode | moments


def _members(group: Episode, episodes: Iterable[Episode]) -> tuple[str, ...]:
    """Targets of a group's alert: those of its changes, and those that it inhibits since."""
    name, same = name_of_group(str(group["alertname"])), ("alertname", "origin")
    until = group["ends_at"]
    joined = [
        str(one["target"])
        for one in episodes
        if one["inhibited_by"] == name
        and all(one[label] == group[label] for label in same)
        and (until is None or one["pending_at"] <= until)
        and (one["ends_at"] is None or one["ends_at"] >= group["pending_at"])
    ]
    return tuple(dict.fromkeys([*group["members"], *joined]))


def _utc(times_ns: pd.Series) -> pd.Series:
    import pandas as pd

    return pd.to_datetime(times_ns.astype("Int64"), unit="ns", utc=True).astype("datetime64[ns, UTC]")


def _ticks(steps: Iterable[Step]) -> Iterable[Tick]:
    return (tick for step in steps for tick in step.ticks)


def _joined(parts: list[AnyArray]) -> AnyArray:
    return np.concatenate(parts) if parts else np.empty(0)


Columns = dict[str, object]
Keys = tuple[SeriesKey, ...]


def _series_columns(table: FeatureTableName, ticks: Sequence[Tick]) -> Columns:
    series = [tick.features.series for tick in ticks]
    columns: Columns = {"time": _times([tick.features.end_ns for tick in ticks], series)}
    return columns | {key: _names(series, attrgetter(key)) for key in KEYS[table]}


def _scored_keys(scored: Sequence[tuple[Tick, ScoredFeature]]) -> Columns:
    series = [part.series for _, part in scored]
    columns: Columns = {"time": _times([tick.features.end_ns for tick, _ in scored], series)}
    return columns | {key: _names(series, attrgetter(key)) for key in ("target", "origin", "metric")}


def _times(ends_ns: Sequence[int], series: Sequence[Keys]) -> pd.DatetimeIndex:
    import pandas as pd

    ends = np.repeat(np.array(ends_ns, "datetime64[ns]"), [len(keys) for keys in series])
    return pd.DatetimeIndex(ends).tz_localize("UTC")


def _names(several: Sequence[Keys], name: Callable[[SeriesKey], str]) -> AnyArray:
    """One name per tick and series; series tuples are shared between ticks, so each is read once."""
    known: dict[int, AnyArray] = {}
    parts = []
    for series in several:
        if id(series) not in known:
            known[id(series)] = np.array([name(key) for key in series], object)
        parts.append(known[id(series)])
    return _joined(parts) if parts else np.empty(0, object)
