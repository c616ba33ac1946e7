"""Any kernel as a live detector: all series of a feature table at once, in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from aiops_nb.core.growing import capacity_near, grown, widened
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, IntArray, Scores
from aiops_nb.detect.arithmetic.operations import Indices
from aiops_nb.detect.kernel import Kernel, StreamParams, known
from aiops_nb.detect.relearning import LearningGate
from aiops_nb.detect.score_scale import as_scores
from aiops_nb.detect.season_history import History
from aiops_nb.detect.time_of_day import day_bins, local_ns, week_bin, zone

FIRST_CAPACITY = 16


class StreamingDetector:
    """One feature of all series, judged by a kernel; `score_series` runs the same kernel over one series.

    A value that is not finite, or beyond 1e300, is not known: it gets no score and is not learned. A value kept from
    learning becomes part of the context only; after `relearn_ticks` or `relearn_seconds` of them in a row the new level
    is accepted: the series is learned whatever the verdict, until the caller finds it normal again.
    Cost O(n) a tick, memory O(n).

    Parameters
    ----------
    name
        Of the algorithm.
    feature
        Name of the feature, with its unit.
    kernel, params
        The algorithm.
    threshold
        Score, 0 to 100, from which on a value is anomalous; a caller may decide otherwise.
    """

    def __init__(self, name: str, feature: str, kernel: Kernel, params: StreamParams, threshold: float) -> None:
        self.name = name
        self.features: tuple[str, ...] = (feature,)
        self.threshold = threshold
        self.params = params
        self._kernel = kernel
        self._bins = day_bins(params.interval_seconds)
        self._zone = zone(params.timezone)
        self._capacity = FIRST_CAPACITY
        self._state = kernel.empty(self._capacity, self._bins, params)
        self._begun = np.zeros(self._capacity, np.bool_)
        self._learning_gate = LearningGate(params.relearn_ticks, params.relearn_seconds)
        self._onset_ns = np.zeros(self._capacity, np.int64)
        self._judged: FeatureTable | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_judged": None}

    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where the value is not known."""
        value = table.column(self.features[0])
        series, time_bin = self._known(table, value)
        out = np.full((3, len(value)), np.nan)
        with np.errstate(all="ignore"):
            out[:, series] = self._kernel.judge(series, value[series], time_bin, self._state)
        self._judged = table
        return as_scores(self.params, value, (out[0], out[1], out[2]))

    @property
    def accepted(self) -> BoolArray:
        """(n,) which series had a new level accepted by the last `learn`."""
        return self._learning_gate.accepted

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Take in the series in `rows`; of the others only the last values, until their new level is accepted."""
        if self._judged is not table:
            self.score(table)
        value = table.column(self.features[0])
        series, time_bin = self._known(table, value)
        learn = self._learning_gate.to_learn(known(value), rows, table.end_ns)[series]
        learned, followed = series[learn], series[~learn]
        with np.errstate(all="ignore"):
            self._kernel.learn(learned, value[learned], time_bin[: len(learned)], self._state)
            self._kernel.follow(followed, value[followed], self._state)
        self._begun[series] = True
        self._date_changes(series, table.end_ns)
        self._judged = None

    def _date_changes(self, series: Indices, end_ns: int) -> None:
        if self._kernel.onset is not None:
            values_ago = self._kernel.onset(series, self._state)
            began = np.where(values_ago == 1, end_ns, self._onset_ns[series])
            self._onset_ns[series] = np.where(values_ago == 0, 0, began)

    def contributions(self, table: FeatureTable, rows: BoolArray | None = None) -> dict[str, FloatArray]:
        """What made each of the n series anomalous, or those in `rows` (n,): shares that sum to 1, by name.

        Empty if there is but one reason. Cost: about that of a score, of the series in `rows`.
        """
        if self._kernel.explain is None:
            return {}
        value = table.column(self.features[0])
        series, time_bin = self._known(table, value if rows is None else np.where(rows, value, np.nan))
        with np.errstate(all="ignore"):
            parts = self._kernel.explain(series, value[series], time_bin, self._state)
        out = np.full((len(parts), len(value)), np.nan)
        out[:, series] = np.stack(parts) / (sum(parts) + 1e-300)
        return dict(zip(self._kernel.parts, out, strict=True))

    def history(self, table: FeatureTable) -> History | None:
        """How much is known of this phase of the day and week, for each of the n series; None if it has no phases."""
        if self._kernel.history is None:
            return None
        value = table.column(self.features[0])
        series, time_bin = self._known(table, value)
        out = np.zeros((3, len(value)))
        out[:, series] = self._kernel.history(series, time_bin, self._state)
        return History(days=out[0].astype(np.int64), weeks=out[1].astype(np.int64), basis=out[2].astype(np.int64))

    def onset_ns(self, table: FeatureTable) -> IntArray | None:
        """(n,) UTC ns at which the change that is going on began, 0 where there is none; None: unknown.

        Of a value that was scored and not yet learned, the change begins with that value at the latest.
        """
        if self._kernel.onset is None:
            return None
        self._make_room(len(table.series))
        return self._onset_ns[: len(table.series)].copy()

    def _known(self, table: FeatureTable, value: FloatArray) -> tuple[Indices, Indices]:
        """The series with a value, and the time of the week for each; those without a past begin with this value."""
        self._make_room(len(value))
        series = np.flatnonzero(known(value))
        new = series[~self._begun[series]]
        if len(new):
            self._kernel.begin(new, value[new], self._state)
        at = week_bin(np.array([local_ns(table.end_ns, self._zone)]), self._bins)
        return series, np.repeat(at, len(series))

    def _make_room(self, count: int) -> None:
        capacity = capacity_near(count, self._capacity)
        if capacity == self._capacity:
            return
        self._state = grown(self._state, self._kernel.empty(capacity, self._bins, self.params))
        self._begun, self._onset_ns = widened(self._begun, capacity), widened(self._onset_ns, capacity)
        self._capacity = capacity
