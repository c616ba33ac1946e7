"""A processor that is busier than it gets, has no time left, or spends it on something else than the work."""

from __future__ import annotations

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.detect.limits.ceiling import CeilingParams
from aiops_nb.detect.limits.growth import GrowthParams
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.detect.limits.silence import SilenceParams
from aiops_nb.preprocess.params import MovingMedianParams
from aiops_nb.rules.feature.params import FeatureRuleParams

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
        # An hourly job of less than 50 s is not a spike.
        hold=HoldParams(for_seconds=50.0, keep_firing_for_seconds=60.0),
        preprocess=MOST_OF_THE_TIME,
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
        preprocess=MOST_OF_THE_TIME,
        detector=LevelParams(limit=0.95),
    ),
    FeatureRuleParams(
        alertname="cpu_system_share",
        table="samples",
        feature="value",
        metrics=("cpu_system_share_ratio",),
        threshold=1.0,
        hold=MINUTE,
        preprocess=MOST_OF_THE_TIME,
        detector=CeilingParams(min_deviation=0.25, accept_seconds=300.0),
    ),
    FeatureRuleParams(
        alertname="cpu_iowait",
        table="samples",
        feature="value",
        metrics=("cpu_iowait_ratio",),
        threshold=1.0,
        hold=MINUTE,
        preprocess=MOST_OF_THE_TIME,
        detector=LevelParams(limit=0.4),
    ),
)

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

PULSE_METRIC = "cpu_ratio"  # what every host has

HOST_SILENCE = FeatureRuleParams(
    alertname="host_silence",
    table="samples",
    feature="silent_seconds",
    metrics=(PULSE_METRIC,),
    severity="error",
    threshold=1.0,
    # Long enough that all hosts of a source that is down are pending when the first would fire: one alert for all.
    hold=HoldParams(for_seconds=5.0, keep_firing_for_seconds=10.0),
    # Longer than the empty windows that are closed when a machine wakes up.
    detector=SilenceParams(min_silent_seconds=75.0),
)

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
        preprocess=(MovingMedianParams(window_values=15, warmup_values=15),),
        detector=LevelParams(limit=THRASHING_BYTES_PER_SECOND),
    ),
)
