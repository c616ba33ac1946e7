"""Bad answers and none at all."""

from __future__ import annotations

from aiops_nb.detect.robust_z import RobustZParams
from aiops_nb.rules.params import FeatureRuleParams

ERROR_RULES = (
    FeatureRuleParams(
        alertname="error_ratio_anomaly",
        feature="error_ratio",
        severity="error",
        detector=RobustZParams(min_deviation=0.015),
    ),
)
