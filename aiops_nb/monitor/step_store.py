"""What the engine made, kept in memory up to a number of bytes; the frames and dashboards are drawn from it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

import pyarrow as pa

from aiops_nb.core.labels import MarkLog, PlacedMark
from aiops_nb.core.schemas import TABLES, TableName
from aiops_nb.core.types import AlertChange, Item, ScoredFeature, Step, Tick

KEPT_BYTES = 256 << 20
KEPT_CHANGES = 100_000
PAGE_STEPS = 256
PAGE_ROWS = 20_000
SMALL_ROWS = 100  # from here on copying a batch costs more than the bytes that it saves
# Measured by `python -m benchmarks.memory`: what a batch of a few rows takes besides its values (19 columns, each with
# buffers of at least 64 bytes and objects of Arrow), and what Python's objects around arrays take.
BATCH_BYTES = 20_000
STEP_BYTES = 400
ARRAY_BYTES = 144
ROW_BYTES = 300
TICK_BYTES = 500


@dataclass(frozen=True, slots=True)
class _Kept:
    """A step whose rows lie in a page: `first` and `rows` are their place in the batch number `chunk`."""

    seq: int
    table: TableName
    source: str
    chunk: int
    first: int
    rows: int
    ticks: Sequence[Tick]
    changes: Sequence[AlertChange]


@dataclass(frozen=True, slots=True)
class _Page:
    """Consecutive steps; rows of small ones lie in one batch of each table, which saves nine tenths of the bytes."""

    steps: tuple[_Kept, ...]
    chunks: tuple[pa.RecordBatch, ...]
    size_bytes: int

    def unpacked(self) -> Iterator[Step]:
        for kept in self.steps:
            batch = self.chunks[kept.chunk].slice(kept.first, kept.rows)
            yield Step(Item(kept.seq, kept.table, kept.source, batch), list(kept.ticks), list(kept.changes))

    def rows_of(self, table: TableName) -> Iterator[pa.RecordBatch]:
        """The rows of a table in their order, neighbours in one piece."""
        of_table = (kept for kept in self.steps if kept.table == table)
        for chunk, group in groupby(of_table, key=attrgetter("chunk")):
            steps = list(group)
            yield self.chunks[chunk].slice(steps[0].first, sum(step.rows for step in steps))


@dataclass(slots=True)
class _Open:
    """The newest steps as they came, until they fill a page."""

    steps: list[Step] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    rows: int = 0
    size_bytes: int = 0

    def add(self, step: Step) -> None:
        size = size_bytes(step)
        self.steps.append(step)
        self.sizes.append(size)
        self.rows += step.item.batch.num_rows
        self.size_bytes += size

    def is_full(self, most_bytes: int) -> bool:
        return len(self.steps) >= PAGE_STEPS or self.rows >= PAGE_ROWS or self.size_bytes >= most_bytes


class StepStore:
    """A sink that keeps the newest steps; the oldest leave when `kept_bytes` is reached. Alert changes stay longer.

    The bytes are those that are really held, not those of the values alone: rows of many steps are kept in one batch.

    Parameters
    ----------
    kept_bytes
        The most that is held; the newest page of steps is kept whatever it takes.

    Examples
    --------
    >>> from aiops_nb.core.schemas import make_batch
    >>> store = StepStore()
    >>> for second in range(600):
    ...     rows = {"time": [second], "target": ["h"], "metric": ["m"], "value": [1.0]}
    ...     store.write(Step(Item(second, "samples", "s", make_batch("samples", "s", rows))))
    >>> len(store.steps()), store.held_bytes < 7_000_000
    (600, True)
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._pages: deque[_Page] = deque()
        self._pages_bytes = 0
        self._open = _Open()
        self._changes: deque[AlertChange] = deque(maxlen=KEPT_CHANGES)
        self._marks = MarkLog()
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """About how much memory the steps hold."""
        return self._pages_bytes + self._open.size_bytes

    def write(self, step: Step) -> None:
        """Keep a step, unless nothing is in it."""
        is_control = step.item.table == "control"
        is_mark = is_control and self._marks.take(step.item.batch)
        if is_control and not is_mark and not step.ticks and not step.changes:
            return
        with self._lock:
            self._changes.extend(step.changes)
            if self._open.is_full(
                self._kept_bytes // 4
            ):  # before the step is added: the newest stays the object that other sinks get, too
                page = _page_of(self._open.steps, self._open.sizes)
                self._pages.append(page)
                self._pages_bytes += page.size_bytes
                self._open = _Open()
            self._open.add(step)
            while self._pages and self.held_bytes > self._kept_bytes:
                self._pages_bytes -= self._pages.popleft().size_bytes

    def close(self) -> None:
        """Nothing to release: what was seen can be read after the end."""

    @property
    def marks(self) -> tuple[PlacedMark, ...]:
        """All marks of the stream, by time."""
        return self._marks.marks

    def steps(self) -> list[Step]:
        """The kept steps, oldest first."""
        with self._lock:
            pages, newest = list(self._pages), list(self._open.steps)
        return [*(step for page in pages for step in page.unpacked()), *newest]

    def batches(self, table: TableName) -> list[pa.RecordBatch]:
        """The kept rows of one table, oldest first."""
        with self._lock:
            pages, newest = list(self._pages), list(self._open.steps)
        kept = (batch for page in pages for batch in page.rows_of(table))
        return [*kept, *(step.item.batch for step in newest if step.item.table == table)]

    def changes(self) -> list[AlertChange]:
        """The kept alert changes, oldest first."""
        with self._lock:
            return list(self._changes)


