"""How rare a score is among those of the sample that an estimator was fitted to."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import FloatArray

TAIL_SHARE = 0.03


class SampleTail:
    """Tail probabilities by the scores of a sample: by rank, and beyond its strangest 3 % by an exponential tail.

    Estimators put their scores on any scale, some on a very narrow one; this makes them one.

    Parameters
    ----------
    scores
        Of the sample, larger = stranger; at least one.

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
        """-log of the share of the sample that is at least as strange, >= 0; NaN stays NaN."""
        count = len(self._sorted)
        at_least = count - np.searchsorted(self._sorted, scores, side="left")
        by_rank = -np.log(np.maximum(at_least, TAIL_SHARE * count) / count)
        beyond = np.maximum(scores - self._edge, 0.0) / self._excess
        surprise = by_rank + np.where(beyond > 0, -np.log(TAIL_SHARE) - by_rank + beyond, 0.0)
        return np.where(np.isnan(scores), np.nan, surprise)
