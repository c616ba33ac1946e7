"""Memory that leaks away, is nearly used up, or is replaced by the disk."""

from __future__ import annotations

from aiops_nb.alert.params import HoldParams
from aiops_nb.detect.growth import GrowthParams
from aiops_nb.detect.level import LevelParams
from aiops_nb.features.clean_params import MovingMedianParams
from aiops_nb.rules.params import FeatureRuleParams

GROWING = HoldParams(for_seconds=120.0, keep_firing_for_seconds=300.0)
THRASHING_BYTES_PER_SECOND = 8.0 * 2**20

MEMORY_RULES = (
    FeatureRuleParams(
        alertname="memory_leak",
        table="samples",
        feature="value",
        metrics=("memory_ratio",),
        threshold=60.0,
        hold=GROWING,
        detector=GrowthParams(),
    ),
    FeatureRuleParams(
        alertname="memory_nearly_full",
        table="samples",
        feature="value",
        metrics=("memory_ratio",),
        severity="critical",
        threshold=1.0,
        resolve_threshold=0.92 / 0.95,
        hold=HoldParams(for_seconds=30.0, keep_firing_for_seconds=30.0),
        detector=LevelParams(limit=0.95),
    ),
    FeatureRuleParams(
        alertname="swapping",
        table="samples",
        feature="value",
        metrics=("swap_in_bytes_per_second",),
        threshold=1.0,
        hold=HoldParams(for_seconds=60.0, keep_firing_for_seconds=60.0),
        clean=(MovingMedianParams(window_values=15, warmup_values=15),),
        detector=LevelParams(limit=THRASHING_BYTES_PER_SECOND),
    ),
)
