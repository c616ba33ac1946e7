"""Raw scores of foreign estimators, each against the past of its own series."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near, grown
from aiops_nb.core.types import BoolArray, FloatArray, IntArray
from aiops_nb.detect.arithmetic.tail_probability import (
    ANY_BINS,
    bin_at_place,
    bin_place,
    empty_calibration,
    learn_scores,
    rarity,
)
from aiops_nb.detect.score_scale import score_of

BINS_AT_ONCE = 49_152  # which fit into a processor's cache


class SeriesCalibration:
    """Raw scores >= 0 of n series to scores of 0 to 100; NaN until a series has learned 50. 4 bytes a series and bin.

    Parameters
    ----------
    bins
        The first and how many, see `Calibration`.
    """

    def __init__(self, bins: tuple[int, int] = ANY_BINS) -> None:
        self._bins = bins
        self._make(16)

    def _make(self, count: int) -> None:
        self._learned = np.zeros(count, np.int64)
        self._picked = np.zeros(count, np.uint8)
        self._past = empty_calibration(count, 1, self._bins)

    def make_room(self, count: int) -> None:
        """Have places for `count` series."""
        if count > len(self._learned):
            old = self._learned, self._past
            self._make(capacity_near(count, len(self._learned)))
            grown(old, (self._learned, self._past))

    def score(self, raw: FloatArray) -> FloatArray:
        """(n,) from 0 to 100; NaN where `raw` is."""
        return score_of(self.raw_score(raw, np.arange(len(raw))))

    def raw_score(self, raw: FloatArray, series: IntArray) -> FloatArray:
        """(n,) -log10 of the share of the past of each of these series that is as anomalous; NaN where `raw` is."""
        known = np.flatnonzero(np.isfinite(raw))
        at, out = series[known], np.full(len(raw), np.nan)
        at_once = BINS_AT_ONCE // self._past.bins
        with np.errstate(all="ignore"):
            for first in range(0, len(known), at_once):
                some = slice(first, first + at_once)
                out[known[some]] = rarity(
                    at[some], raw[known[some]], self._learned[at[some]], self._picked, at[some], self._past
                )
        return out

    def learn(self, raw: FloatArray, rows: BoolArray) -> None:
        """Take in the scores of the series in `rows`."""
        series = np.flatnonzero(np.isfinite(raw) & rows)
        self._picked[series] = bin_at_place(bin_place(raw[series], self._past), self._past)
        learn_scores(series, self._picked, series, self._past)
        self._learned[series] += 1
