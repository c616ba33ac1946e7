"""What the engine made, kept in memory up to a number of bytes; the frames and dashboards are drawn from it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from aiops_nb.core.schemas import TABLES, TableName
from aiops_nb.core.types import AlertChange, Item, ScoredFeature, Step, Tick

KEPT_BYTES = 256 << 20
KEPT_CHANGES = 100_000
PAGE_STEPS = 256
PAGE_ROWS = 20_000
# Measured by `python -m benchmarks.memory`: what a batch of a few rows takes besides its values (19 columns, each with
# buffers of at least 64 bytes and objects of Arrow), and what Python's objects around arrays take.
BATCH_BYTES = 20_000
STEP_BYTES = 400
ARRAY_BYTES = 144
TICK_BYTES = 500


@dataclass(frozen=True, slots=True)
class _Kept:
    """A step whose rows lie in a page: `first` and `rows` are their place in its table."""

    seq: int
    table: TableName
    source: str
    first: int
    rows: int
    ticks: Sequence[Tick]
    changes: Sequence[AlertChange]


@dataclass(frozen=True, slots=True)
class _Page:
    """Consecutive steps, their rows in one batch of each table: a small batch holds ten times the bytes of its rows."""

    steps: tuple[_Kept, ...]
    tables: dict[TableName, pa.RecordBatch]
    size_bytes: int

    def unpacked(self) -> Iterator[Step]:
        for kept in self.steps:
            batch = self.tables[kept.table].slice(kept.first, kept.rows)
            yield Step(Item(kept.seq, kept.table, kept.source, batch), list(kept.ticks), list(kept.changes))


@dataclass(slots=True)
class _Open:
    """The newest steps as they came, until they fill a page."""

    steps: list[Step] = field(default_factory=list)
    rows: int = 0
    size_bytes: int = 0

    def add(self, step: Step) -> None:
        self.steps.append(step)
        self.rows += step.item.batch.num_rows
        self.size_bytes += size_bytes(step)

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
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """About how much memory the steps hold."""
        return self._pages_bytes + self._open.size_bytes

    def write(self, step: Step) -> None:
        """Keep a step, unless nothing is in it."""
        if step.item.table == "control" and not step.ticks and not step.changes:
            return
        with self._lock:
            self._changes.extend(step.changes)
            if self._open.is_full(
                self._kept_bytes // 4
            ):  # before the step is added: the newest stays the object that other sinks get, too
                page = _page_of(self._open.steps)
                self._pages.append(page)
                self._pages_bytes += page.size_bytes
                self._open = _Open()
            self._open.add(step)
            while self._pages and self.held_bytes > self._kept_bytes:
                self._pages_bytes -= self._pages.popleft().size_bytes

    def close(self) -> None:
        """Nothing to release: what was seen can be read after the end."""

    def steps(self) -> list[Step]:
        """The kept steps, oldest first."""
        with self._lock:
            pages, newest = list(self._pages), list(self._open.steps)
        return [*(step for page in pages for step in page.unpacked()), *newest]

    def batches(self, table: TableName) -> list[pa.RecordBatch]:
        """The kept rows of one table, oldest first."""
        with self._lock:
            pages, newest = list(self._pages), list(self._open.steps)
        kept = [page.tables[table] for page in pages if table in page.tables]
        return [*kept, *(step.item.batch for step in newest if step.item.table == table)]

    def changes(self) -> list[AlertChange]:
        """The kept alert changes, oldest first."""
        with self._lock:
            return list(self._changes)


def _page_of(steps: Sequence[Step]) -> _Page:
    kept: list[_Kept] = []
    batches: dict[TableName, list[pa.RecordBatch]] = {}
    counts: dict[TableName, int] = {}
    for step in steps:
        item, first = step.item, counts.get(step.item.table, 0)
        rows = item.batch.num_rows
        kept.append(_Kept(item.seq, item.table, item.source, first, rows, tuple(step.ticks), tuple(step.changes)))
        batches.setdefault(item.table, []).append(item.batch)
        counts[item.table] = first + rows
    tables = {table: _one_batch(table, of_table) for table, of_table in batches.items()}
    rows_bytes = sum(BATCH_BYTES + batch.get_total_buffer_size() for batch in tables.values())
    return _Page(tuple(kept), tables, rows_bytes + sum(STEP_BYTES + made_bytes(step) for step in steps))


def _one_batch(table: TableName, batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Their rows in new buffers of just their size: those of a collector may be up to twice as long as filled."""
    whole = pa.Table.from_batches(batches, schema=TABLES[table]).unify_dictionaries().combine_chunks()
    joined = whole.to_batches()
    if len(batches) > 1 and len(joined) == 1:
        return joined[0]
    rows = pa.array(np.arange(whole.num_rows, dtype=np.int64))
    return whole.take(rows).combine_chunks().to_batches()[0] if len(rows) else batches[0]


def size_bytes(step: Step) -> int:
    """About how much memory a step holds that lies in no page."""
    rows_bytes: int = step.item.batch.nbytes
    return STEP_BYTES + BATCH_BYTES + 2 * rows_bytes + made_bytes(step)


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
