"""Rules that say how many false alarms a day they may raise, in place of a threshold."""

from __future__ import annotations

from msgspec.structs import replace

from aiops_nb.config.run import Config
from aiops_nb.detect.kernels import StreamParams
from aiops_nb.detect.registry import threshold_for
from aiops_nb.rules.params import NO_THRESHOLD, FeatureRuleParams


def with_thresholds(config: Config) -> Config:
    """The same, each rate of false alarms turned into the threshold that healthy series pass so often.

    A rule is left as it is where this cannot be: its detector's scores are not calibrated, or it says a threshold too.

    Examples
    --------
    >>> from aiops_nb.detect.faults import FaultsParams
    >>> rule = FeatureRuleParams(
    ...     alertname="slow", feature="duration_p95_seconds", false_alarms_per_day=0.5, detector=FaultsParams()
    ... )
    >>> told = with_thresholds(Config(pipeline=replace(Config().pipeline, feature_rules=(rule,))))
    >>> told.pipeline.feature_rules[0].threshold > 50, told.pipeline.feature_rules[0].false_alarms_per_day
    (True, None)
    """
    pipeline = config.pipeline
    rules = tuple(_with_threshold(rule, pipeline.window.tick_seconds) for rule in pipeline.feature_rules)
    return (
        replace(config, pipeline=replace(pipeline, feature_rules=rules)) if rules != pipeline.feature_rules else config
    )


def _with_threshold(rule: FeatureRuleParams, interval_seconds: float) -> FeatureRuleParams:
    rate, said = rule.false_alarms_per_day, rule.threshold != NO_THRESHOLD
    if rate is None or said or not isinstance(rule.detector, StreamParams):
        return rule
    threshold = round(threshold_for(rule.detector, rate, interval_seconds), 2)
    return replace(rule, threshold=threshold, false_alarms_per_day=None)
