"""Thresholds that can be moved while a stream runs: which rules have one, and which values it may take."""

from __future__ import annotations

import math

from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.detect.registry import spec_of
from aiops_nb.engine.commands import SetThreshold
from aiops_nb.engine.params import PipelineParams
from aiops_nb.rules.client.thresholds import with_client_threshold


def checked_threshold(params: PipelineParams, rule: str, value: float) -> SetThreshold:
    """The command that moves the threshold of a rule.

    Parameters
    ----------
    params
        Of the running pipeline.
    rule
        Its alertname.
    value
        In the unit of the rule: deviations, a score below 100, times a limit or a baseline.

    Raises
    ------
    ConfigError
        If there is no such rule, it has no threshold to be moved, or the value cannot be one.

    Examples
    --------
    >>> checked_threshold(PipelineParams(), "latency_p95_anomaly", 8)
    SetThreshold(alertname='latency_p95_anomaly', threshold=8.0)
    >>> checked_threshold(PipelineParams(), "latency_p59_anomaly", 8)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: rule: expected a rule with a threshold, got 'latency_p59_anomaly'; ...
    """
    known = params.thresholds
    if rule not in known:
        if rule in {one.alertname for one in params.all_rules}:
            raise ConfigError(f"rule: {rule} has no threshold that can be moved; these have one: {', '.join(known)}")
        raise unknown("rule", "a rule with a threshold", rule, known)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ConfigError.at("value", "a number > 0", value)
    detectors = [spec_of(one.detector) for one in params.feature_rules if one.alertname == rule]
    if value >= 100 and any(spec.threshold_unit == "score" for spec in detectors):
        raise ConfigError.at("value", f"a score below 100, as those of {rule} are", value)
    for one in params.client_rules:
        if one.alertname == rule:
            with_client_threshold(one, value)
    return SetThreshold(alertname=rule, threshold=float(value))
