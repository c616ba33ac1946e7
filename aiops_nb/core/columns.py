"""Numpy views of Arrow columns; they copy only where there are nulls."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.types import FloatArray, Int32Array, IntArray


def floats(column: pa.Array) -> FloatArray:
    """Float column, null as NaN."""
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)


def integers(column: pa.Array, null: int) -> IntArray:
    """Integer column in its own width, null as the given number."""
    full = column if column.null_count == 0 else pc.fill_null(column, null)
    numbers: IntArray = full.to_numpy(zero_copy_only=False)
    return numbers


def times_ns(column: pa.Array) -> IntArray:
    """Timestamps as int64 nanoseconds UTC; the column has no nulls."""
    return integers(column.view(pa.int64()), 0)


def dictionary_indices(column: pa.DictionaryArray) -> Int32Array:
    """Row -> place in the batch's own dictionary, -1 for null."""
    return np.asarray(integers(column.indices, -1), np.int32)
