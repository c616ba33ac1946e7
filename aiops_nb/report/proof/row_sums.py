"""Sums over rows that name the time slice in which a recording changed; the order of rows does not matter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aiops_nb.core.columns import times_ns

Sums = npt.NDArray[np.uint64]
_NULL = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def slice_sums(blocks: Iterable[pa.RecordBatch], start_ns: int, width_ns: int, slices: int) -> tuple[Sums, Sums]:
    """How many rows each slice of time has, and the sum of their hashes.

    The sums find changes, they do not resist a forger: `content_hash` does.

    Parameters
    ----------
    blocks
        Rows of one table; each has a time.
    start_ns, width_ns, slices
        The slices: equal, adjacent; a row outside of them counts to the nearest.

    Returns
    -------
    tuple of numpy.ndarray
        Counts and sums, uint64, shape (slices,).

    Examples
    --------
    >>> from aiops_nb.core.schemas import make_batch
    >>> rows = make_batch("samples", "s", {"time": [0, 1, 9], "target": "a", "metric": "m", "value": [1.0, 2.0, 3.0]})
    >>> counts, sums = slice_sums([rows], 0, 5, 2)
    >>> list(map(int, counts))
    [2, 1]
    """
    counts, sums = np.zeros(slices, np.uint64), np.zeros(slices, np.uint64)
    for block in blocks:
        which = np.clip((times_ns(block.column("time")) - start_ns) // width_ns, 0, slices - 1)
        hashes = _row_hashes(block)
        counts += np.bincount(which, minlength=slices).astype(np.uint64)
        np.add.at(sums, which, hashes)
    return counts, sums


def _row_hashes(block: pa.RecordBatch) -> Sums:
    total = np.zeros(block.num_rows, np.uint64)
    for name, column in zip(block.schema.names, block.columns, strict=True):
        total += _mixed(_numbers(column) ^ _digest(name))
    return _mixed(total)


def _numbers(column: pa.Array) -> Sums:
    if pa.types.is_string(column.type):
        column = column.dictionary_encode()
    if pa.types.is_dictionary(column.type):
        words = [_digest(word) for word in column.dictionary.to_pylist()]
        table = np.array([*words, _NULL], np.uint64)
        codes = column.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
        coded: Sums = table[codes]
        return coded
    plain = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    values = plain.fill_null(0).to_numpy(zero_copy_only=False)
    bits = values.view(f"u{values.itemsize}").astype(np.uint64)
    return np.where(column.is_null().to_numpy(zero_copy_only=False), _NULL, bits)


def _digest(text: str | None) -> np.uint64:
    digest = hashlib.blake2b(str(text).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _mixed(values: Sums) -> Sums:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))
