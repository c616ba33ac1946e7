"""How often scores went above a threshold: what moving it would have made of the time that is shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

APART_SECONDS = 30.0


def episodes_above(scores: npt.NDArray[np.floating], threshold: float, windows_apart: int) -> int:
    """Number of episodes in which a score is above a threshold, over all series.

    Parameters
    ----------
    scores
        (windows, n), NaN where there is none.
    threshold
        An episode begins with the first score above it.
    windows_apart
        After so many windows at or below it, the next one is another episode; at least 1.

    Examples
    --------
    >>> scores = np.array([[0.0, 6.0, 0.0, 7.0, 0.0, 0.0, 0.0, 6.0], [np.nan] * 8]).T
    >>> [episodes_above(scores, threshold, 2) for threshold in (5.0, 6.5, 8.0)]
    [2, 1, 0]
    """
    above = np.asarray(scores > threshold)
    if not above.any():
        return 0
    place = np.arange(1, len(above) + 1)[:, None]
    last = np.maximum.accumulate(np.where(above, place, 0), axis=0)  # 0: none yet
    before = np.vstack([np.zeros((1, above.shape[1]), last.dtype), last[:-1]])
    begins = above & ((before == 0) | (place - before > max(windows_apart, 1)))
    return int(begins.sum())
