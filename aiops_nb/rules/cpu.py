"""A processor that is busier than it gets, has no time left, or spends it on something else than the work."""

from __future__ import annotations

from aiops_nb.alert.params import HoldParams
from aiops_nb.detect.ceiling import CeilingParams
from aiops_nb.detect.level import LevelParams
from aiops_nb.features.clean_params import MovingMedianParams
from aiops_nb.rules.params import FeatureRuleParams

# One sample is one second of a machine that does many things: a few say nothing, in either direction.
MOST_OF_THE_TIME = (MovingMedianParams(window_values=15, warmup_values=15),)
MINUTE = HoldParams(for_seconds=60.0, keep_firing_for_seconds=60.0)

CPU_RULES = (
    FeatureRuleParams(
        alertname="cpu_spike",
        table="samples",
        feature="value",
        metrics=("cpu_ratio",),
        threshold=1.0,
        # A job of each hour that is over in three quarters of a minute is none.
        hold=HoldParams(for_seconds=50.0, keep_firing_for_seconds=60.0),
        clean=MOST_OF_THE_TIME,
        detector=CeilingParams(min_deviation=0.3, accept_seconds=300.0),
    ),
    FeatureRuleParams(
        alertname="cpu_saturation",
        table="samples",
        feature="value",
        metrics=("cpu_ratio",),
        threshold=1.0,
        resolve_threshold=0.9 / 0.95,
        hold=MINUTE,
        clean=MOST_OF_THE_TIME,
        detector=LevelParams(limit=0.95),
    ),
    FeatureRuleParams(
        alertname="cpu_system_share",
        table="samples",
        feature="value",
        metrics=("cpu_system_share_ratio",),
        threshold=1.0,
        hold=MINUTE,
        clean=MOST_OF_THE_TIME,
        detector=CeilingParams(min_deviation=0.25, accept_seconds=300.0),
    ),
    FeatureRuleParams(
        alertname="cpu_iowait",
        table="samples",
        feature="value",
        metrics=("cpu_iowait_ratio",),
        threshold=1.0,
        hold=MINUTE,
        clean=MOST_OF_THE_TIME,
        detector=LevelParams(limit=0.4),
    ),
)
