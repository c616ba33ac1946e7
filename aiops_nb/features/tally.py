"""Adding rows to per-series totals: exact, so that the order and the cutting of batches cannot matter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aiops_nb.core.types import BoolArray, FloatArray, IntArray


def count_into(total: npt.NDArray[np.integer], series: IntArray) -> None:
    """Add 1 to the total of each row's series."""
    if len(series) * 4 < len(total):
        np.add.at(total, series, 1)
    else:
        total += np.bincount(series, minlength=len(total)).astype(total.dtype, copy=False)


def count_where(total: npt.NDArray[np.integer], series: IntArray, mask: BoolArray) -> None:
    """Add 1 for the rows of the mask."""
    if mask.any():
        count_into(total, series[mask])


def sum_into(total: IntArray, series: IntArray, amounts: IntArray) -> None:
    """Add whole amounts, each below 2**32, to the total of each row's series.

    Sums in float64 are exact here: at most 2**20 rows of 2**32 stay below 2**53.
    """
    if len(series) * 4 < len(total) or len(series) > 1 << 20:
        np.add.at(total, series, amounts)
    else:
        total += np.bincount(series, amounts, minlength=len(total)).astype(np.int64)


def fold_into(total: FloatArray, series: IntArray, amounts: FloatArray) -> None:
    """Add floats one by one in row order, so that the sum is the same wherever the batch was cut."""
    np.add.at(total, series, amounts)
