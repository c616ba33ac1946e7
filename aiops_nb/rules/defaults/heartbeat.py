"""A job that must report and does not."""

from __future__ import annotations

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.rules.feature.params import FeatureRuleParams

HEARTBEAT_MISSED = FeatureRuleParams(
    alertname="heartbeat_missed",
    table="samples",
    feature="value",
    metrics=("heartbeat_overdue_seconds",),
    severity="error",
    threshold=1.0,
    resolve_threshold=1.0,
    hold=HoldParams(for_seconds=0.0, keep_firing_for_seconds=0.0),
    detector=LevelParams(limit=0.5),  # seconds: the grace of the job is in the value already
)