def _page_of(steps: Sequence[Step], sizes: Sequence[int]) -> _Page:
    chunks: list[pa.RecordBatch] = []
    small: dict[TableName, list[pa.RecordBatch]] = {}
    for step in steps:
        if step.item.batch.num_rows < SMALL_ROWS:
            small.setdefault(step.item.table, []).append(step.item.batch)
    chunk_of: dict[TableName, int] = {}
    for table, batches in small.items():
        chunk_of[table] = len(chunks)
        chunks.append(_one_batch(table, batches))
    size = sum(BATCH_BYTES + int(batch.get_total_buffer_size()) for batch in chunks)
    kept: list[_Kept] = []
    firsts: dict[TableName, int] = dict.fromkeys(small, 0)
    for step, open_size in zip(steps, sizes, strict=True):
        item, rows = step.item, step.item.batch.num_rows
        place = item.seq, item.table, item.source
        if rows < SMALL_ROWS:
            where = chunk_of[item.table], firsts[item.table], rows
            firsts[item.table] += rows
            size += STEP_BYTES + made_bytes(step)
        else:
            where = len(chunks), 0, rows
            chunks.append(item.batch)
            size += open_size
        kept.append(_Kept(*place, *where, tuple(step.ticks), tuple(step.changes)))
    return _Page(tuple(kept), tuple(chunks), size)


def _one_batch(table: TableName, batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Their rows in new buffers of just their size: those of a collector may be up to twice as long as filled."""
    if len(batches) == 1:
        return batches[0]
    whole = pa.Table.from_batches(batches, schema=TABLES[table]).unify_dictionaries().combine_chunks()
    joined: pa.RecordBatch = whole.to_batches()[0]
    return joined


def whole_bytes(batch: pa.RecordBatch) -> int:
    """About how much memory a batch holds as a collector made it: its buffers may be twice as long as filled."""
    rows: int = batch.num_rows
    if rows < SMALL_ROWS:  # `nbytes` costs 50 us
        return BATCH_BYTES + rows * ROW_BYTES
    rows_bytes: int = batch.nbytes
    return BATCH_BYTES + 2 * rows_bytes


def size_bytes(step: Step) -> int:
    """About how much memory a step holds that lies in no page."""
    return STEP_BYTES + whole_bytes(step.item.batch) + made_bytes(step)


def made_bytes(step: Step) -> int:
    """About how much memory the ticks and changes of a step hold."""
    return sum(map(_tick_bytes, step.ticks)) + sum(map(_change_bytes, step.changes))


def _tick_bytes(tick: Tick) -> int:
    return TICK_BYTES + ARRAY_BYTES + tick.features.values.nbytes + sum(map(_scored_bytes, tick.scored))


def _scored_bytes(scored: ScoredFeature) -> int:
    arrays = (scored.value, scored.is_anomaly, scored.accepted)
    numbers = (scored.scores.score, scored.scores.expected, scored.scores.lower, scored.scores.upper)
    held: int = sum(ARRAY_BYTES + array.nbytes for array in (*arrays, *numbers))
    return TICK_BYTES + held + (scored.reasons.nbytes if scored.reasons else 0)


def _change_bytes(change: AlertChange) -> int:
    return 2_000 + len(change.summary)
