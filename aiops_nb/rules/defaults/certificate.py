"""Certificates that end soon, of targets whose certificate was seen."""

from __future__ import annotations

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.types import Severity
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.rules.feature.params import FeatureRuleParams

SECONDS_PER_DAY = 86_400.0


def _rule(alertname: str, severity: Severity, days: float) -> FeatureRuleParams:
    return FeatureRuleParams(
        alertname=alertname,
        feature="certificate_remaining_seconds",
        severity=severity,
        threshold=1.0,
        resolve_threshold=0.999,
        hold=HoldParams(for_seconds=0.0, keep_firing_for_seconds=10.0),
        detector=LevelParams(limit=days * SECONDS_PER_DAY, direction="below"),
    )


CERTIFICATE_RULES = (
    _rule("certificate_ends", "critical", days=3),  # the stronger one first: it explains the other
    _rule("certificate_ends_soon", "warning", days=14),
)
