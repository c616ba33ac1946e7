"""How much each feature contributed to what was strange."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import FloatArray, IntArray


def shares_of(gone: FloatArray, series: IntArray, count: int) -> FloatArray:
    """(k, count) shares that sum to 1 of the m `series`, given how much is gone (k, m) without each; NaN of the others.

    Where nothing is gone whichever is left out, all have the same share.

    Examples
    --------
    >>> shares_of(np.array([[3.0, 0.0], [1.0, 0.0]]), np.array([0, 2]), 3).tolist()
    [[0.75, nan, 0.5], [0.25, nan, 0.5]]
    """
    told, total = np.full((len(gone), count), np.nan), gone.sum(axis=0)
    told[:, series] = np.where(total > 0, gone / np.where(total > 0, total, 1.0), 1.0 / len(gone))
    return told
