"""A rule on features: which series it judges, by which detector, and the alert that it makes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.schemas import Origin
from aiops_nb.core.types import FeatureTableName, Severity
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.registry import DetectorParams
from aiops_nb.features.requests.phases import RECENT_PHASE_FEATURES
from aiops_nb.preprocess.params import StepParams
from aiops_nb.rules.feature.chance import ChanceParams

NO_THRESHOLD = 6.0  # what a rule has that names none: deviations


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
        Only series of this origin: `probe` or `traffic`; None: both. Rates of our own probes only show our own pace.
    metrics
        Only series of these metrics; none named: all. A name without labels means all series of that name:
        `node_load1` and `disk_bytes` are also `disk_bytes{mount="/"}`.
    targets
        Only series of these targets; none named: all.
    severity
        info, warning, error or critical.
    severities
        Further severities by value, such as `{critical: 0.5}`: an alert whose value reaches it becomes so severe within
        its episode, and stays so until its end. A value below what is expected is compared the other way round.
    threshold
        Score above which a window is anomalous, and where the drawn band ends: deviations for `robust_z`, multiples of
        its limit for `level`, 0 to 100 for the other detectors.
    false_alarms_per_day
        In place of `threshold`, for a detector with calibrated scores: so often a healthy series may pass it. A config
        that is read has the threshold that this amounts to at one value a window.
    resolve_threshold
        Score below which a firing series counts as well again, at most `threshold`; None: two thirds of it.
    min_support
        Features of the table that must be at least so much for a window to count as anomalous, such as
        `{span_error_count: 2}`: one error of six requests is no trend.
    min_samples
        Features of the table that must be at least so much for the judged one to mean anything, such as
        `{span_count: 5}`: below that it counts as not known, and is neither judged nor learned.
    corroborated_by
        Features of the table, in the unit of the judged one, that must be outside of the band as well for a window to
        count as anomalous: `duration_backed_seconds` is above it when three to eight requests are, not one.
    significance
        Counts of bad ones and of all, of which there must be more than chance makes for a window to count as anomalous.
    hold
        How long it must hold.
    preprocess
        Steps of preprocessing through which the feature goes before it is judged; the rows are recorded as they came.
    detector
        The algorithm, by its `type`, and its parameters; `aiops_nb.detectors()` lists them.
    components
        Features of the table that make up the judged one: the alert names the one that grew most against its
        baseline. None: the phases, if it is a latency of requests.
    """

    alertname: str
    table: FeatureTableName = "requests"
    feature: str
    features: tuple[str, ...] = ()
    origin: Origin | None = None
    metrics: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    severity: Severity = "warning"
    severities: dict[Severity, float] = {}
    threshold: Annotated[float, Meta(gt=0)] = NO_THRESHOLD
    false_alarms_per_day: Annotated[float, Meta(gt=0)] | None = None
    resolve_threshold: Annotated[float, Meta(gt=0)] | None = None
    min_support: dict[str, float] = {}
    min_samples: dict[str, float] = {}
    corroborated_by: tuple[str, ...] = ()
    significance: ChanceParams | None = None
    hold: HoldParams = HoldParams()
    preprocess: tuple[StepParams, ...] = ()
    detector: DetectorParams = RobustZParams()
    components: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.table == "clients":  # its series differ from window to window
            raise ValueError("table: expected a table of series that stay, got 'clients'; client_rules judge clients")

    def resolves_at(self, threshold: float) -> float:
        """Where a firing series counts as well again while `threshold` is in force."""
        wanted = self.resolve_threshold if self.resolve_threshold is not None else threshold * 2 / 3
        return min(wanted, threshold)

    @property
    def judged_features(self) -> tuple[str, ...]:
        """All features that the detector sees, the reported one first."""
        return (self.feature, *(name for name in self.features if name != self.feature))

    @property
    def explaining_features(self) -> tuple[str, ...]:
        """The parts of the judged feature that an alert may name."""
        if self.components is not None:
            return self.components
        return RECENT_PHASE_FEATURES if self.table == "requests" and self.feature.startswith("duration_") else ()

    @property
    def seen_features(self) -> tuple[str, ...]:
        """All features of the table that the rule looks at, those of the detector first."""
        counts = () if self.significance is None else (self.significance.hits, self.significance.of)
        others = (*self.explaining_features, *self.min_support, *self.min_samples, *self.corroborated_by, *counts)
        return tuple(dict.fromkeys((*self.judged_features, *others)))
