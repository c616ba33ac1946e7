"""The nouns that travel between rooms: items, feature tables, scores, alert changes, steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aiops_nb.core.schemas import TableName

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

Severity = Literal["info", "warning", "error", "critical"]
AlertState = Literal["pending", "firing", "nodata", "error", "resolved", "inactive"]
FIRING_STATES: tuple[AlertState, ...] = (
    "firing",
    "nodata",
    "error",
)  # Grafana's: each is notified until it is resolved
ACTIVE_STATES: tuple[AlertState, ...] = ("pending", *FIRING_STATES)
AlertUpdate = Literal[
    "",
    "released",
    "acknowledged",
    "unacknowledged",
    "silenced",
    "unsilenced",
    "comment",
    "severity",
    "flapping",
]
FeatureTableName = Literal["requests", "overall", "slo", "samples", "clients"]
NS_PER_SECOND = 1_000_000_000
ALL_TARGETS = "*"  # the target of what is said of all together
OTHER = "__other__"  # stands for all names beyond the number that is kept apart


@dataclass(frozen=True, slots=True)
class Item:
    """One element of the ordered stream: a batch, and its place.

    `seq` is the place of its first row; a joined batch carries several in its `seq` column.
    """

    seq: int
    table: TableName
    source: str
    batch: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Identity of a series. Requests have an `origin`, samples a `metric`, clients a `client`; the rest is empty."""

    target: str
    origin: str = ""
    metric: str = ""
    client: str = ""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """The features of every series over one closed window.

    Attributes
    ----------
    table
        What the series are made of.
    end_ns
        End of the window, UTC ns; the window is [end - width, end).
    series
        The n series in order of their first row; it only ever grows, and is shared between ticks. Of `clients` only the
        busiest of the window, other ones in each.
    names
        The k feature names, with units.
    values
        (k, n) float64; NaN = not known.
    """

    table: FeatureTableName
    end_ns: int
    series: tuple[SeriesKey, ...]
    names: tuple[str, ...]
    values: FloatArray

    def column(self, name: str) -> FloatArray:
        """Values of one feature, (n,)."""
        row: FloatArray = self.values[self.names.index(name)]
        return row


@dataclass(frozen=True, slots=True)
class Scores:
    """What a detector says of the n series of a FeatureTable; each array is (n,).

    `score` >= 0, larger = more anomalous, NaN while warming up. `expected`, `lower`, `upper` are in the feature's unit,
    NaN where the detector has no band.
    """

    score: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray


class Reasons(Protocol):
    """Why series of a ScoredFeature are anomalous: all that are, and maybe others.

    `number` counts among these m series.
    """

    @property
    def series(self) -> IntArray:
        """(m,) their places among the n series, rising."""
        ...

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        ...

    def contributions(self, number: int) -> Mapping[str, float]:
        """Shares of the score by what made it, summing to 1."""
        ...

    def phase(self, number: int) -> str:
        """The part of a latency that grew most; empty where that is not known."""
        ...

    def summary(self, scored: ScoredFeature, number: int) -> str:
        """All of it as a sentence."""
        ...


@dataclass(frozen=True, slots=True)
class ScoredFeature:
    """One rule's verdicts over one feature of its n series at one tick; arrays are (n,), `series` only ever grows.

    `accepted` are series that stayed anomalous for so long that their new level is the baseline from here on; empty if
    there are none. `reasons` is None where nothing is anomalous.
    """

    detector: str
    alertname: str
    feature: str
    threshold: float
    series: tuple[SeriesKey, ...]
    value: FloatArray
    scores: Scores
    is_anomaly: BoolArray
    accepted: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    reasons: Reasons | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleThreshold:
    """A threshold that is not one of scores: `name` has its unit, `value` is its present value, `least` the lowest."""

    alertname: str
    name: str
    value: float
    least: float


@dataclass(frozen=True, slots=True)
class Tick:
    """One closed window of one table: its features, all verdicts on them, and thresholds of rules without scores."""

    features: FeatureTable
    scored: tuple[ScoredFeature, ...] = ()
    thresholds: tuple[RuleThreshold, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """One change of one alert's state.

    A state of `nodata` (a target brings no data) or `error` (a source or a rule fails) is an alert that fires without
    a condition that was evaluated; see `is_firing`.

    `labels` are the identity (alertname, severity, target, detector, and metric or origin); never a score.
    `time_ns` is stamped by the row or the window that made the change. `starts_at_ns` is when it began firing
    (pending: when the condition was first seen); `ends_at_ns` is set on resolved and inactive.
    Numbers are NaN where they mean nothing. `contributions` are the shares of the score by feature, by part of a
    detector, or by phase of a latency; they sum to 1, and are empty for rules without a detector. `inhibited_by` names
    the alert that inhibits this one, so that it is not notified; an alert that outlives it is notified by a second
    change to `firing`. `summary` is one sentence; `detail` is the message of the last failure as its client gave it.
    `members` are the targets of a group's alert (target `*`): those that have it when it fires, at its end all that
    had it. `outcome` says why the alert is over, if the condition itself did not end. `phase` names the part of the
    value that grew most: of a latency `resolve`, `connect`, `tls`, `wait` or `transfer`; empty if that is not known.

    `update` is empty when the state has changed. Otherwise it says what else has: `released`, `acknowledged`,
    `unacknowledged`, `silenced`, `unsilenced`, `comment`, `severity`, `flapping`. `silenced_by` are
    the ids of silences and the names of maintenance windows that hold; `acknowledged_by` is who answered, and
    `acknowledged_at_ns` when; `note` is the last note or comment. While `flapping`, the alert stays open until it is
    calm.
    """

    time_ns: int
    state: AlertState
    labels: Mapping[str, str]
    fingerprint: str
    pending_at_ns: int
    starts_at_ns: int | None = None
    ends_at_ns: int | None = None
    value: float = float("nan")
    expected: float = float("nan")
    lower: float = float("nan")
    upper: float = float("nan")
    score: float = float("nan")
    threshold: float = float("nan")
    contributions: Mapping[str, float] = field(default_factory=dict)
    phase: str = ""
    inhibited_by: str = ""
    summary: str = ""
    detail: str = ""
    outcome: str = ""
    members: tuple[str, ...] = ()
    update: AlertUpdate = ""
    silenced_by: tuple[str, ...] = ()
    acknowledged_by: str = ""
    acknowledged_at_ns: int | None = None
    note: str = ""
    flapping: bool = False

    @property
    def is_firing(self) -> bool:
        """Whether it calls for attention: firing, nodata or error."""
        return self.state in FIRING_STATES

    @property
    def is_active(self) -> bool:
        """Whether it is not over: pending, or one of the states that call for attention."""
        return self.state in ACTIVE_STATES

    @property
    def acknowledged(self) -> bool:
        """Whether somebody has said that they know of this episode."""
        return self.acknowledged_at_ns is not None

    @property
    def is_suppressed(self) -> bool:
        """Whether nobody is notified that it fires: another alert inhibits it, or it is silenced."""
        return bool(self.inhibited_by or self.silenced_by)


@dataclass(slots=True)
class Step:
    """What one push of one item made: closed windows and alert changes, in order."""

    item: Item
    ticks: list[Tick] = field(default_factory=list)
    changes: list[AlertChange] = field(default_factory=list)
