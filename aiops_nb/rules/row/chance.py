"""How many consecutive hits are more than chance, given how often a series is usually hit."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, Int32Array, IntArray
from aiops_nb.detect.arithmetic.operations import exp, log

Whole: TypeAlias = IntArray | Int32Array
HALF_LIFE_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
FEW_ROWS = 100.0  # hit as often as those of all series, as if seen before: one hit of the first three says little
MAX_BASELINE_RATIO = 0.5
MOST_SHARED_RATIO = 0.1  # what one series, which may be dead for hours, says about the others
FORGOTTEN_HITS = 1e-3
SMALLEST_RATIO = 1e-300
LEAST_USED_ONE_IN = 8  # of what a series may: runs have whole lengths, so that chance makes fewer


def consecutive_hits(baseline_ratio: FloatArray, rows_per_day: FloatArray, most_per_day: float) -> IntArray:
    """The k from which runs of k independent hits come at most `most_per_day` times a day: rows * ratio ** k, (n,).

    A baseline ratio above a half is taken as a half.

    Examples
    --------
    >>> consecutive_hits(np.array([0.0, 0.002, 0.03, 1.0]), np.full(4, 86_400.0), 0.1).tolist()
    [0, 3, 4, 20]
    """
    ratio = np.minimum(baseline_ratio, MAX_BASELINE_RATIO)
    possible = (ratio > 0) & (rows_per_day > 0)
    needed = np.zeros(len(ratio), np.int64)
    needed[possible] = _hits(log(ratio[possible]), rows_per_day[possible], most_per_day)
    return needed


def _hits(log_ratio: FloatArray, rows_per_day: FloatArray, most_per_day: float) -> IntArray:
    hits: IntArray = np.maximum(np.ceil(log(most_per_day / rows_per_day) / log_ratio), 0.0).astype(np.int64)
    return hits


def consecutive_hits_of_all(
    baseline_ratio: FloatArray, rows_per_day: FloatArray, most_per_day: float, at_least: int
) -> IntArray:
    """The same for all series together, none below `at_least`, (n,).

    Each may be hit by chance as often as the others: so often that the sum of all is within `most_per_day`. Cost O(n).

    Examples
    --------
    >>> consecutive_hits_of_all(np.full(3, 0.03), np.array([1e6, 1e5, 1e4]), 0.1, at_least=3).tolist()
    [5, 5, 4]
    """
    ratio = np.minimum(baseline_ratio, MAX_BASELINE_RATIO)
    log_ratio = log(np.maximum(ratio, SMALLEST_RATIO))
    chance = rows_per_day * exp(at_least * log_ratio)
    needed = np.full(len(ratio), at_least)
    risky = np.flatnonzero(chance > most_per_day / (10 * max(len(ratio), 1)))
    left_per_day = most_per_day - (chance.sum() - chance[risky].sum())
    needed[risky] = np.maximum(_hits_of_risky(ratio[risky], rows_per_day[risky], left_per_day), at_least)
    return needed


def _hits_of_risky(ratio: FloatArray, rows_per_day: FloatArray, most_per_day: float) -> IntArray:
    part, log_ratio = most_per_day * min(LEAST_USED_ONE_IN / max(len(ratio), 1), 1.0), log(ratio)
    while True:
        needed = _hits(log_ratio, rows_per_day, part)
        if (rows_per_day * exp(needed * log_ratio)).sum() <= most_per_day:
            return needed
        part /= 2


class Pace:
    """Rows of each series and the seconds in which they came, both fading with a half-life of an hour, (capacity,).

    Moved at the end of a window, from whole numbers: it does not depend on how the stream is cut.
    """

    def __init__(self) -> None:
        self.rows, self._seconds = np.zeros(16), np.zeros(16)
        self._end_ns: int | None = None
        self.kept_ratio = 1.0

    def tick(self, rows: Whole, end_ns: int, count: int) -> None:
        """Take the rows of `count` series in a closed window; of those beyond `rows` there were none."""
        capacity = capacity_near(count, len(self.rows))
        if capacity > len(self.rows):
            self.rows, self._seconds = widened(self.rows, capacity), widened(self._seconds, capacity)
        seconds = 1.0 if self._end_ns is None else (end_ns - self._end_ns) / NS_PER_SECOND
        self._end_ns = end_ns
        self.kept_ratio = 0.5 ** (seconds / HALF_LIFE_SECONDS)
        if kernel.compiled is not None and rows.dtype == np.int32:
            kernel.compiled.fade_pace(self.rows, self._seconds, rows, self.kept_ratio, seconds)
            return
        self.rows *= self.kept_ratio
        self.rows[: len(rows)] += rows
        self._seconds *= self.kept_ratio
        self._seconds[self.rows > 0] += seconds

    def rows_per_day(self, series: IntArray) -> FloatArray:
        """Of these series, each of which had a row, (n,)."""
        per_day: FloatArray = self.rows[series] / self._seconds[series] * DAY_SECONDS
        return per_day


class BaselineHits:
    """How often each series is hit when nothing is wrong, and so how many consecutive hits it needs.

    All series together are to be hit by chance so often a day at most. One hit more is assumed than was seen, about
    what the unknown true share adds to the mean chance of a run; a series of few rows is taken to be like the others.
    Hits wait until their run has ended without an alert: what is being judged is not yet in the baseline. Cost of a
    tick: next to nothing while there are no hits, else O(n). Memory: 24 bytes a series.
    """

    def __init__(self, for_rows: int, max_chance_alerts_per_day: float) -> None:
        self._for_rows, self._most_per_day = for_rows, max_chance_alerts_per_day
        self._hits, self._waiting = np.zeros(16), np.zeros(16)
        self._any = False

    def is_idle(self, hits: Whole) -> bool:
        """Whether there is nothing to take: no hits in a closed window, and none remembered."""
        return not self._any and not hits.any()

    def tick(self, hits: Whole, pace: Pace, learn: BoolArray, forget: BoolArray) -> IntArray | None:
        """Take the hits of each series in a closed window; None while every series needs `for_rows`.

        What each needs is also `needed` until the next window ends. `learn` are series that no run and no alert is
        going on of, `forget` those whose hits are an alert's; both are (m,), m >= the number of series.
        """
        count = self.take(hits, pace, learn, forget)
        return None if count is None else self.needed(pace)

    def take(self, hits: Whole, pace: Pace, learn: BoolArray, forget: BoolArray) -> int | None:
        """The same without saying what is needed: of how many series something is known, None where that is None."""
        if self.is_idle(hits):
            return None
        count = len(pace.rows)
        self._make_room(count)
        if kernel.compiled is not None and hits.dtype == np.int32:
            width = min(count, len(learn))
            judged = learn[:width], forget[:width]
            self._any = kernel.compiled.take_hits(self._hits, self._waiting, hits, *judged, pace.kept_ratio)
            return len(self._hits)
        self._hits *= pace.kept_ratio
        self._waiting[: len(hits)] += hits
        learn, forget = learn[:count], forget[:count]
        self._hits[: len(learn)] += np.where(learn, self._waiting[: len(learn)], 0.0)
        self._waiting[: len(learn)][learn | forget] = 0.0
        self._hits[self._hits < FORGOTTEN_HITS] = 0.0
        self._any = bool(self._hits.any() or self._waiting.any())
        return len(self._hits)

    def _make_room(self, count: int) -> None:
        if count > len(self._hits):
            self._hits, self._waiting = widened(self._hits, count), widened(self._waiting, count)

    def needed(self, pace: Pace) -> IntArray:
        """How many consecutive hits each series needs, (n,), by what is known at the end of the last window."""
        self._make_room(len(pace.rows))
        needed = np.full(len(self._hits), self._for_rows, np.int64)
        seen = np.flatnonzero(pace.rows)
        per_day, ratio = pace.rows_per_day(seen), self._baseline_ratio(seen, pace.rows[seen])
        needed[seen] = consecutive_hits_of_all(ratio, per_day, self._most_per_day, self._for_rows)
        return needed

    def _baseline_ratio(self, seen: IntArray, rows: FloatArray) -> FloatArray:
        hits = self._hits[seen]
        of_all = np.minimum(hits, MOST_SHARED_RATIO * rows).sum() / rows.sum()
        ratio: FloatArray = (hits + np.minimum(hits, 1.0) + FEW_ROWS * of_all) / (rows + FEW_ROWS)
        return ratio
