"""The Numenta benchmark: how each judge does with thresholds it may have learned elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.detection.events import alarms
from benchmarks.detection.labelled import Judge, Labelled
from benchmarks.detection.nab import Tally, tally

THRESHOLDS = 80


def row(labelled: Sequence[Labelled], judge: Judge) -> dict[str, float]:
    """`fitted on all` is an upper bound; in `cross-validated` each category is scored with the threshold that is best
    for the others; in `one for the others` the threshold comes from one category alone, and the rest is scored (mean
    over categories): the better warning of what unseen series will show.
    """
    scores = judge([one.series for one in labelled])
    thresholds = candidates(scores)
    tallies = [
        [tally(alarms(score, threshold), one.spans, len(score)) for threshold in thresholds]
        for score, one in zip(scores, labelled, strict=True)
    ]
    return Grid(tallies, [one.category for one in labelled]).row()


def candidates(scores: Sequence[np.ndarray]) -> np.ndarray:
    pool = np.concatenate([score[np.isfinite(score)] for score in scores])
    spread = np.unique(np.quantile(pool, 1 - np.geomspace(1e-4, 0.05, THRESHOLDS)))
    return spread[spread > 0] if (spread > 0).any() else np.array([np.inf])


class Grid:
    """Tallies of each series at each threshold."""

    def __init__(self, tallies: list[list[Tally]], categories: list[str]) -> None:
        self.tallies, self.categories = tallies, np.array(categories)
        self.earned = np.array([[one.earned for one in line] for line in tallies])
        self.windows = np.array([line[0].windows for line in tallies])

    def best(self, rows: np.ndarray) -> int:
        return int(np.argmax(self.earned[rows].sum(axis=0)))

    def sum(self, rows: np.ndarray, at: int) -> Tally:
        return Tally(float(self.earned[rows, at].sum()), int(self.windows[rows].sum()))

    def row(self) -> dict[str, float]:
        every = np.ones(len(self.categories), bool)
        names = [name for name in np.unique(self.categories) if self.windows[self.categories == name].sum()]
        crossed = Tally(0.0, 0)
        for name in np.unique(self.categories):
            here = self.categories == name
            crossed = crossed + self.sum(here, self.best(~here))
        from_one = [self.sum(self.categories != name, self.best(self.categories == name)).score for name in names]
        return {
            "fitted on all": self.sum(every, self.best(every)).score,
            "cross-validated": crossed.score,
            "one for the others": float(np.mean(from_one)),
        }
