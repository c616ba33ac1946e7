"""Bad answers and none at all: of one target, of one against its siblings, of all together."""

from __future__ import annotations

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.limits.siblings import SiblingsParams
from aiops_nb.rules.feature.chance import ChanceParams
from aiops_nb.rules.feature.params import FeatureRuleParams

# Longer than the default: the alert of the one target that is bad, which explains these, shall be first.
AFTER_OTHERS = HoldParams(for_seconds=10.0, keep_firing_for_seconds=10.0)
ENOUGH = {"span_count": 5.0}  # a share of fewer requests is 0 or much

ERROR_RULES = (
    FeatureRuleParams(
        alertname="error_ratio_anomaly",
        feature="error_ratio",
        severity="error",
        min_samples=ENOUGH,
        significance=ChanceParams(),
        min_support={"span_error_count": 3.0},
        detector=RobustZParams(min_deviation=0.015),
    ),
    FeatureRuleParams(
        alertname="error_ratio_overall",
        table="overall",
        feature="error_ratio",
        severity="error",
        min_samples=ENOUGH,
        significance=ChanceParams(),
        min_support={"span_error_count": 3.0},
        hold=AFTER_OTHERS,
        detector=RobustZParams(min_deviation=0.015),
    ),
)
READY_ERROR_RULES = (
    FeatureRuleParams(
        alertname="error_ratio_siblings",
        feature="error_ratio",
        severity="error",
        min_samples=ENOUGH,
        significance=ChanceParams(),
        min_support={"span_error_count": 3.0},
        hold=AFTER_OTHERS,
        detector=SiblingsParams(min_deviation=0.02, min_deviation_ratio=0.0),
    ),
)
