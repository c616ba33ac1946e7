"""A recording replayed with many thresholds, and what each would have been worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pandas as pd

from aiops_nb.alert.inhibition import InhibitRuleParams
from aiops_nb.config import Config
from aiops_nb.config.load import checked_config
from aiops_nb.core.errors import ConfigError, RecordingError, positive, unknown
from aiops_nb.core.moments import Moment, range_ns
from aiops_nb.core.types import AlertChange
from aiops_nb.engine.params import PipelineParams
from aiops_nb.frames.build import alerts_frame
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.rules.client.thresholds import client_threshold
from aiops_nb.session.recording import Recording
from aiops_nb.tune.choose import is_client_rule, moved_params, moved_rules
from aiops_nb.tune.labels import NO_LABELS, checked_labels
from aiops_nb.tune.match import TOLERANCE_SECONDS, Matches, covers, label_targets, match

SECONDS_PER_DAY = 86_400.0
UNKNOWN_WITHOUT_LABELS = ("false_alarms_per_day", "random_recall_ratio", "random_false_alarms_per_day")
SILENCE = math.inf
MARK = "\x1f"  # between the name of a rule and the number of its threshold, during a replay
THRESHOLDS = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0)
SHARES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)  # of the present threshold of a rule on clients


def sweep(
    recording: Recording,
    labels: pd.DataFrame | Recording | str | Path | None = None,
    thresholds: Sequence[float] | None = None,
    *,
    alertname: str | None = None,
    config: Config | None = None,
    kinds: Sequence[str] | None = None,
    start: Moment = None,
    end: Moment = None,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> pd.DataFrame:
    """Replay a recording with many thresholds and count what each finds and what it costs.

    Parameters
    ----------
    recording
        What to replay; always from its beginning, so that detectors are warm.
    labels
        True faults: a frame with `start`, `end` and optional `kind` and `target`, or what `read_labels` takes. None:
        no faults are known, and the table says only what each threshold would have cost in alerts. An empty frame says
        that there were no faults, so that every alert is a false one.
    thresholds
        To be tried, of the scores, by default 3 to 20; of a rule on clients in the unit of its own threshold
        (docs/reference/clients.md), by default a quarter to four times its present value.
    alertname
        Which rule's threshold, and only its alerts are counted. None: all rules that `robust_z` judges, all alerts.
        A rule on clients takes a replay for each threshold, as what it finds is not learned; others share one replay.
    config
        To start from; by default the recording's own.
    kinds
        Faults asked for, by default all; an alert during another one is not false.
    start, end
        Only labels that begin, and alerts that start, in this half-open range are counted.
    tolerance_seconds
        How late after the end of a fault an alert still counts as finding it.

    Returns
    -------
    pandas.DataFrame
        One row per threshold: `threshold`, `alerts_per_day`, `faults_found`, `faults_missed`, `recall_ratio`,
        `false_alarms_per_day`, `median_delay_seconds`, and what as many alerts at random moments would have given:
        `random_recall_ratio`, `random_false_alarms_per_day`. The last row, threshold infinite, never alerts (baseline).
        Without labels all but `alerts_per_day` is NaN, or 0 where it counts faults.

    Raises
    ------
    ConfigError
        Before anything is replayed: if labels or thresholds cannot be read, a kind is in no label, no pipeline can be
        built of `config`, a rule of it names an unknown feature, no rule that can be tuned has the name `alertname`,
        or a threshold is out of its range.
    RecordingError
        If nothing was recorded in the range.
    """
    known = NO_LABELS if labels is None else checked_labels(labels)
    _check_kinds(kinds, known)
    asked_for = None if thresholds is None else _checked(thresholds)
    config = recording.config if config is None else checked_config(config)
    first, last = _range(recording, start, end)
    asked = _between(known, "start", start, end).reset_index(drop=True)
    days = (last - first).total_seconds() / SECONDS_PER_DAY
    odds = _Odds(asked, days, tolerance_seconds)
    tried = baseline_thresholds(config.pipeline, alertname) if asked_for is None else asked_for
    replayed = alerts_by_threshold(recording, config, tried, alertname)
    rows = []
    for threshold, alerts in (*replayed.items(), (SILENCE, alerts_frame([]))):
        mine = _between(alerts, "starts_at", start, end)
        matches = match(mine, asked, tolerance_seconds=tolerance_seconds, kinds=kinds)
        rows.append({"threshold": threshold} | _worth(matches, days) | _by_chance(matches, odds))
    table = pd.DataFrame(rows)
    return table if labels is not None else table.assign(**dict.fromkeys(UNKNOWN_WITHOUT_LABELS, math.nan))


def _check_kinds(kinds: Sequence[str] | None, labels: pd.DataFrame) -> None:
    known = sorted(set(labels["kind"]))
    for place, kind in enumerate(() if kinds is None else kinds):
        if kind not in known:
            raise unknown(f"kinds[{place}]", "a kind of the labels", kind, known)


def _checked(thresholds: Sequence[float]) -> list[float]:
    if isinstance(thresholds, (str, bytes)) or not isinstance(thresholds, Iterable):
        raise ConfigError.at("thresholds", "numbers, such as [4, 6, 8]", thresholds)
    tried = [positive(f"thresholds[{place}]", threshold) for place, threshold in enumerate(thresholds)]
    if not tried:
        raise ConfigError.at("thresholds", "numbers, such as [4, 6, 8]", "none")
    return tried


def alerts_by_threshold(
    recording: Recording, config: Config, thresholds: Sequence[float], alertname: str | None = None
) -> dict[float, pd.DataFrame]:
    """The episodes that each threshold makes of a recording, in rising order.

    One replay serves all: each rule is there once for every threshold, and rules do not know of each other. Those on
    clients do: what one of them finds is not learned, so that each threshold has a replay to itself.
    """
    tried = sorted({float(threshold) for threshold in thresholds})
    if alertname is not None and is_client_rule(config.pipeline, alertname):
        return _by_single_replays(recording, config.pipeline, tried, alertname)
    alerts = _replayed(recording, _multiplied(config.pipeline, tried, alertname))
    if alerts.empty:
        return dict.fromkeys(tried, alerts)
    names = alerts["alertname"].str.partition(MARK)
    if alertname is not None:  # other rules ran to inhibit its alerts
        alerts, names = alerts[names[1] == MARK], names[names[1] == MARK]
    bare = alerts["inhibited_by"].str.replace(rf"{MARK}\d+", "", regex=True)
    alerts = alerts.assign(alertname=names[0], inhibited_by=bare)
    return {tried[i]: alerts[names[2].isin(["", str(i)])].reset_index(drop=True) for i in range(len(tried))}


def baseline_thresholds(params: PipelineParams, alertname: str | None) -> tuple[float, ...]:
    """What is tried by default: of a rule on clients around its present threshold, within its range."""
    for rule in params.client_rules:
        if rule.alertname == alertname:
            now = client_threshold(rule)
            return tuple(sorted({max(now.least, round(share * now.value, 6)) for share in SHARES}))
    return THRESHOLDS


def _by_single_replays(
    recording: Recording, params: PipelineParams, thresholds: Sequence[float], alertname: str
) -> dict[float, pd.DataFrame]:
    settings = {threshold: moved_params(params, threshold, alertname) for threshold in thresholds}
    replayed = {threshold: _replayed(recording, setting) for threshold, setting in settings.items()}
    return {
        threshold: alerts[alerts["alertname"] == alertname].reset_index(drop=True)
        for threshold, alerts in replayed.items()
    }


def _multiplied(params: PipelineParams, thresholds: Sequence[float], alertname: str | None) -> PipelineParams:
    rules = [
        msgspec.structs.replace(rule, alertname=f"{rule.alertname}{MARK}{i}")
        for i, threshold in enumerate(thresholds)
        for rule in moved_rules(params, threshold, alertname)
    ]
    inhibit_rules = [one for rule in params.inhibit_rules for one in _inhibited(rule, len(thresholds))]
    return msgspec.structs.replace(params, feature_rules=tuple(rules), inhibit_rules=tuple(inhibit_rules))


def _inhibited(rule: InhibitRuleParams, thresholds: int) -> list[InhibitRuleParams]:
    """The rule for the alerts as they are called, and for those of each threshold."""
    marked = [
        msgspec.structs.replace(
            rule,
            source_matchers=_marked(rule.source_matchers, i, keep=True),
            target_matchers=_marked(rule.target_matchers, i, keep=False),
        )
        for i in range(thresholds)
        if "alertname" in rule.target_matchers
    ]
    return [rule, *marked]


def _marked(matchers: dict[str, tuple[str, ...]], i: int, *, keep: bool) -> dict[str, tuple[str, ...]]:
    names = matchers.get("alertname")
    if names is None:
        return matchers
    return matchers | {"alertname": (*(names if keep else ()), *(f"{name}{MARK}{i}" for name in names))}


def _replayed(recording: Recording, params: PipelineParams) -> pd.DataFrame:
    changes: list[AlertChange] = []
    run = ReplayRun(
        recording.reader.joined_items,
        params,
        lambda step: changes.extend(step.changes),
        trust=recording.reader.trusted,
    )
    run.start()
    return alerts_frame(changes)


def _range(recording: Recording, start: Moment, end: Moment) -> tuple[pd.Timestamp, pd.Timestamp]:
    bounds = recording.time_range
    start_ns, end_ns = range_ns(start, end)
    if bounds is None:
        raise RecordingError(f"{recording.path}: expected rows, found none")
    first = bounds[0] if start_ns is None else max(bounds[0], pd.Timestamp(start_ns, tz="UTC"))
    last = bounds[1] if end_ns is None else min(bounds[1], pd.Timestamp(end_ns, tz="UTC"))
    if first >= last:
        raise RecordingError(f"{recording.path}: expected rows in [{start}, {end}), has {bounds[0]} to {bounds[1]}")
    return first, last


def _between(rows: pd.DataFrame, column: str, start: Moment, end: Moment) -> pd.DataFrame:
    # Open ends stay open: the last window ends, and may alarm, after the last row.
    start_ns, end_ns = range_ns(start, end)
    if start_ns is not None:
        rows = rows[rows[column] >= pd.Timestamp(start_ns, tz="UTC")]
    return rows if end_ns is None else rows[rows[column] < pd.Timestamp(end_ns, tz="UTC")]


def _worth(matches: Matches, days: float) -> dict[str, float]:
    asked = len(matches.labels)
    return {
        "alerts_per_day": len(matches.alerts) / days,
        "faults_found": matches.found,
        "faults_missed": matches.missed,
        "recall_ratio": matches.found / asked if asked else math.nan,
        "false_alarms_per_day": matches.false_alarms / days,
        "median_delay_seconds": float(matches.labels["delay_seconds"].median()),
    }


def _by_chance(matches: Matches, odds: _Odds) -> dict[str, float]:
    """Expected worth of as many alerts at random moments, on random ones of the targets that did alert."""
    alerts = len(matches.alerts)
    targets = sorted({str(target) for target in matches.alerts["target"]})
    asked = [odds.of(label, targets) for _, label in matches.labels.iterrows()]
    any_label = min(1.0, sum(odds.of(label, targets) for _, label in odds.labels.iterrows()))
    return {
        "random_recall_ratio": sum(1 - (1 - chance) ** alerts for chance in asked) / len(asked) if asked else math.nan,
        "random_false_alarms_per_day": alerts * (1 - any_label) / odds.days,
    }


@dataclass(frozen=True, slots=True)
class _Odds:
    """What decides how likely an alert at a random moment lies in a label."""

    labels: pd.DataFrame
    days: float
    tolerance_seconds: float

    def of(self, label: pd.Series, targets: Sequence[str]) -> float:
        """Probability that one random alert, on one of the targets, finds the label."""
        if not targets:
            return 0.0
        seconds = float((label["end"] - label["start"]).total_seconds()) + self.tolerance_seconds
        labelled = label_targets(label)
        covered = sum(any(covers(name, target) for name in labelled) for target in targets) / len(targets)
        return min(1.0, covered * seconds / (self.days * SECONDS_PER_DAY))
