"""Values above a running high quantile, for series that jump: a processor is idle or busy, and both are normal."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FeatureTable, FloatArray, IntArray, Scores

Seconds = Annotated[float, Meta(gt=0)]
NEVER = np.iinfo(np.int64).min


class CeilingParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ceiling", tag_field="type"):
    """Parameters of `Ceiling`.

    Attributes
    ----------
    min_deviation
        How far above the ceiling scores 1, in the feature's unit.
    warmup_seconds
        The highest value of so long is the first ceiling.
    accept_seconds
        The ceiling rises by `min_deviation` in so long a time of values above it.
    forget_seconds
        It falls by `min_deviation` in so long a time of values below it.
    relearn_seconds
        Anomalous values do not move it until they have lasted for so long a time in all; then the last of them is the
        new ceiling. In `forget_seconds` without any, so long a time of them is forgotten.
    """

    min_deviation: Annotated[float, Meta(gt=0)]
    warmup_seconds: Seconds = 300.0
    accept_seconds: Seconds = 120.0
    forget_seconds: Seconds = 21600.0
    relearn_seconds: Seconds = 600.0


class Ceiling:
    """Distance of each series above a running high quantile of its own past, in multiples of `min_deviation`.

    The quantile is followed by steps of fixed size (Robbins and Monro 1951), in time rather than in values, and is
    that of forget / (accept + forget): 0.994 by default. Anomalous values are not learned, so that a second spike is
    as anomalous as the first. But their time is summed up, and slowly forgotten: values that last, or that recur for a
    twentieth of the time, are accepted as a new level after a few times at most. After a
    gap the next value counts for a minute at most. Cost O(n) a tick, memory 32 bytes a series.

    Parameters
    ----------
    feature
        Name of the feature, with its unit.
    params
        See `CeilingParams`.
    threshold
        Multiple of `min_deviation` at which the band ends; a rule with this detector normally has 1.

    Examples
    --------
    >>> from aiops_nb.core.types import SeriesKey
    >>> detector = Ceiling("value", CeilingParams(min_deviation=0.25, warmup_seconds=2.0), threshold=1.0)
    >>> for second, value in enumerate([0.25, 0.5, 0.25, 0.25]):
    ...     table = FeatureTable("samples", second * 10**9, (SeriesKey("db"),), ("value",), np.array([[value]]))
    ...     scores = detector.score(table)
    ...     detector.learn(table, np.ones(1, np.bool_))
    >>> table = FeatureTable("samples", 4 * 10**9, (SeriesKey("db"),), ("value",), np.array([[1.0]]))
    >>> detector.score(table).score.round(2).tolist(), detector.score(table).expected.round(2).tolist()
    ([2.0], [0.5])
    """

    name = "ceiling"
    LONGEST_STEP_SECONDS = 60.0

    def __init__(self, feature: str, params: CeilingParams, threshold: float) -> None:
        self.features: tuple[str, ...] = (feature,)
        self.threshold = threshold
        self._params = params
        self._ceiling = np.full(64, -np.inf)
        self._since_ns, self._last_ns = np.full(64, NEVER), np.full(64, NEVER)
        self._anomalous_seconds = np.zeros(64)
        self.accepted: BoolArray = np.zeros(0, np.bool_)  # (n,) by the last `learn`

    @np.errstate(over="ignore", invalid="ignore")  # of the largest floats
    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where the value is NaN."""
        value = table.column(self.features[0])
        self._make_room(len(value))
        count, deviation = len(value), self._params.min_deviation
        since = self._since_ns[:count]
        warm = (since != NEVER) & (table.end_ns - since >= self._params.warmup_seconds * NS_PER_SECOND)
        expected = np.where(warm, self._ceiling[:count], np.nan)
        unbounded = np.full(count, np.nan)
        return Scores(
            score=np.where(np.isfinite(value), np.maximum(value - expected, 0.0) / deviation, np.nan),
            expected=expected,
            lower=unbounded,
            upper=expected + self.threshold * deviation,
        )

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, len(self._ceiling))
        if capacity > len(self._ceiling):
            self._ceiling = widened(self._ceiling, capacity, -np.inf)
            self._since_ns = widened(self._since_ns, capacity, NEVER)
            self._last_ns = widened(self._last_ns, capacity, NEVER)
            self._anomalous_seconds = widened(self._anomalous_seconds, capacity)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Take in the values of the series in `rows`; the others count as anomalous, until their level is accepted."""
        value = table.column(self.features[0])
        self._make_room(len(value))
        series = np.flatnonzero(np.isfinite(value))
        new = series[self._since_ns[series] == NEVER]
        self._since_ns[new] = self._last_ns[new] = table.end_ns
        seconds = np.minimum((table.end_ns - self._last_ns[series]) / NS_PER_SECOND, self.LONGEST_STEP_SECONDS)
        self._last_ns[series] = table.end_ns
        self._accept(series, seconds, ~rows[series], len(value))
        normal = rows[series]
        self._follow(series[normal], value[series[normal]], seconds[normal], table.end_ns)
        self._ceiling[: len(value)][self.accepted] = value[self.accepted]

    def _accept(self, series: IntArray, seconds: FloatArray, anomalous: BoolArray, count: int) -> None:
        """Find out of which of the `count` series the time of anomalous values, this one included, is enough."""
        forgotten = seconds * self._params.relearn_seconds / self._params.forget_seconds
        so_far = self._anomalous_seconds[series]
        so_far = np.where(anomalous, so_far + seconds, np.maximum(so_far - forgotten, 0.0))
        over = anomalous & (so_far >= self._params.relearn_seconds)
        self._anomalous_seconds[series] = np.where(over, 0.0, so_far)
        self.accepted = np.zeros(count, np.bool_)
        self.accepted[series[over]] = True

    def _follow(self, series: IntArray, value: FloatArray, seconds: FloatArray, end_ns: int) -> None:
        self._ceiling[series] = self._moved(self._ceiling[series], value, seconds)
        young = end_ns - self._since_ns[series] < self._params.warmup_seconds * NS_PER_SECOND
        first = series[young]
        self._ceiling[first] = np.maximum(self._ceiling[first], value[young])

    def _moved(self, ceiling: FloatArray, value: FloatArray, seconds: FloatArray) -> FloatArray:
        rise = self._params.min_deviation * seconds / self._params.accept_seconds
        fall = self._params.min_deviation * seconds / self._params.forget_seconds
        moved: FloatArray = np.where(
            value > ceiling, np.minimum(ceiling + rise, value), np.maximum(ceiling - fall, value)
        )
        return moved
