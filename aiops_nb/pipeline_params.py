"""Everything that decides what the pipeline makes of a stream; kept in every recording."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from aiops_nb.alert.params import DEFAULT_ROW_RULES, HoldParams, RowRuleParams
from aiops_nb.core.types import FeatureTableName, Severity
from aiops_nb.detect.registry import DetectorParams
from aiops_nb.detect.robust_z import RobustZParams
from aiops_nb.features.params import WindowParams


class FeatureRuleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A detector on one feature, and the alert that it makes.

    Attributes
    ----------
    alertname
        Identity of the rule.
    table, feature
        What is scored: a feature of `requests` or of `samples`.
    severity
        info, warning, error or critical.
    threshold
        Score above which a window is anomalous, and where the drawn band ends: deviations for `robust_z`, 0 to 100
        for all other detectors.
    resolve_threshold
        Score below which a firing series counts as well again, at most `threshold`; None: two thirds of it.
    hold
        How long it must hold.
    detector
        The algorithm, by its `type`, and its parameters; `aiops_nb.detectors()` lists them.
    """

    alertname: str
    table: FeatureTableName = "requests"
    feature: str
    severity: Severity = "warning"
    threshold: Annotated[float, Meta(gt=0)] = 6.0
    resolve_threshold: Annotated[float, Meta(gt=0)] | None = None
    hold: HoldParams = HoldParams()
    detector: DetectorParams = RobustZParams()

    def resolves_at(self, threshold: float) -> float:
        """Where a firing series counts as well again while `threshold` is in force."""
        wanted = self.resolve_threshold if self.resolve_threshold is not None else threshold * 2 / 3
        return min(wanted, threshold)


DEFAULT_FEATURE_RULES = (
    FeatureRuleParams(
        alertname="latency_p95_anomaly",
        feature="duration_p95_seconds",
        detector=RobustZParams(min_deviation=0.005, min_deviation_ratio=0.15),
    ),
    FeatureRuleParams(
        alertname="error_ratio_anomaly",
        feature="error_ratio",
        severity="error",
        detector=RobustZParams(min_deviation=0.015),
    ),
)


class PipelineParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Windows, row rules and feature rules.

    Examples
    --------
    >>> [rule.alertname for rule in PipelineParams().feature_rules]
    ['latency_p95_anomaly', 'error_ratio_anomaly']
    """

    window: WindowParams = field(default_factory=WindowParams)
    row_rules: tuple[RowRuleParams, ...] = DEFAULT_ROW_RULES
    feature_rules: tuple[FeatureRuleParams, ...] = DEFAULT_FEATURE_RULES
