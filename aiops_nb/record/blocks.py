"""Blocks: long batches of one table as they are read from disk, before they are cut into items."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aiops_nb.core.columns import times_ns
from aiops_nb.core.schemas import TABLES, is_readable, widened
from aiops_nb.record.files import is_regular
from aiops_nb.record.format import Segment
from aiops_nb.record.inspection import check_file
from aiops_nb.record.stream import OF_DAMAGE, LiveStream

BLOCK_ROWS = 1 << 16
_SEQ, _TIME, _SOURCE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Span:
    """Which rows: start_ns <= time < end_ns, and seq <= last_seq; None = no bound."""

    start_ns: int | None = None
    end_ns: int | None = None
    last_seq: int | None = None

    def meets(self, extent: Extent) -> bool:
        """Whether some of these rows may lie in an extent."""
        return (
            (self.start_ns is None or extent.end_ns > self.start_ns)
            and (self.end_ns is None or extent.start_ns < self.end_ns)
            and (self.last_seq is None or extent.first_seq <= self.last_seq)
        )

    def of(self, block: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a block that lie within."""
        time, seq = times_ns(block.column(_TIME)), block.column(_SEQ).to_numpy()
        keep = np.ones(block.num_rows, np.bool_)
        if self.start_ns is not None:
            keep &= time >= self.start_ns
        if self.end_ns is not None:
            keep &= time < self.end_ns
        if self.last_seq is not None:
            keep &= seq <= self.last_seq
        return block if keep.all() else block.filter(pa.array(keep))


@dataclass(frozen=True, slots=True)
class Extent:
    """The range of some rows: seq [first_seq, last_seq], times [start_ns, end_ns)."""

    rows: int
    first_seq: int
    last_seq: int
    start_ns: int
    end_ns: int


def open_sealed(segment: Segment) -> pq.ParquetFile:
    """A sealed segment; a damaged one is recognised by another process, as it could end this one.

    Raises
    ------
    pa.ArrowException, OSError
        If it cannot be read, or has other columns than its table.
    """
    if not is_regular(segment.sealed):
        raise FileNotFoundError(errno.ENOENT, "expected a regular file", str(segment.sealed))
    check_file(segment.sealed)
    with _damage_named():
        file = pq.ParquetFile(segment.sealed, memory_map=True, page_checksum_verification=True)
        try:
            _check_footer(file, segment)
        except BaseException:
            file.close()
            raise
        return file


def _check_footer(file: pq.ParquetFile, segment: Segment) -> None:
    """The footer has no checksum, so what it says twice is compared."""
    if not is_readable(file.schema_arrow, TABLES[segment.table]):
        raise pa.ArrowInvalid(f"expected the columns of {segment.table}, got {', '.join(file.schema_arrow.names)}")
    meta = file.metadata
    rows = sum(meta.row_group(place).num_rows for place in range(meta.num_row_groups))
    if rows != meta.num_rows:
        raise pa.ArrowInvalid(f"expected {meta.num_rows:,} rows, got row groups with {rows:,}")


@contextmanager
def _damage_named() -> Iterator[None]:
    """What Arrow raises on damaged names and numbers that is no error of its own, as one."""
    try:
        yield
    except (pa.ArrowException, OSError):
        raise
    except OF_DAMAGE as problem:
        raise pa.ArrowInvalid(f"{type(problem).__name__}: {problem}") from None


def is_sealed(segment: Segment) -> bool:
    """Whether the Parquet file exists and can be read; its live file is then a remainder."""
    try:
        open_sealed(segment).close()
    except (pa.ArrowException, OSError):
        return False
    return True


def is_live_file(segment: Segment) -> bool:
    """Whether the rows are to be read from the live file."""
    return is_regular(segment.live) and not is_sealed(segment)


