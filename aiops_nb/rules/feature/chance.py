"""When so many bad ones are more than chance."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray
from aiops_nb.detect.arithmetic.operations import exp, log


class ChanceParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Three bad of twelve are significant where one of a thousand is normal, and not where three of a hundred are.

    Attributes
    ----------
    hits, of
        Features that count the bad ones, and all.
    max_probability
        Bound on the probability that chance makes so many in one window, at the baseline share; a window counts as
        anomalous only below.
    min_baseline_ratio
        Smallest baseline share that is assumed.
    """

    hits: str = "span_error_count"
    of: str = "span_count"
    max_probability: Annotated[float, Meta(gt=0, lt=1)] = 1e-6
    min_baseline_ratio: Annotated[float, Meta(gt=0, lt=1)] = 0.002


SLOW_TICKS, DELAY_TICKS = 1800, 60
SMALLEST_RATIO = 1e-300


def chance_at_most(hits: FloatArray, of: FloatArray, baseline_ratio: FloatArray) -> FloatArray:
    """Bound on the probability of at least `hits` of `of` independent ones at the baseline ratio, (n,).

    Chernoff (1952): exp(-of KL(hits/of, baseline)); 1 where there are no more than expected.

    Examples
    --------
    >>> three, six = chance_at_most(np.array([3.0, 6.0]), np.array([12.0, 12.0]), np.array([0.03, 0.03]))
    >>> f"{three:.3f} {six:.7f}"
    '0.017 0.0000025'
    """
    ratio = np.divide(hits, of, out=np.zeros(len(of)), where=of > 0)
    more = ratio > baseline_ratio
    rest = np.where(ratio < 1, 1 - ratio, 1.0)  # 0 log 0 is 0
    distance = ratio * log(np.where(more, ratio, 1.0) / np.maximum(baseline_ratio, SMALLEST_RATIO))
    distance += np.where(ratio < 1, rest * log(rest / np.maximum(1 - baseline_ratio, SMALLEST_RATIO)), 0.0)
    bound: FloatArray = np.where(more, exp(-of * distance), 1.0)
    return bound


class SignificanceTest:
    """Baseline share of each series: the mean over windows that were not anomalous, of the last half hour in the end.

    A window is learned one to two minutes later, and not at all if the series is anomalous by then: the beginning of an
    incident must not be in the baseline when it is judged. A young series is judged by the windows that still wait.
    Cost O(n) a tick, memory 44 bytes a series.
    """

    def __init__(self, params: ChanceParams) -> None:
        self._params = params
        self._ticks = 0
        self._baseline = np.zeros(16)
        self._seen, self._recent, self._before = np.zeros(16), np.zeros((2, 16)), np.zeros((2, 16))

    def holds(self, table: FeatureTable) -> BoolArray:
        """Where what the window shows is more than chance, (n,)."""
        hits, of = table.column(self._params.hits), table.column(self._params.of)
        self._make_room(len(hits))
        baseline = np.clip(self._baseline_so_far(len(hits)), self._params.min_baseline_ratio, 0.5)
        beyond: BoolArray = chance_at_most(hits, of, baseline) <= self._params.max_probability
        return beyond

    def _baseline_so_far(self, count: int) -> FloatArray:
        """Before anything was learned, that of the windows that wait for it: they are all there is."""
        total, windows = (self._recent + self._before)[:, :count]
        waiting = np.divide(total, windows, out=np.zeros(count), where=windows > 0)
        baseline: FloatArray = np.where(self._seen[:count] == 0, waiting, self._baseline[:count])
        return baseline

    def learn(self, table: FeatureTable, rows: BoolArray, accepted: BoolArray) -> None:
        """Let the series in `rows` follow; those whose new level was `accepted` begin again."""
        hits, of = table.column(self._params.hits), table.column(self._params.of)
        self._make_room(len(hits))
        count = len(hits)
        self._seen[: len(accepted)][accepted] = 0
        known = rows & (of > 0)
        ratio = np.divide(hits, of, out=np.zeros(count), where=known)
        self._recent[:, :count] += ratio, known
        self._recent[:, :count][:, ~rows] = 0
        self._before[:, :count][:, ~rows] = 0
        self.pass_tick()

    def compiled(self, names: tuple[str, ...], count: int) -> tuple[int, int, FloatArray]:
        """Rows of both counts in a table and the open sums, which the compiled kernel adds to."""
        self._make_room(count)
        return names.index(self._params.hits), names.index(self._params.of), self._recent

    def pass_tick(self) -> None:
        """A window was learned."""
        self.pass_ticks(1)

    @property
    def most_ticks(self) -> int:
        """How many windows may be passed at once: after them, what waits is learned."""
        return DELAY_TICKS - self._ticks % DELAY_TICKS

    def pass_ticks(self, count: int) -> None:
        """So many windows were learned, at most `most_ticks`."""
        self._ticks += count
        if self._ticks % DELAY_TICKS == 0:
            self._learn_earlier()

    def _learn_earlier(self) -> None:
        total, windows = self._before
        self._seen = np.minimum(self._seen + windows, SLOW_TICKS)
        self._baseline += (total - windows * self._baseline) / np.maximum(self._seen, 1)
        self._before[:] = self._recent
        self._recent[:] = 0.0

    def _make_room(self, count: int) -> None:
        capacity = capacity_near(count, len(self._baseline))
        if capacity > len(self._baseline):
            for name in ("_baseline", "_seen", "_recent", "_before"):
                setattr(self, name, widened(getattr(self, name), capacity))
