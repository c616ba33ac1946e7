"""Cutting blocks into items: the very ones that were recorded, or joined ones for a fast replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from aiops_nb.core.columns import dictionary_indices
from aiops_nb.core.schemas import TableName
from aiops_nb.core.types import IntArray, Item
from aiops_nb.record.blocks import joined

_SEQ, _SOURCE = 0, 2


def recorded_items(table: TableName, blocks: Iterable[pa.RecordBatch]) -> Iterator[Item]:
    """The items as they were written, also those that the edge of a block cuts."""
    held: Item | None = None
    for block in blocks:
        seq = block.column(_SEQ).to_numpy()
        for item in _cut(table, block, np.flatnonzero(np.diff(seq)) + 1):
            if held is not None and held.seq == item.seq:
                held = Item(held.seq, table, held.source, _glued(held.batch, item.batch))
                continue
            if held is not None:
                yield held
            held = item
    if held is not None:
        yield held


def joined_items(table: TableName, blocks: Iterable[pa.RecordBatch], max_rows: int) -> Iterator[Item]:
    """Neighbours in the one order that have one source as one item; an item of another table between parts them."""
    for block in blocks:
        seq, source = block.column(_SEQ).to_numpy(), dictionary_indices(block.column(_SOURCE))
        edges = np.flatnonzero((np.diff(seq) > 1) | (np.diff(source) != 0)) + 1
        yield from _cut(table, block, _bounded(edges, block.num_rows, max_rows))


def _bounded(edges: IntArray, rows: int, max_rows: int) -> IntArray:
    """The edges, and further ones so that no piece is longer than `max_rows`."""
    starts, ends = np.append(0, edges), np.append(edges, rows)
    pieces = -(-(ends - starts) // max_rows)
    offsets = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    cuts: IntArray = (np.repeat(starts, pieces) + offsets * max_rows)[1:]
    return cuts


def _cut(table: TableName, block: pa.RecordBatch, edges: IntArray) -> Iterator[Item]:
    if block.num_rows == 0:
        return
    starts = np.append(0, edges)
    lengths = np.diff(np.append(starts, block.num_rows)).tolist()
    seqs = block.column(_SEQ).to_numpy()[starts].tolist()
    coded = block.column(_SOURCE)
    names = coded.dictionary.to_pylist()
    sources = dictionary_indices(coded)[starts].tolist()
    for seq, source, start, length in zip(seqs, sources, starts.tolist(), lengths, strict=True):
        yield Item(seq, table, names[source], block.slice(start, length))


def _glued(first: pa.RecordBatch, second: pa.RecordBatch) -> pa.RecordBatch:
    whole = joined([first, second])
    return whole[0] if len(whole) == 1 else pa.concat_batches(whole)