def segment_blocks(segment: Segment, span: Span) -> Iterator[pa.RecordBatch]:
    """The rows of one segment that lie within a span; of a live file, the whole batches that are there now."""
    if is_live_file(segment):
        # A writer may seal it between the question and the opening; then nothing was read yet.
        with suppress(FileNotFoundError):
            yield from map(span.of, live_blocks(LiveStream(segment.live, TABLES[segment.table])))
            return
    yield from map(span.of, _sealed_blocks(segment, span))


def segment_extents(segment: Segment) -> list[Extent]:
    """The ranges of the rows of one segment, in parts."""
    if is_live_file(segment):
        with suppress(FileNotFoundError):
            return [_block_extent(batch) for batch in LiveStream(segment.live, TABLES[segment.table])]
    with open_sealed(segment) as file:
        return _group_extents(file)


def _sealed_blocks(segment: Segment, span: Span) -> Iterator[pa.RecordBatch]:
    """Row groups outside of the span are never read."""
    with open_sealed(segment) as file:
        for place, extent in enumerate(_group_extents(file)):
            if span.meets(extent):
                yield from _group_blocks(file, segment, place, extent.rows)


def _group_blocks(file: pq.ParquetFile, segment: Segment, place: int, rows: int) -> Iterator[pa.RecordBatch]:
    blocks = file.iter_batches(BLOCK_ROWS, row_groups=[place])
    while True:
        with _damage_named():
            block = next(blocks, None)
            if block is None:
                break
            whole = _complete(widened(block, TABLES[segment.table]))
        rows -= whole.num_rows
        yield whole
    if rows:  # damage can end all columns early, without a word
        raise pa.ArrowInvalid(f"expected {rows:,} more rows in row group {place}")


def _complete(block: pa.RecordBatch) -> pa.RecordBatch:
    """The block, if it holds what its columns promise, and every row has its place, its time and its source."""
    block.validate(full=True)
    if block.column(_SEQ).null_count or block.column(_TIME).null_count or block.column(_SOURCE).null_count:
        raise pa.ArrowInvalid("expected seq, time and source in every row, got nulls")
    return block


def _group_extents(file: pq.ParquetFile) -> list[Extent]:
    """One extent for each row group that has rows."""
    groups = [(place, file.metadata.row_group(place)) for place in range(file.num_row_groups)]
    return [_group_extent(file, place, group) for place, group in groups if group.num_rows]


def _group_extent(file: pq.ParquetFile, place: int, group: pq.RowGroupMetaData) -> Extent:
    """From the statistics of the file; from the rows, if another writer left those out."""
    with _damage_named():
        seq, time = group.column(_SEQ).statistics, group.column(_TIME).statistics
    if seq is None or time is None or not (seq.has_min_max and time.has_min_max):
        columns = file.schema_arrow.names[:3]
        rows = file.read_row_group(place, columns=columns).combine_chunks().to_batches()[0]
        return _block_extent(_complete(rows))
    return Extent(group.num_rows, seq.min_raw, seq.max_raw, time.min_raw, time.max_raw + 1)


def _block_extent(block: pa.RecordBatch) -> Extent:
    """The extent of a block; its time need not rise."""
    seq, time = block.column(_SEQ).to_numpy(), times_ns(block.column(_TIME))
    return Extent(block.num_rows, int(seq.min()), int(seq.max()), int(time.min()), int(time.max()) + 1)


def live_blocks(stream: LiveStream) -> Iterator[pa.RecordBatch]:
    """Blocks of a live segment: its small batches joined, so that each costs the reader no more than a sealed one."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in stream:
        if waiting and rows + batch.num_rows > BLOCK_ROWS:
            yield from joined(waiting)
            waiting, rows = [], 0
        waiting.append(batch)
        rows += batch.num_rows
    if waiting:
        yield from joined(waiting)


def joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """The same rows with one dictionary per column, in one batch (more only where text exceeds 2 GB)."""
    if len(batches) == 1:
        return batches
    whole: list[pa.RecordBatch] = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()
    return whole
