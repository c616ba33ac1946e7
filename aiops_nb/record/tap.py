"""The tap: between the queue and the pipeline, it gives every item its place in the one order."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.errors import BatchError
from aiops_nb.core.schemas import CODED, TABLES, TableName, is_trusted, source_of, table_of, with_seq
from aiops_nb.core.types import Item

_CODED_COLUMNS = {t: [place for place, field in enumerate(s) if field.type == CODED] for t, s in TABLES.items()}


class Tap(Protocol):
    """What a monitor needs of a tap; `write` is called from one thread, `seal_pending` from any."""

    @property
    def stopped_reason(self) -> str | None:
        """Why nothing is stored any more, if so."""
        ...

    def write(self, batch: pa.RecordBatch) -> Item:
        """Give a batch its place and keep it."""
        ...

    def seal_pending(self) -> int:
        """Do the slow work that waits; returns how many segments were sealed."""
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...


class NullTap:
    """The tap of a monitor that records nothing: items only get their place.

    Examples
    --------
    >>> from aiops_nb.core.schemas import control_batch
    >>> passage = NullTap()
    >>> [passage.write(control_batch("demo", "heartbeat", time_ns=1)).seq for _ in range(3)]
    [0, 1, 2]
    """

    def __init__(self) -> None:
        self._seq = 0

    @property
    def stopped_reason(self) -> str | None:
        """Never stops: it stores nothing."""
        return None

    def write(self, batch: pa.RecordBatch) -> Item:
        """Give a batch its place."""
        item = placed(batch, self._seq)
        self._seq += 1
        return item

    def seal_pending(self) -> int:
        """Nothing waits."""
        return 0

    def close(self) -> None:
        """Nothing is held."""


def placed(batch: pa.RecordBatch, seq: int) -> Item:
    """The item at place `seq`.

    Raises
    ------
    BatchError
        If the batch has no rows, another schema, rows without time or source, or memory that is not what the schema
        says: none of these could be replayed.
    """
    table = table_of(batch)
    if is_trusted(batch):
        return Item(seq, table, source_of(batch), with_seq(batch, seq))
    _check(table, batch)
    return Item(seq, table, source_of(batch), _without_coded_nulls(table, with_seq(batch, seq)))


def _check(table: TableName, batch: pa.RecordBatch) -> None:
    if not batch.schema.equals(TABLES[table]):
        raise BatchError(f"{table}: expected the types {_types(TABLES[table])}, got {_types(batch.schema)}")
    if batch.num_rows == 0:
        raise BatchError(f"{table}: expected a batch with rows, got none; send a heartbeat if only time moved on")
    if batch.column(1).null_count or batch.column(2).null_count:
        raise BatchError(f"{table}: expected time and source in every row, got nulls")
    try:
        batch.validate(full=True)  # one bad message would end a live file for every reader
    except pa.ArrowInvalid as problem:
        raise BatchError(f"{table}: expected valid columns, got {problem}") from None


def _types(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def _without_coded_nulls(table: TableName, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Null as a null row, never as a word of the dictionary: Parquet cannot hold the latter."""
    for place in _CODED_COLUMNS[table]:
        column = batch.column(place)
        if column.dictionary.null_count:
            plain = pc.dictionary_decode(column)
            batch = batch.set_column(place, batch.schema.field(place), plain.dictionary_encode())
    return batch
