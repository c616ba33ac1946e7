"""A bounded, uniform sample of all that came since it was last thinned.

By hand: no library has a seeded reservoir of rows in numpy whose draws never change.
"""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import log


class Sample:
    """At most `size` rows of `width` numbers, each of those seen being as likely in it (Vitter 1985, algorithm R).

    Drawn from a seed, so that equal streams keep equal rows. Memory: size x width numbers.

    Examples
    --------
    >>> sample = Sample(size=2, width=1, seed=0)
    >>> sample.add(np.array([[1.0], [2.0], [3.0]]))
    >>> len(sample.rows), sample.seen
    (2, 3)
    """

    def __init__(self, size: int, width: int, seed: int) -> None:
        self._rows = np.zeros((size, width))
        self._random = np.random.RandomState(seed)  # the legacy generator never changes its numbers
        self.seen = 0

    @property
    def rows(self) -> FloatArray:
        """(at most size, width): what was kept."""
        return self._rows[: min(self.seen, len(self._rows))]

    def add(self, rows: FloatArray) -> None:
        """Show rows to the sample."""
        size, number = len(self._rows), self.seen + np.arange(len(rows))
        place = np.where(number < size, number, (self._random.random_sample(len(rows)) * (number + 1)).astype(np.int64))
        kept = place < size
        self._rows[place[kept]] = rows[kept]
        self.seen += len(rows)

    def thin(self) -> None:
        """Take what is kept as all that was seen, so that what comes next replaces it the sooner."""
        self.seen = min(self.seen, len(self._rows))


TAIL_SHARE = 0.03
LOG_OF_TAIL = 3.506557897319982  # -log(TAIL_SHARE)


class SampleTail:
    """Tail probabilities by the scores of a sample: by rank, and beyond its most anomalous 3 % by an exponential tail.

    Estimators put their scores on any scale, some on a very narrow one; this makes them one.

    Parameters
    ----------
    scores
        Of the sample, larger = more anomalous; at least one.

    Examples
    --------
    >>> tail = SampleTail(np.arange(1000.0))
    >>> tail.surprise(np.array([500.0, 990.0, 1090.0])).round(1).tolist()
    [0.7, 4.9, 11.3]
    >>> tail.surprise(np.array([np.nan])).tolist()
    [nan]
    """

    def __init__(self, scores: FloatArray) -> None:
        self._sorted = np.sort(scores)
        self._edge = float(np.quantile(self._sorted, 1 - TAIL_SHARE))
        beyond = self._sorted[self._sorted > self._edge] - self._edge
        self._excess = (float(beyond.mean()) if len(beyond) else 0.0) + 1e-9 * (1.0 + abs(self._edge))

    def surprise(self, scores: FloatArray) -> FloatArray:
        """-log of the share of the sample that is at least as anomalous, >= 0; NaN stays NaN."""
        count = len(self._sorted)
        at_least = count - np.searchsorted(self._sorted, scores, side="left")
        by_rank = -log(np.maximum(at_least, TAIL_SHARE * count) / count)
        beyond = np.maximum(scores - self._edge, 0.0) / self._excess
        surprise = by_rank + np.where(beyond > 0, LOG_OF_TAIL - by_rank + beyond, 0.0)
        return np.where(np.isnan(scores), np.nan, surprise)
