"""The published tables: every batch in the stream has one of these Arrow schemas.

Times are UTC nanoseconds, durations seconds, sizes bytes, ratios 0 to 1. Null means not known.
`seq` is the item's place in the one ordered stream; the tap fills it in, collectors leave 0.
A batch has one `source`. Dictionaries belong to their batch.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pyarrow as pa

from aiops_nb.core.errors import BatchError

TableName = Literal["requests", "samples", "messages", "control"]
ErrorType = Literal["timeout", "dns", "connect", "tls", "reset", "protocol", "assertion"]
Origin = Literal["probe", "traffic"]
ControlKind = Literal["heartbeat", "command", "label"]

CODED = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("ns", "UTC")
FLOAT = pa.float64()

REQUESTS = pa.schema(
    [
        ("seq", pa.int64()),
        ("time", TIME),  # when the outcome was known; by start, a timeout is late in its own window
        ("source", CODED),
        ("origin", CODED),
        ("target", CODED),
        ("method", CODED),
        ("status_code", pa.int16()),
        ("duration_seconds", FLOAT),
        ("error_type", CODED),
        ("client_ip", pa.string()),
        ("response_bytes", pa.int64()),
        ("resolve_seconds", FLOAT),
        ("connect_seconds", FLOAT),
        ("tls_seconds", FLOAT),
        ("wait_seconds", FLOAT),
        ("transfer_seconds", FLOAT),
        ("certificate_expires", TIME),
        ("error_detail", pa.string()),  # why it failed, in words
        ("extra", pa.string()),  # fields that no column is for, as a JSON object
    ]
)
SAMPLES = pa.schema(
    [
        ("seq", pa.int64()),
        ("time", TIME),
        ("source", CODED),
        ("target", CODED),
        ("metric", CODED),
        ("value", FLOAT),
        ("extra", pa.string()),
    ]
)
MESSAGES = pa.schema(
    [
        ("seq", pa.int64()),
        ("time", TIME),
        ("source", CODED),
        ("target", CODED),
        ("severity", CODED),
        ("text", pa.string()),
        ("template", CODED),
    ]
)
CONTROL = pa.schema([("seq", pa.int64()), ("time", TIME), ("source", CODED), ("kind", CODED), ("body", pa.string())])

TABLES: Mapping[TableName, pa.Schema] = {
    "requests": REQUESTS,
    "samples": SAMPLES,
    "messages": MESSAGES,
    "control": CONTROL,
}
_SEQ = REQUESTS.field(0)
ADDED_COLUMNS = ("error_detail", "extra")  # recordings of format version 1 have none of them
ERROR_TYPES: tuple[ErrorType, ...] = get_args(ErrorType)
_FIELDS: Mapping[TableName, list[tuple[str, pa.DataType]]] = {
    t: [(f.name, f.type) for f in s] for t, s in TABLES.items()
}
_TABLE_BY_COLUMNS: Mapping[tuple[str, ...], TableName] = {tuple(s.names): t for t, s in TABLES.items()}


def table_of(batch: pa.RecordBatch) -> TableName:
    """Name of the table that a batch belongs to.

    Raises
    ------
    BatchError
        If the columns are not those of a published table.

    Examples
    --------
    >>> table_of(make_batch("samples", "demo", {"time": [0], "target": ["h"], "metric": ["cpu_ratio"], "value": [0.5]}))
    'samples'
    """
    table = _TABLE_BY_COLUMNS.get(tuple(batch.schema.names))
    if table is None:
        raise BatchError(f"batch: expected the columns of one of {', '.join(TABLES)}, got {batch.schema.names}")
    return table


_NO_WORDS = pa.nulls(0, pa.string())  # pa.array would import pandas
Column: TypeAlias = Sequence[Any] | np.ndarray[Any, Any] | pa.Array | str


def make_batch(table: TableName, source: str, columns: Mapping[str, Column]) -> pa.RecordBatch:
    """Build a batch from columns; absent columns are null, a plain string is repeated.

    Parameters
    ----------
    table
        Which schema.
    source
        The one source of all rows.
    columns
        Equal-length sequences by column name; `time` (int64 ns UTC) is required. NaN in a float column becomes null.

    Examples
    --------
    >>> batch = make_batch("requests", "demo", {"time": [1], "origin": "probe", "target": ["a"], "status_code": [503]})
    >>> batch.num_rows, batch["method"].null_count
    (1, 1)
    """
    rows = len(columns["time"])
    filled: dict[str, Any] = {"seq": np.zeros(rows, np.int64), "source": source, **columns}
    arrays = [_array(filled.get(name), kind, rows) for name, kind in _FIELDS[table]]
    return pa.RecordBatch.from_arrays(arrays, schema=TABLES[table])


def _array(values: Any, kind: pa.DataType, rows: int) -> pa.Array:
    if values is None or _holds_nothing(values):
        return _null_array(kind, rows)
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, str):
        return _constant(values, kind, rows)
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind) if isinstance(values, list) else pa.array(values, pa.string()).dictionary_encode()
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).view(kind)
    return pa.array(values, kind, from_pandas=True)


def _holds_nothing(values: Any) -> bool:
    """Whether it is a list of nothing but None: counting them costs a tenth of converting them."""
    return isinstance(values, list) and bool(values) and values[0] is None and values.count(None) == len(values)


def _null_array(kind: pa.DataType, rows: int) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int32()), _NO_WORDS)
    return pa.nulls(rows, kind)


@lru_cache(maxsize=64)  # sources and origins are few
def _word(value: str) -> pa.Array:
    return pa.array([value])


def _constant(value: str, kind: pa.DataType, rows: int) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), _word(value))
    return pa.array([value] * rows, kind)


def control_batch(source: str, kind: ControlKind, time_ns: int, body: str = "") -> pa.RecordBatch:
    """One control item: time moved on (`heartbeat`), a `command`, or a `label`; `body` is JSON."""
    return make_batch("control", source, {"time": [time_ns], "kind": kind, "body": [body]})


def empty_batch(table: TableName) -> pa.RecordBatch:
    """A batch without rows: a collector returns it to say that time moved on and nothing came."""
    return pa.RecordBatch.from_arrays([_null_array(field.type, 0) for field in TABLES[table]], schema=TABLES[table])


def is_readable(schema: pa.Schema, published: pa.Schema) -> bool:
    """Whether rows with these columns can be read as a published table: its own, or those of format version 1.

    Examples
    --------
    >>> is_readable(SAMPLES.remove(SAMPLES.get_field_index("extra")), SAMPLES), is_readable(CONTROL, SAMPLES)
    (True, False)
    """
    missing = [name for name in published.names if name not in schema.names]
    kept = [field for field in published if field.name not in missing]
    return set(missing) <= set(ADDED_COLUMNS) and bool(schema.equals(pa.schema(kept)))


def widened(batch: pa.RecordBatch, published: pa.Schema) -> pa.RecordBatch:
    """The same rows with all columns of a published table; those that it did not have yet are null."""
    if len(batch.schema) == len(published):
        return batch
    have = dict(zip(batch.schema.names, batch.columns, strict=True))
    arrays = [have[f.name] if f.name in have else _null_array(f.type, batch.num_rows) for f in published]
    return pa.RecordBatch.from_arrays(arrays, schema=published)


_trusted: dict[int, weakref.ref[pa.RecordBatch]] = {}


def trust(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Mark a batch that our own code has just built by a published schema: its memory need not be validated again.

    Only the very object is trusted, not what is sliced, joined or read from it.

    Examples
    --------
    >>> batch = trust(control_batch("demo", "heartbeat", time_ns=1))
    >>> is_trusted(batch), is_trusted(batch.slice(0))
    (True, False)
    """
    number = id(batch)
    _trusted[number] = weakref.ref(batch, lambda _: _trusted.pop(number, None))
    return batch


def is_trusted(batch: pa.RecordBatch) -> bool:
    """Whether `trust` marked this batch."""
    mark = _trusted.get(id(batch))
    return mark is not None and mark() is batch


def with_seq(batch: pa.RecordBatch, seq: int) -> pa.RecordBatch:
    """The same rows at place `seq` of the stream."""
    numbers = pa.py_buffer(np.full(batch.num_rows, seq, np.int64))
    return batch.set_column(0, _SEQ, pa.Array.from_buffers(_SEQ.type, batch.num_rows, [None, numbers], 0))


def source_of(batch: pa.RecordBatch) -> str:
    """The one source of a batch that has rows."""
    return str(batch.column(2)[0].as_py())


CLOCK_SOURCE = "clock"
SELF_SOURCE = "aiops_nb"
