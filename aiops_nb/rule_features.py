"""Which rules on features name one that there is not."""

from __future__ import annotations

from aiops_nb.features.params import WindowParams
from aiops_nb.frames import feature_names
from aiops_nb.pipeline_params import PipelineParams
from aiops_nb.rules.params import FeatureRuleParams


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
