"""Distance from a running median in running median absolute deviations, with the expected band."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, Scores
from aiops_nb.detect.limits.compiled import Compiled
from aiops_nb.detect.relearning import LearningGate

Direction = Literal["above", "below", "both"]
MAD_PER_DEVIATION = 0.6745  # of a normal variable
MOST_SEEN = 1 << 30
IndexArray = npt.NDArray[np.intp]
Positive = Annotated[float, Meta(gt=0)]


class RobustZParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="robust_z", tag_field="type"):
    """Parameters of `RobustZ`.

    Attributes
    ----------
    direction
        Which side of the expected value is anomalous.
    warmup_ticks
        Values of a series that are gathered before its first score; their median and MAD start the baseline.
    learning_rate
        Share of a deviation by which the baseline moves in a tick, (0, 1); more while the series is young: one by the
        number of values it has learned.
    min_deviation
        Smallest deviation that counts as one, in the feature's unit: a constant series never scores against 0.
    min_deviation_ratio
        The same as a share of the expected value.
    relearn_ticks
        A series that stays anomalous so many ticks in a row is taken as having a new level, and learned again.
    relearn_seconds
        The same in time since the first of them, if there were ten at least; whichever comes first.
    """

    direction: Direction = "above"
    warmup_ticks: Annotated[int, Meta(ge=3, le=3600)] = 45
    learning_rate: Annotated[float, Meta(gt=0, lt=1)] = 0.02
    min_deviation: Positive = 1e-6
    min_deviation_ratio: Annotated[float, Meta(ge=0)] = 0.05
    relearn_ticks: Annotated[int, Meta(ge=1)] = 300
    relearn_seconds: Positive = 3600.0


class RobustZ:
    """Robust z-score of one feature for all series at once.

    The baseline is the exact median and MAD of the warm-up, then follows as a stochastic quantile estimate (Robbins and
    Monro 1951): O(1) memory a series, O(n) a tick. Anomalous values are not learned for `relearn_ticks`.

    Parameters
    ----------
    feature
        Name of the feature, with its unit.
    params
        See `RobustZParams`.
    threshold
        Score at which the band ends, so that what is drawn is what alarms.

    Examples
    --------
    >>> detector = RobustZ("error_ratio", RobustZParams(min_deviation=0.01), threshold=6.0)
    >>> detector.features
    ('error_ratio',)
    """

    name = "robust_z"

    def __init__(self, feature: str, params: RobustZParams, threshold: float) -> None:
        self.features: tuple[str, ...] = (feature,)
        self.threshold = threshold
        self._params = params
        self._capacity = 64
        self._median = np.full(self._capacity, np.nan)
        self._mad = np.zeros(self._capacity)
        self._seen = np.zeros(self._capacity, np.int32)
        self._learning_gate = LearningGate(params.relearn_ticks, params.relearn_seconds)
        self._warmup = np.empty(
            (params.warmup_ticks, 0)
        )  # values of series that warm up; none is kept once all are warm

    @np.errstate(over="ignore")  # of the largest floats
    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where the value is NaN."""
        value = table.column(self.features[0])
        value = np.where(np.isfinite(value), value, np.nan)
        expected, deviation = self._baseline(len(value))
        distance = value - expected
        score = self._one_sided(distance) / deviation
        half_band = self.threshold * deviation
        unbounded = np.full(len(value), np.nan)
        lower = unbounded if self._params.direction == "above" else expected - half_band
        upper = unbounded if self._params.direction == "below" else expected + half_band
        return Scores(score=score, expected=expected, lower=lower, upper=upper)

    def _one_sided(self, distance: FloatArray) -> FloatArray:
        if self._params.direction == "above":
            return np.maximum(distance, 0)
        if self._params.direction == "below":
            return np.maximum(-distance, 0)
        return np.abs(distance)

    def _baseline(self, count: int) -> tuple[FloatArray, FloatArray]:
        known = min(count, self._capacity)
        expected, mad = np.full(count, np.nan), np.zeros(count)
        expected[:known], mad[:known] = self._median[:known], self._mad[:known]
        return expected, self._deviation(expected, mad)

    def _deviation(self, median: FloatArray, mad: FloatArray) -> FloatArray:
        floor = np.maximum(self._params.min_deviation, self._params.min_deviation_ratio * np.abs(median))
        return np.maximum(mad / MAD_PER_DEVIATION, floor)

    @property
    def accepted(self) -> BoolArray:
        """(n,) which series had a new level accepted by the last `learn`, and start again with a warm-up."""
        return self._learning_gate.accepted

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Move the baselines of the series in `rows`; the others count as anomalous, until their level is accepted."""
        value = table.column(self.features[0])
        self._make_room(len(value))
        known: BoolArray = np.isfinite(value)
        self._learning_gate.to_learn(known, rows, table.end_ns)
        self._restart(np.flatnonzero(self.accepted))
        warm = self._seen[: len(value)] >= self._params.warmup_ticks
        self._follow(value, known & rows & warm)
        self._warm_up(value, np.flatnonzero(known & rows & ~warm))

    def compiled(self, names: tuple[str, ...], count: int) -> Compiled | None:
        """Its state as the kernel's `judge_windows` takes it; None while an anomalous level is not learned."""
        if self._learning_gate.is_counting:
            return None
        self._make_room(count)
        params = self._params
        limits = params.warmup_ticks, params.learning_rate, params.min_deviation, params.min_deviation_ratio
        direction = {"above": 1, "below": -1, "both": 0}[params.direction]
        return Compiled("robust_z", (self._median, self._mad, self._seen, *limits, direction))

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._capacity)
        if capacity == self._capacity:
            return
        self._capacity = capacity
        self._median = widened(self._median, capacity, np.nan)
        self._mad, self._seen = widened(self._mad, capacity), widened(self._seen, capacity)

    def _restart(self, series: IndexArray) -> None:
        self._seen[series] = 0
        self._median[series] = np.nan

    def _warm_up(self, value: FloatArray, series: IndexArray) -> None:
        if not len(series):
            return
        if self._warmup.shape[1] < self._capacity:
            self._warmup = widened(self._warmup, self._capacity, np.nan)
        self._warmup[self._seen[series], series] = value[series]
        self._seen[series] += 1
        ready = series[self._seen[series] == self._params.warmup_ticks]
        if len(ready):
            first = self._warmup[:, ready]
            self._median[ready] = np.median(first, axis=0)
            self._mad[ready] = np.median(np.abs(first - self._median[ready]), axis=0)
            if not ((self._seen > 0) & (self._seen < self._params.warmup_ticks)).any():
                self._warmup = np.empty((self._params.warmup_ticks, 0))

    def _follow(self, value: FloatArray, rows: BoolArray) -> None:
        if not rows.any():
            return
        median, mad = self._median[: len(value)], self._mad[: len(value)]
        distance = value - median
        seen = self._seen[: len(value)]
        rate = np.maximum(self._params.learning_rate, 1.0 / np.maximum(seen, 1))
        seen += rows & (seen < MOST_SEEN)
        step = rate * MAD_PER_DEVIATION * self._deviation(median, mad)
        median[:] = np.where(rows, median + step * np.sign(distance), median)
        mad[:] = np.where(rows, np.maximum(mad + step * np.sign(np.abs(distance) - mad), 0), mad)
