"""Slow answers: against a target's own past, and against its siblings."""

from __future__ import annotations

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.limits.siblings import SiblingsParams
from aiops_nb.rules.feature.params import FeatureRuleParams

# Longer than the default: the p95 of the same incident, which explains these, shall be first.
AFTER_P95 = HoldParams(for_seconds=10.0, keep_firing_for_seconds=10.0)
# Of fewer, a percentile or a mean is that of one or two requests.
ENOUGH = {"span_count": 5.0}
BACKED = ("duration_backed_seconds",)

LATENCY_RULES = (
    FeatureRuleParams(
        alertname="latency_p95_anomaly",
        feature="duration_p95_seconds",
        min_samples=ENOUGH,
        corroborated_by=BACKED,
        # Slow enough not to follow a latency that triples in five minutes; days and nights are slower still.
        detector=RobustZParams(learning_rate=0.005, min_deviation=0.005, min_deviation_ratio=0.15),
    ),
)
READY_LATENCY_RULES = (
    FeatureRuleParams(
        alertname="latency_mean_anomaly",
        feature="duration_mean_seconds",
        min_samples=ENOUGH,
        hold=AFTER_P95,
        detector=RobustZParams(min_deviation=0.005, min_deviation_ratio=0.1),
    ),
    FeatureRuleParams(
        alertname="latency_p99_anomaly",
        feature="duration_p99_seconds",
        min_samples={"span_count": 20.0},
        hold=AFTER_P95,
        detector=RobustZParams(min_deviation=0.01, min_deviation_ratio=0.3),
    ),
    FeatureRuleParams(
        alertname="latency_siblings",
        feature="duration_mean_seconds",
        min_samples=ENOUGH,
        hold=AFTER_P95,
        detector=SiblingsParams(min_deviation=0.005, min_deviation_ratio=0.1),
    ),
)
