"""A series in which it is known what is wrong, and how judges score many of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.detection.events import Spans, Trial

Judge = Callable[[Sequence[pd.Series]], list[np.ndarray]]
DAY = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A series, the index ranges, ends included, in which something is wrong, and what.

    Points before `first` are there to learn what is baseline, and count neither way.
    """

    name: str
    series: pd.Series
    spans: Spans
    first: int = 0
    kinds: tuple[str, ...] = ()

    @property
    def category(self) -> str:
        return self.name.split("/")[0]

    @property
    def days(self) -> float:
        return float((self.series.index[-1] - self.series.index[self.first]) / DAY)

    @property
    def interval_seconds(self) -> float:
        return float(pd.Series(self.series.index[:50]).diff().median().total_seconds())


def each(one: Callable[[pd.Series], np.ndarray]) -> Judge:
    """A judge that looks at one series at a time."""
    return lambda series: [one(x) for x in series]


def trials(judge: Judge, labelled: Sequence[Labelled]) -> list[Trial]:
    """Each series as the judge scores it."""
    scores = judge([one.series for one in labelled])
    return [Trial(score, one.spans, one.first, one.days) for score, one in zip(scores, labelled, strict=True)]
