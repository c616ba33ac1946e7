"""Slow answers."""

from __future__ import annotations

from aiops_nb.detect.robust_z import RobustZParams
from aiops_nb.rules.params import FeatureRuleParams

LATENCY_RULES = (
    FeatureRuleParams(
        alertname="latency_p95_anomaly",
        feature="duration_p95_seconds",
        detector=RobustZParams(min_deviation=0.005, min_deviation_ratio=0.15),
    ),
)
