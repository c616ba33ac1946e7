"""Raw scores of foreign estimators, each against the past of its own series."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near
from aiops_nb.core.types import BoolArray, FloatArray
from aiops_nb.detect.calibrate import ANY_BINS, empty_calibration, learn_scores, rarity
from aiops_nb.detect.grown import grown
from aiops_nb.detect.scale import score_of


class OwnPast:
    """Raw scores >= 0 of n series to scores of 0 to 100; NaN until a series has learned 50. 0.4 KB a series."""

    def __init__(self) -> None:
        self._make(16)

    def _make(self, count: int) -> None:
        self._learned = np.zeros(count, np.int64)
        self._picked = np.zeros(count, np.uint8)
        self._past = empty_calibration(count, 1, ANY_BINS)

    def make_room(self, count: int) -> None:
        """Have places for `count` series."""
        if count > len(self._learned):
            old = self._learned, self._past
            self._make(capacity_near(count, len(self._learned)))
            grown(old, (self._learned, self._past))

    def score(self, raw: FloatArray) -> FloatArray:
        """(n,) from 0 to 100; NaN where `raw` is."""
        series = np.flatnonzero(np.isfinite(raw))
        told = np.full(len(raw), np.nan)
        with np.errstate(all="ignore"):
            told[series] = rarity(series, raw[series], self._learned[series], self._picked, series, self._past)
        return score_of(told)

    def learn(self, raw: FloatArray, rows: BoolArray) -> None:
        """Take in the scores of the series in `rows`."""
        self.score(raw)
        series = np.flatnonzero(np.isfinite(raw) & rows)
        learn_scores(series, self._picked, series, self._past)
        self._learned[series] += 1
