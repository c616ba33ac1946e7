"""The chosen setting, and the file that the next run reads it from."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pandas as pd

from aiops_nb.config import Config, dump_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.engine.params import PipelineParams
from aiops_nb.rules.client.thresholds import client_threshold, with_client_threshold
from aiops_nb.rules.feature.params import FeatureRuleParams


def with_threshold(config: Config, threshold: float, alertname: str | None = None) -> Config:
    """Return the configuration with another threshold; the resolve threshold of a feature rule keeps its share of it.

    Parameters
    ----------
    config
        To start from, such as `recording.config`.
    threshold
        > 0. Of a rule on clients it is the field that docs/reference/clients.md names, in its unit.
    alertname
        Which rule, on features or on clients; None changes all that `robust_z` judges.

    Returns
    -------
    Config
        The changed copy.

    Raises
    ------
    ConfigError
        If the threshold is out of range, no rule has that name, or it is a rule without such a threshold.

    Examples
    --------
    >>> changed = with_threshold(Config(), 12.0, "latency_p95_anomaly")
    >>> [(rule.threshold, rule.resolves_at(rule.threshold)) for rule in changed.pipeline.feature_rules[:2]]
    [(12.0, 8.0), (6.0, 4.0)]
    >>> with_threshold(Config(), 8.0, "client_flood").pipeline.client_rules[0].min_times_baseline
    8.0
    """
    return msgspec.structs.replace(config, pipeline=moved_params(config.pipeline, threshold, alertname))


def threshold_of(config: Config, alertname: str) -> float:
    """Return the current threshold of a rule, on features or on clients.

    Parameters
    ----------
    config
        The configuration, such as `recording.config`.
    alertname
        A rule on features or on clients.

    Returns
    -------
    float
        The threshold, in the unit of the rule's detector.

    Raises
    ------
    ConfigError
        If no rule has that name, or it is a rule without a threshold that can be tuned.

    Examples
    --------
    >>> threshold_of(Config(), "latency_p95_anomaly"), threshold_of(Config(), "client_refused")
    (6.0, 0.5)
    """
    params = config.pipeline
    known = {rule.alertname: rule.threshold for rule in params.feature_rules}
    known |= {rule.alertname: client_threshold(rule).value for rule in params.client_rules}
    if alertname not in known:
        raise _not_tunable(params, alertname)
    return known[alertname]


def moved_params(params: PipelineParams, threshold: float, alertname: str | None) -> PipelineParams:
    """All rules, those asked for with another threshold; errors as of `with_threshold`."""
    if is_client_rule(params, alertname):
        moved = (
            with_client_threshold(rule, threshold) if rule.alertname == alertname else rule
            for rule in params.client_rules
        )
        return msgspec.structs.replace(params, client_rules=tuple(moved))
    changed = {rule.alertname: rule for rule in moved_rules(params, threshold, alertname)}
    rules = tuple(changed.get(rule.alertname, rule) for rule in params.feature_rules)
    return msgspec.structs.replace(params, feature_rules=rules)


def is_client_rule(params: PipelineParams, alertname: str | None) -> bool:
    """Whether a rule on clients has that name."""
    return any(rule.alertname == alertname for rule in params.client_rules)


def moved_rules(params: PipelineParams, threshold: float, alertname: str | None) -> list[FeatureRuleParams]:
    """The feature rule of that name, or all whose scores are deviations, with another threshold.

    Raises
    ------
    ConfigError
        If the threshold is not > 0, or no rule with a threshold has that name.
    """
    if not 0 < threshold < math.inf:
        raise ConfigError.at("threshold", "a number > 0", threshold)
    rules = [rule for rule in params.feature_rules if _is_asked_for(rule, alertname)]
    if not rules:
        raise _not_tunable(params, alertname)
    return [_moved(rule, threshold) for rule in rules]


def _not_tunable(params: PipelineParams, alertname: str | None) -> ConfigError:
    tunable = [rule.alertname for rule in params.feature_rules] + [rule.alertname for rule in params.client_rules]
    names = ", ".join(tunable)
    if any(rule.alertname == alertname for rule in params.all_rules):
        return ConfigError.at("alertname", f"a rule with a threshold that can be tuned, one of {names}", alertname)
    return ConfigError.at("alertname", f"one of {names}", alertname)


def _is_asked_for(rule: FeatureRuleParams, alertname: str | None) -> bool:
    """Of no name, those that `robust_z` judges: one threshold means the same for all of these, and for no others."""
    return isinstance(rule.detector, RobustZParams) if alertname is None else rule.alertname == alertname


def _moved(rule: FeatureRuleParams, threshold: float) -> FeatureRuleParams:
    resolve = rule.resolve_threshold and threshold * rule.resolve_threshold / rule.threshold
    return msgspec.structs.replace(rule, threshold=threshold, resolve_threshold=resolve)


def choose(table: pd.DataFrame, max_false_alarms_per_day: float = math.inf) -> float:
    """The threshold to take from a sweep.

    Among those within the budget of false alarms: the most faults found, then the fewest false alarms. Of several equal
    ones the middle: the middle of a plateau holds on new data better than its edge. If none is within the budget, the
    one with the fewest false alarms.

    Parameters
    ----------
    table
        From `sweep`.
    max_false_alarms_per_day
        The budget.

    Returns
    -------
    float
        A threshold of the table.

    Raises
    ------
    ConfigError
        If the table has no threshold.

    Examples
    --------
    >>> table = pd.DataFrame({"threshold": [3.0, 5.0, 7.0, 9.0, 11.0], "faults_found": [4, 4, 4, 4, 2],
    ...                       "false_alarms_per_day": [9.0, 1.0, 1.0, 1.0, 0.0]})
    >>> choose(table), choose(table, max_false_alarms_per_day=0.5)
    (7.0, 11.0)
    """
    tried = table[table["threshold"] < math.inf]
    if tried.empty:
        raise ConfigError.at("table", "at least one threshold", "none")
    fewest = max(max_false_alarms_per_day, float(tried["false_alarms_per_day"].min()))
    affordable = tried[tried["false_alarms_per_day"] <= fewest]
    most = affordable[affordable["faults_found"] == affordable["faults_found"].max()]
    equal = most[most["false_alarms_per_day"] == most["false_alarms_per_day"].min()]
    thresholds = sorted(equal["threshold"].tolist())
    return float(thresholds[len(thresholds) // 2])


def save_config(config: Config, path: str | Path) -> Path:
    """Write a config file that `watch(..., config=path)` and `replay(..., config=path)` take.

    Parameters
    ----------
    config
        The configuration to write; references stay references.
    path
        The file; replaced if it exists.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ConfigError
        If it cannot be written.
    """
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dump_config(config), encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"config: expected a file that can be written, got {file} ({problem})") from None
    return file
