"""A rule on features: which series it judges, by which detector, and the alert that it makes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.alert.params import HoldParams
from aiops_nb.core.schemas import Origin
from aiops_nb.core.types import FeatureTableName, Severity
from aiops_nb.detect.registry import DetectorParams
from aiops_nb.detect.robust_z import RobustZParams
from aiops_nb.features.clean_params import StepParams


class FeatureRuleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A detector on one feature, and the alert that it makes.

    Attributes
    ----------
    alertname
        Identity of the rule.
    table, feature
        What is scored: a feature of `requests`, of `samples`, or of another table of features.
    features
        Further features of the table, for a detector that judges several at once.
    origin
        Only series of this origin: `probe` or `traffic`; None: both. Rates of our own probes only tell our own pace.
    metrics
        Only series of these metrics; none named: all.
    targets
        Only series of these targets; none named: all.
    severity
        info, warning, error or critical.
    threshold
        Score above which a window is anomalous, and where the drawn band ends: deviations for `robust_z`, multiples of
        its limit for `level`, 0 to 100 for the other detectors.
    resolve_threshold
        Score below which a firing series counts as well again, at most `threshold`; None: two thirds of it.
    hold
        How long it must hold.
    clean
        Steps of preprocessing through which the feature goes before it is judged; the rows are recorded as they came.
    detector
        The algorithm, by its `type`, and its parameters; `aiops_nb.detectors()` lists them.
    """

    alertname: str
    table: FeatureTableName = "requests"
    feature: str
    features: tuple[str, ...] = ()
    origin: Origin | None = None
    metrics: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    severity: Severity = "warning"
    threshold: Annotated[float, Meta(gt=0)] = 6.0
    resolve_threshold: Annotated[float, Meta(gt=0)] | None = None
    hold: HoldParams = HoldParams()
    clean: tuple[StepParams, ...] = ()
    detector: DetectorParams = RobustZParams()

    def resolves_at(self, threshold: float) -> float:
        """Where a firing series counts as well again while `threshold` is in force."""
        wanted = self.resolve_threshold if self.resolve_threshold is not None else threshold * 2 / 3
        return min(wanted, threshold)

    @property
    def judged_features(self) -> tuple[str, ...]:
        """All features that the detector sees, the one that is told first."""
        return (self.feature, *(name for name in self.features if name != self.feature))
