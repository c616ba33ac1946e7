"""Rules on what is scraped: a target that does not answer, one that answers slowly, and any metric if asked."""

from __future__ import annotations

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.rules.feature.params import FeatureRuleParams

SCRAPE_RULES = (
    FeatureRuleParams(
        alertname="target_down",
        table="samples",
        feature="value",
        metrics=("up",),
        severity="error",
        threshold=1.0,
        # Three scrapes in a row at the default interval of 15 s.
        hold=HoldParams(for_seconds=30.0, keep_firing_for_seconds=0.0),
        detector=LevelParams(limit=0.5, direction="below"),
    ),
    FeatureRuleParams(
        alertname="scrape_slow",
        table="samples",
        feature="value",
        metrics=("scrape_timeout_ratio",),
        threshold=1.0,
        hold=HoldParams(for_seconds=60.0, keep_firing_for_seconds=60.0),
        detector=LevelParams(limit=0.8),
    ),
)
# Off by default: a page has hundreds of metrics, of which some always change.
READY_METRIC_RULES = (
    FeatureRuleParams(
        alertname="metric_anomaly",
        table="samples",
        feature="value",
        threshold=8.0,
        hold=HoldParams(for_seconds=60.0, keep_firing_for_seconds=60.0),
        detector=RobustZParams(),
    ),
)
