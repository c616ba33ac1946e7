"""Silence that is longer than a series has ever been silent, by far."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, FeatureTable, Scores
from aiops_nb.detect.limits.compiled import Compiled
from aiops_nb.detect.limits.robust_z import Positive


class SilenceParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="silence", tag_field="type"):
    """Parameters of `Silence`.

    Attributes
    ----------
    times_longest
        How many times longer than the longest silence so far it must be; >= 1.
    min_silent_seconds
        A shorter silence is never anomalous.
    warmup_ticks
        Windows of a series before it is judged; its longest silence must have had time to happen.
    warmup_heard_ticks
        And windows in which something was heard: a source that comes every ten minutes warms up for hours.
    forget_ratio
        Share of the longest silence that is forgotten in a tick: 1e-5 halves it in 19 hours of 1 s.
    relearn_ticks
        A series that stays silent for so many windows is taken as having ended, until it is heard again.
    """

    times_longest: Annotated[float, Meta(ge=1)] = 3.0
    min_silent_seconds: Positive = 30.0
    warmup_ticks: Annotated[int, Meta(ge=3)] = 300
    warmup_heard_ticks: Annotated[int, Meta(ge=1)] = 30
    forget_ratio: Annotated[float, Meta(ge=0, lt=1)] = 1e-5
    relearn_ticks: Annotated[int, Meta(ge=1)] = 3600


class Silence:
    """Seconds of silence as a multiple of the limit: so many times the longest silence that was normal.

    1 at the limit. A source that comes in batches every ten minutes is not silent for nine of them. A silence that was
    found anomalous is not learned, however it ends. Cost O(n) a tick, memory 28 bytes a series.

    Parameters
    ----------
    feature
        Seconds since something was heard, such as `silent_seconds`: 0 or growing.
    params
        See `SilenceParams`.
    threshold
        Multiple of the limit at which the band ends; a rule with this detector normally has 1.

    Examples
    --------
    >>> Silence("silent_seconds", SilenceParams(), threshold=1.0).features
    ('silent_seconds',)
    """

    name = "silence"

    def __init__(self, feature: str, params: SilenceParams, threshold: float) -> None:
        self.features: tuple[str, ...] = (feature,)
        self.threshold = threshold
        self._params = params
        self._capacity = 64
        self._longest = np.zeros(self._capacity)
        self._running = np.zeros(self._capacity)
        self._anomalous_ticks = np.zeros(self._capacity, np.int32)
        self._seen, self._heard = np.zeros(self._capacity, np.int32), np.zeros(self._capacity, np.int32)

    @np.errstate(over="ignore", invalid="ignore")  # of the largest floats
    def score(self, table: FeatureTable) -> Scores:
        """Score the n series of the table; NaN in warm-up and where the value is not finite."""
        value = table.column(self.features[0])
        count, known = len(value), min(len(value), self._capacity)
        longest = np.full(count, np.nan)
        longest[:known] = np.where(self._is_warm(known), self._longest[:known], np.nan)
        limit = np.maximum(self._params.times_longest * longest, self._params.min_silent_seconds)
        unknown = np.full(count, np.nan)
        score = np.where(np.isfinite(value), np.maximum(value, 0.0) / limit, np.nan)
        return Scores(score=score, expected=unknown, lower=unknown, upper=limit * self.threshold)

    def _is_warm(self, count: int) -> BoolArray:
        long_enough = self._seen[:count] >= self._params.warmup_ticks
        warm: BoolArray = long_enough & (self._heard[:count] >= self._params.warmup_heard_ticks)
        return warm

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Learn a silence that ends, unless it was anomalous; one that was taken as the end begins a new series."""
        value = table.column(self.features[0])
        count = len(value)
        self._make_room(count)
        known = np.isfinite(value)
        longest, running, anomalous = self._longest[:count], self._running[:count], self._anomalous_ticks[:count]
        anomalous[:] = np.where(rows, anomalous, anomalous + known)
        ended = known & (value < running)
        longest[known] *= 1 - self._params.forget_ratio
        longest[:] = np.where(ended & (anomalous == 0), np.maximum(longest, running), longest)
        longest[anomalous >= self._params.relearn_ticks] = np.inf
        self._begin_again(ended & np.isinf(longest))
        self._seen[:count] += known
        self._heard[:count] += known & (value == 0)
        anomalous[ended] = 0
        running[:] = np.where(known, value, running)

    def compiled(self, names: tuple[str, ...], count: int) -> Compiled | None:
        """Its state as `judge_windows` of the compiled kernel takes it."""
        self._make_room(count)
        arrays = self._longest, self._running, self._anomalous_ticks, self._seen, self._heard
        params = self._params
        limits = params.times_longest, params.min_silent_seconds, params.forget_ratio
        ticks = params.warmup_ticks, params.warmup_heard_ticks, params.relearn_ticks
        return Compiled("silence", (*arrays, *limits, *ticks))

    def _begin_again(self, series: BoolArray) -> None:
        again = np.flatnonzero(series)
        self._longest[again] = self._seen[again] = self._heard[again] = 0

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._capacity)
        if capacity > self._capacity:
            self._capacity = capacity
            self._longest, self._running = widened(self._longest, capacity), widened(self._running, capacity)
            self._anomalous_ticks = widened(self._anomalous_ticks, capacity)
            self._seen, self._heard = widened(self._seen, capacity), widened(self._heard, capacity)
