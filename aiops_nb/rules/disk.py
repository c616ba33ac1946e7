"""A disk that fills up, or is nearly full."""

from __future__ import annotations

from aiops_nb.alert.params import HoldParams
from aiops_nb.detect.growth import GrowthParams
from aiops_nb.detect.level import LevelParams
from aiops_nb.rules.params import FeatureRuleParams

DISK_RULES = (
    FeatureRuleParams(
        alertname="disk_filling",
        table="samples",
        feature="value",
        metrics=("disk_ratio",),
        threshold=60.0,
        hold=HoldParams(for_seconds=120.0, keep_firing_for_seconds=300.0),
        detector=GrowthParams(windows_seconds=(3600.0, 14400.0)),
    ),
    FeatureRuleParams(
        alertname="disk_nearly_full",
        table="samples",
        feature="value",
        metrics=("disk_ratio",),
        severity="error",
        threshold=1.0,
        resolve_threshold=0.94 / 0.95,
        hold=HoldParams(for_seconds=60.0, keep_firing_for_seconds=60.0),
        detector=LevelParams(limit=0.95),
    ),
)
