"""Whether a pipeline can be built, and whether its rules judge features that exist; known before it runs."""

from __future__ import annotations

from msgspec.structs import replace

from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.detect.registry import spec_of
from aiops_nb.detect.spec import DetectorSpec
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.catalog import FEATURES, feature_names
from aiops_nb.features.params import WindowParams
from aiops_nb.rules.feature.params import NO_THRESHOLD, FeatureRuleParams

EXAMPLE_RATE = 0.5  # false alarms a day


def check_pipeline(params: PipelineParams) -> None:
    """Build it once; if that fails, find the rule that is to blame.

    Raises
    ------
    ConfigError
        With the path of the rule.

    Examples
    --------
    >>> from aiops_nb.rules.feature.params import FeatureRuleParams
    >>> check_pipeline(PipelineParams(feature_rules=(FeatureRuleParams(alertname="a", feature="error_ration"),)))
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: pipeline.feature_rules[0].feature: expected a feature of requests, got ...
    """
    lists = {name: getattr(params, name) for name in params.__struct_fields__}
    lists = {name: rules for name, rules in lists.items() if isinstance(rules, tuple)}
    listed = [(name, place, rule) for name, rules in lists.items() for place, rule in enumerate(rules)]
    for name, place, rule in listed:
        _check_features(f"pipeline.{name}[{place}]", rule, params.window)
        _check_threshold(f"pipeline.{name}[{place}]", rule, params.window)
    try:
        Pipeline(params)
    except ConfigError as problem:
        without = replace(params, **dict.fromkeys(lists, ()))
        for name, place, rule in listed:
            _try_alone(f"pipeline.{name}[{place}]", replace(without, **{name: (rule,)}))
        raise ConfigError(f"pipeline.{problem}") from None


def _try_alone(where: str, params: PipelineParams) -> None:
    try:
        Pipeline(params)
    except ConfigError as problem:
        raise ConfigError(f"{where}.{problem}") from None


def _check_features(where: str, rule: object, window: WindowParams) -> None:
    if not isinstance(rule, FeatureRuleParams):
        return
    name, known = missing_feature(rule, window), feature_names(rule.table, window)
    if known is None:  # a struct that was made in Python holds what it was given
        raise unknown(f"{where}.table", "a table of features", rule.table, FEATURES)
    if name is not None:
        place = "feature" if name == rule.feature else "features"
        raise unknown(f"{where}.{place}", f"a feature of {rule.table}", name, known)


def _check_threshold(where: str, rule: object, window: WindowParams) -> None:
    """Of a score from 0 to 100: one in deviations would fire all day, one above never."""
    if not isinstance(rule, FeatureRuleParams):
        return
    try:
        spec = spec_of(rule.detector)
    except ConfigError as problem:
        raise ConfigError(f"{where}.{problem}") from None
    if rule.false_alarms_per_day is not None:
        raise _not_converted(f"{where}.false_alarms_per_day", rule, spec)
    if spec.threshold_unit == "score" and (rule.threshold == NO_THRESHOLD or rule.threshold >= 100.0):
        example = spec.scale.threshold(EXAMPLE_RATE, window.tick_seconds) if spec.scale else 60.0
        wanted = f"a score below 100 at which {spec.type} fires, such as {example:.0f}"
        raise ConfigError.at(f"{where}.threshold", wanted, rule.threshold)


def _not_converted(where: str, rule: FeatureRuleParams, spec: DetectorSpec) -> ConfigError:
    """A rate of false alarms that was not turned into a threshold."""
    if spec.scale is not None:
        return ConfigError.at(where, f"either this or a threshold ({rule.threshold:g})", rule.false_alarms_per_day)
    return ConfigError(f"{where}: scores of {spec.type} have no calibrated false-alarm rate; set `threshold`")


def missing_feature(rule: FeatureRuleParams, window: WindowParams) -> str | None:
    """The first name that the rule gives and its table does not have; None if it can be judged.

    Examples
    --------
    >>> missing_feature(FeatureRuleParams(alertname="a", feature="error_ration"), WindowParams())
    'error_ration'
    """
    known = feature_names(rule.table, window) or ()
    return next((name for name in rule.seen_features if name not in known), None)


def unjudged_rules(params: PipelineParams) -> dict[str, str]:
    """Why a pipeline leaves rules out, a sentence by the rule.

    A recording may hold rules on features that a newer version has no more: it is replayed without them.

    Examples
    --------
    >>> unjudged_rules(PipelineParams(feature_rules=(FeatureRuleParams(alertname="a", feature="error_ration"),)))
    {'rule a': "not judged: there is no feature 'error_ration' of requests"}
    """
    missing = ((rule, missing_feature(rule, params.window)) for rule in params.feature_rules)
    return {
        f"rule {rule.alertname}": f"not judged: there is no feature {name!r} of {rule.table}"
        for rule, name in missing
        if name is not None
    }
