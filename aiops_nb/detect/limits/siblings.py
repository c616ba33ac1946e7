"""One series alone against its siblings: how far it is off its own baseline when the others are not."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, IntArray, Scores, SeriesKey
from aiops_nb.detect.limits.robust_z import MAD_PER_DEVIATION, Direction, Positive


class SiblingsParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="siblings", tag_field="type"):
    """Parameters of `Siblings`.

    Attributes
    ----------
    direction
        Which side of the expected value is anomalous.
    min_siblings
        Others of the same origin and metric with a value and a past, at least; below it nothing is judged.
    warmup_ticks
        Values of a series before it is judged.
    learning_rate
        Share of a deviation by which the baseline moves in a tick once it is warm.
    min_deviation, min_deviation_ratio
        What counts as one deviation: the larger of this, in the feature's unit, and this share of the baseline.
    relearn_ticks
        A series that stays apart for so many ticks in a row is taken as having a new baseline.
    """

    direction: Direction = "above"
    min_siblings: Annotated[int, Meta(ge=2)] = 4
    warmup_ticks: Annotated[int, Meta(ge=3)] = 60
    learning_rate: Annotated[float, Meta(gt=0, lt=1)] = 0.005
    min_deviation: Positive = 1e-6
    min_deviation_ratio: Annotated[float, Meta(ge=0)] = 0.1
    relearn_ticks: Annotated[int, Meta(ge=1)] = 600


class Siblings:
    """Robust z-score over the series of one tick: off its own baseline, against how far its siblings are off theirs.

    With d = (value - baseline) / deviation for each series, the score is the distance of d from the median of all of
    the same origin and metric, in their median absolute deviations, at least 1. A change that all of them share scores
    0. Cost O(n) a tick, memory 20 bytes a series.

    Parameters
    ----------
    feature
        Name of the feature, with its unit.
    params
        See `SiblingsParams`.
    threshold
        Score at which the band ends.

    Examples
    --------
    >>> keys = tuple(SeriesKey(name) for name in "abcde")
    >>> detector = Siblings("x", SiblingsParams(warmup_ticks=3, min_deviation=0.1), threshold=6.0)
    >>> for values in ([1.0, 2, 3, 4, 5], [1.0, 2, 3, 4, 5], [1.0, 2, 3, 4, 5], [1.5, 3, 4.5, 6, 15]):
    ...     table = FeatureTable("requests", 0, keys, ("x",), np.array([values]))
    ...     scores = detector.score(table)
    ...     detector.learn(table, np.ones(5, bool))
    >>> scores.score.round(1).tolist(), scores.expected.round(1).tolist()
    ([0.0, 0.0, 0.0, 0.0, 15.0], [1.5, 3.0, 4.5, 6.0, 7.5])
    """

    name = "siblings"

    def __init__(self, feature: str, params: SiblingsParams, threshold: float) -> None:
        self.features: tuple[str, ...] = (feature,)
        self.threshold = threshold
        self._params = params
        self._capacity = 64
        self._mean = np.full(self._capacity, np.nan)
        self._learned = np.zeros(self._capacity, np.int32)
        self._apart_ticks = np.zeros(self._capacity, np.int32)
        self._families: dict[tuple[str, str], int] = {}
        self._family: IntArray = np.zeros(0, np.int64)

    @np.errstate(over="ignore", invalid="ignore")  # of the largest floats
    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up, where the value is NaN, and with too few siblings."""
        value = table.column(self.features[0])
        baseline, scale = self._baseline(len(value))
        off = (value - baseline) / scale
        middle, spread = self._of_families(self._families_of(table.series), off)
        distance = (off - middle) / spread
        expected, half_band = baseline + middle * scale, self.threshold * spread * scale
        unbounded, direction = np.full(len(value), np.nan), self._params.direction
        one_sided = {"above": np.maximum(distance, 0), "below": np.maximum(-distance, 0), "both": np.abs(distance)}
        return Scores(
            score=one_sided[direction],
            expected=expected,
            lower=unbounded if direction == "above" else expected - half_band,
            upper=unbounded if direction == "below" else expected + half_band,
        )

    def _baseline(self, count: int) -> tuple[FloatArray, FloatArray]:
        known = min(count, self._capacity)
        baseline = np.full(count, np.nan)
        warm = self._learned[:known] >= self._params.warmup_ticks
        baseline[:known] = np.where(warm, self._mean[:known], np.nan)
        return baseline, np.maximum(self._params.min_deviation, self._params.min_deviation_ratio * np.abs(baseline))

    def _families_of(self, series: tuple[SeriesKey, ...]) -> IntArray:
        """Number of the family (origin, metric) of each series."""
        if len(series) > len(self._family):
            names = ((key.origin, key.metric) for key in series[len(self._family) :])
            fresh = [self._families.setdefault(name, len(self._families)) for name in names]
            self._family = np.concatenate([self._family, np.array(fresh, np.int64)])
        return self._family[: len(series)]

    def _of_families(self, family: IntArray, off: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Median and spread of each series' family, NaN where it is too small."""
        middle, spread = np.full(len(off), np.nan), np.full(len(off), np.nan)
        known = np.isfinite(off)
        for number in range(len(self._families)):
            members = known & (family == number)
            if int(members.sum()) > self._params.min_siblings:
                median = np.median(off[members])
                mad = np.median(np.abs(off[members] - median))
                middle[members], spread[members] = median, max(mad / MAD_PER_DEVIATION, 1.0)
        return middle, spread

    @np.errstate(over="ignore", invalid="ignore")  # of the largest floats
    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Move the baselines of the series in `rows`; the others count as apart, up to `relearn_ticks`."""
        value = table.column(self.features[0])
        count = len(value)
        self._make_room(count)
        known = np.isfinite(value)
        apart = self._apart_ticks[:count]
        apart[:] = np.where(rows, 0, apart + known)
        again = apart >= self._params.relearn_ticks
        learned, baseline = self._learned[:count], self._mean[:count]
        learned[again] = apart[again] = 0
        moved = known & (rows | again)
        learned[moved] += 1
        rate = np.maximum(1.0 / np.maximum(learned, 1), self._params.learning_rate)
        start = np.where(learned == 1, value, baseline)
        baseline[:] = np.where(moved, start + rate * (value - start), baseline)

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._capacity)
        if capacity > self._capacity:
            self._capacity = capacity
            self._mean = widened(self._mean, capacity, np.nan)
            self._learned, self._apart_ticks = widened(self._learned, capacity), widened(self._apart_ticks, capacity)
