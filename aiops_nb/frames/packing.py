"""Derived tables as they are kept on disk: the same values to the bit, in an order and a form that compresses well.

- Rows are ordered by series, then by time: neighbours are alike.
- A column that has one value throughout is left out and noted in the metadata of the schema.
- A mean of whole microseconds is kept as its total and its count (`NAME.micros`, `NAME.count`).

Each form is checked when it is made: what it would not give back to the bit is kept as it is. By hand: Parquet's own
encodings see one column at a time, and no relation between two.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc

from aiops_nb.core.types import FloatArray, IntArray
from aiops_nb.features.requests.phases import PHASE_FEATURES, RECENT_PHASE_FEATURES, RECENT_TICKS

NOTE = b"aiops_nb.packed"
MICROS, COUNT = ".micros", ".count"
SPAN_MEANS = ("duration_mean_seconds", *PHASE_FEATURES)
RECENT_OF = dict(zip(PHASE_FEATURES, RECENT_PHASE_FEATURES, strict=True))
NEEDED = ("count", "span_count", "failed_ratio")
MOST_SEARCHED = 1 << 12  # rows whose count is searched for; where more are unknown the column is kept as it is
MOST_COUNT = 64
MOST_KEYS = 1 << 20
MICRO = 1e-6


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to a table.

    `names` are all its columns in order, `constants` one row of those that were left out (Arrow IPC, base64), `means`
    the columns kept as total and count, with the bits of their NaN, `predicted` those of them whose total is kept as
    its distance from what the newest windows let expect. `series` is how many there are if each has a row in each
    window, else 0; `is_ordered` says whether rows are ordered by series.
    """

    names: tuple[str, ...]
    constants: str = ""
    means: dict[str, int] = {}
    predicted: tuple[str, ...] = ()
    span_ticks: int = 0
    series: int = 0
    is_ordered: bool = False


class _Total(NamedTuple):
    """A mean as whole microseconds and how many they are of; the bits of its NaN, which has a sign."""

    micros: IntArray
    number: IntArray
    nan_bits: int


class _Means(NamedTuple):
    """Columns of totals and counts in place of means, and how to get back."""

    columns: dict[str, IntArray]
    means: dict[str, int]
    predicted: tuple[str, ...]


def packed(table: pa.Table, *, span_ticks: int = 0) -> pa.Table:
    """A table of rows by time and series in the form of the disk; its metadata says how to read it.

    Parameters
    ----------
    table
        With a column `time`; the series are what its dictionary columns say.
    span_ticks
        How many windows a mean covers; 0: not known.

    Examples
    --------
    >>> keys = pa.array(["a", "b", "a", "b"]).dictionary_encode()
    >>> time = pa.array([1, 1, 2, 2]).cast(pa.timestamp("ns", "UTC"))
    >>> kept = packed(pa.table({"time": time, "target": keys, "count": [1.0, 0.0, 2.0, 0.0], "rate_hz": [0.5] * 4}))
    >>> kept.column_names, kept.column("count").to_pylist()
    (['time', 'target', 'count'], [1.0, 2.0, 0.0, 0.0])
    >>> unpacked(kept).column("count").to_pylist()
    [1.0, 0.0, 2.0, 0.0]
    """
    names = tuple(table.column_names)
    order, series = _order_by_series(table)
    table, left_out = _without_constants(table.combine_chunks())
    if order is not None:
        table = table.take(pa.array(order)).combine_chunks()
    whole = series if order is not None and _is_whole(table, series) else 0
    means = _means_of(table, left_out, whole, span_ticks)
    kept = {name: table.column(name) for name in table.column_names if name not in means.means}
    kept |= {name: pa.array(values) for name, values in means.columns.items()}
    note = Note(
        names=names,
        constants=_as_text(left_out) if left_out.num_columns else "",
        means=means.means,
        predicted=means.predicted,
        span_ticks=span_ticks,
        series=whole,
        is_ordered=order is not None,
    )
    metadata = {**(table.schema.metadata or {}), NOTE: msgspec.json.encode(note)}
    whole_table, more = _without_constants(pa.table(kept))
    if more.num_columns:  # counts that are the same throughout
        constants = more if not left_out.num_columns else _joined(left_out, more)
        metadata[NOTE] = msgspec.json.encode(msgspec.structs.replace(note, constants=_as_text(constants)))
    return whole_table.replace_schema_metadata(metadata)


def unpacked(
    table: pa.Table, columns: Sequence[str] | None = None, start_ns: int | None = None, end_ns: int | None = None
) -> pa.Table:
    """The table that `packed` was given; of `columns` only these, of [start_ns, end_ns) only its rows.

    One that was never packed is given back as it is, with all its rows.
    """
    text = (table.schema.metadata or {}).get(NOTE)
    if text is None:
        return table if columns is None else table.select(columns)
    note = msgspec.json.decode(text, type=Note)
    table = table.combine_chunks()
    names = note.names if columns is None else [name for name in note.names if name in columns]
    constants = _from_text(note.constants) if note.constants else None
    rows = _rows_of(table, note, start_ns, end_ns)
    whole = pa.table({name: _column(table, constants, note, name) for name in names})
    if rows is not None:
        whole = whole.take(pa.array(rows))
    rest = {key: value for key, value in table.schema.metadata.items() if key != NOTE}
    return whole.replace_schema_metadata(rest or None)


def _rows_of(table: pa.Table, note: Note, start_ns: int | None, end_ns: int | None) -> IntArray | None:
    """The rows of a range in the order of time; None: all, as they are."""
    time = table.column("time").cast(pa.int64()).to_numpy()
    if note.series and note.is_ordered:
        windows = time[: len(time) // note.series]
        first = 0 if start_ns is None else int(np.searchsorted(windows, start_ns))
        last = len(windows) if end_ns is None else int(np.searchsorted(windows, end_ns))
        rows: IntArray = np.arange(len(time)).reshape(note.series, -1)[:, first:last].T.ravel()
        return rows
    if start_ns is None and end_ns is None:
        return np.argsort(time, kind="stable") if note.is_ordered else None
    inside = (time >= (time.min() if start_ns is None else start_ns)) & (True if end_ns is None else time < end_ns)
    kept = np.flatnonzero(inside)
    return kept[np.argsort(time[kept], kind="stable")] if note.is_ordered else kept


def columns_on_disk(note_of: pa.Schema, columns: Sequence[str]) -> list[str] | None:
    """Which columns of a file are needed for these of the table; None: it was never packed."""
    text = (note_of.metadata or {}).get(NOTE)
    if text is None:
        return None
    note = msgspec.json.decode(text, type=Note)
    wanted = {"time", *columns}
    for name in columns:
        for mean in (name, RECENT_OF.get(name, "")):
            wanted |= {mean + MICROS, mean + COUNT} if mean in note.means else set()
    return [name for name in note_of.names if name in wanted]


def _column(table: pa.Table, constants: pa.Table | None, note: Note, name: str) -> pa.Array:
    if name in note.means:
        total = _total_of(table, constants, note, name)
        return pa.array(_mean_of(_Total(total, _whole(table, constants, name + COUNT), note.means[name])))
    return _stored(table, constants, name)


def _total_of(table: pa.Table, constants: pa.Table | None, note: Note, name: str) -> IntArray:
    total = _whole(table, constants, name + MICROS)
    if name not in note.predicted:
        return total
    recent = _whole(table, constants, RECENT_OF[name] + MICROS).reshape(note.series, -1)
    return _with_prediction(total.reshape(note.series, -1), recent, note.span_ticks)


def _whole(table: pa.Table, constants: pa.Table | None, name: str) -> IntArray:
    values: IntArray = _stored(table, constants, name).to_numpy(zero_copy_only=False)
    return values


def _stored(table: pa.Table, constants: pa.Table | None, name: str) -> pa.Array:
    if name in table.column_names:
        column = table.column(name)
        return column.chunk(0) if column.num_chunks else column.combine_chunks()
    if constants is None or name not in constants.column_names:
        raise pa.ArrowInvalid(f"expected a column {name}, found none")
    repeated = constants.column(name).take(pa.array(np.zeros(table.num_rows, np.int32)))
    return pa.chunked_array(repeated.chunks, repeated.type).chunk(0) if repeated.num_chunks == 1 else repeated


def _order_by_series(table: pa.Table) -> tuple[IntArray | None, int]:
    """The rows series by series, and how many series; None where order by time would not give the rows back."""
    time = table.column("time").cast(pa.int64()).to_numpy()
    code, most = np.zeros(len(time), np.int64), 1
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            coded = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
            if coded.null_count:
                return None, 0
            code = code * len(coded.dictionary) + coded.indices.to_numpy()
            most *= len(coded.dictionary)
    if not len(time) or most > MOST_KEYS or (np.diff(time) < 0).any():
        return None, 0
    rows = np.arange(len(time))
    first = np.full(most, len(time))
    first[code[::-1]] = rows[::-1]
    present = np.flatnonzero(first < len(time))
    rank = np.zeros(most, np.int32)
    rank[present[np.argsort(first[present])]] = np.arange(len(present))
    order = np.argsort(_narrow(rank[code]), kind="stable")
    window = np.cumsum(np.diff(time, prepend=time[0]) != 0)
    back = np.argsort(_narrow(window)[order], kind="stable")
    return (order, len(present)) if np.array_equal(order[back], rows) else (None, 0)


def _narrow(ranks: Any) -> Any:
    """In 16 bits if they fit: numpy sorts those by their digits."""
    return ranks.astype(np.int16) if len(ranks) and ranks.max() < 1 << 15 else ranks


def _is_whole(table: pa.Table, series: int) -> bool:
    """Whether each series has a row in each window."""
    time = table.column("time").cast(pa.int64()).to_numpy()
    if not series or len(time) % series:
        return False
    times = time.reshape(series, -1)
    return bool((times == times[0]).all())


def _without_constants(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    constant = [name for name in table.column_names if name != "time" and _is_constant(table.column(name))]
    left_out = table.select(constant).slice(0, 1)
    return table.drop_columns(constant), left_out


def _is_constant(column: pa.ChunkedArray) -> bool:
    if not len(column):
        return False
    kind = column.type
    if pa.types.is_dictionary(kind):
        indices = column.chunk(0).indices
        return len(column.chunk(0).dictionary) == 1 and not indices.null_count
    if column.null_count:
        return bool(column.null_count == len(column))
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        bits = column.chunk(0).to_numpy().view(np.int64)
        few = bits[:: max(len(bits) // MOST_COUNT, 1)]  # most columns differ among the first few
        return bool((few == bits[0]).all() and (bits == bits[0]).all())
    return bool(pa.types.is_boolean(kind) and len(column.unique()) == 1)


def _as_text(constants: pa.Table) -> str:
    out = pa.BufferOutputStream()
    with ipc.new_stream(out, constants.schema.remove_metadata()) as writer:
        writer.write_table(constants.replace_schema_metadata(None).combine_chunks())
    return base64.b64encode(out.getvalue().to_pybytes()).decode("ascii")


def _from_text(text: str) -> pa.Table:
    return ipc.open_stream(base64.b64decode(text)).read_all()


def _joined(one: pa.Table, other: pa.Table) -> pa.Table:
    columns = {name: part.column(name) for part in (one, other) for name in part.column_names}
    return pa.table(columns)


def _means_of(table: pa.Table, left_out: pa.Table, series: int, span_ticks: int) -> _Means:
    columns: dict[str, IntArray] = {}
    means: dict[str, int] = {}
    predicted: list[str] = []
    counts = _counts_of(table, left_out, series)
    if counts is None:
        return _Means({}, {}, ())
    in_span, in_recent = counts
    for name in SPAN_MEANS:
        total = _as_total(table, name, in_span)
        if total is None:
            continue
        micros, recent = total.micros, RECENT_OF.get(name, "")
        of_recent = None if in_recent is None else _as_total(table, recent, in_recent)
        if of_recent is not None:
            columns |= {recent + MICROS: of_recent.micros, recent + COUNT: of_recent.number}
            means[recent] = of_recent.nan_bits
            if span_ticks:
                micros = _distance(micros.reshape(series, -1), of_recent.micros.reshape(series, -1), span_ticks)
                predicted.append(name)
        columns |= {name + MICROS: micros, name + COUNT: total.number}
        means[name] = total.nan_bits
    return _Means(columns, means, tuple(predicted))


def _counts_of(table: pa.Table, left_out: pa.Table, series: int) -> tuple[FloatArray, FloatArray | None] | None:
    """How many answered requests the span and the newest windows of each row have, as far as the features say."""
    known = {*table.column_names, *left_out.column_names}
    if not known.issuperset((*NEEDED, SPAN_MEANS[0])) or not table.num_rows:
        return None
    count, in_span, failed = (_floats(table, left_out, name) for name in NEEDED)
    with np.errstate(invalid="ignore"):
        answered = in_span - np.where(np.isnan(failed), 0.0, np.rint(failed * in_span))
    if not series:
        return answered, None
    running = np.cumsum(np.nan_to_num(count).reshape(series, -1), axis=1)
    recent = running.copy()
    recent[:, RECENT_TICKS:] -= running[:, :-RECENT_TICKS]
    recent[:, :RECENT_TICKS] = recent[:, RECENT_TICKS : RECENT_TICKS + 1] if recent.shape[1] > RECENT_TICKS else 1.0
    return answered, recent.ravel()


def _floats(table: pa.Table, left_out: pa.Table, name: str) -> FloatArray:
    if name in table.column_names:
        values: FloatArray = table.column(name).to_numpy()
        return values
    return np.full(table.num_rows, left_out.column(name)[0].as_py(), np.float64)


def _as_total(table: pa.Table, name: str, count: FloatArray) -> _Total | None:
    """Total and count that give a mean back to the bit; None if there are none, or it is not in the table."""
    if name not in table.column_names:
        return None
    mean = table.column(name).to_numpy()
    known = ~np.isnan(mean)
    count = np.where(known & (count > 0), count, 0.0)
    with np.errstate(all="ignore"):
        micros = np.where(known, np.rint(mean * count * 1e6), 0.0)
        wrong = np.flatnonzero(known & (_bits(micros / count * MICRO) != _bits(mean)))
        if len(wrong) > MOST_SEARCHED:
            return None
        for tried in range(1, MOST_COUNT + 1) if len(wrong) else ():
            of_tried = np.rint(mean[wrong] * tried * 1e6)
            fits = _bits(of_tried / tried * MICRO) == _bits(mean[wrong])
            count[wrong[fits]], micros[wrong[fits]] = tried, of_tried[fits]
            wrong = wrong[~fits]
    if len(wrong) or not (np.abs(micros) < 1 << 53).all():
        return None
    nan_bits = _bits(np.array([np.nan]) if known.all() else mean[~known][:1])
    total = _Total(micros.astype(np.int64), count.astype(np.int64), int(nan_bits[0]))
    return total if np.array_equal(_bits(_mean_of(total)), _bits(mean)) else None


def _mean_of(total: _Total) -> FloatArray:
    mean = np.full(len(total.micros), total.nan_bits, np.int64).view(np.float64)
    known = total.number > 0
    mean[known] = total.micros[known] / total.number[known].astype(np.float64) * MICRO
    return mean


def _bits(values: FloatArray) -> IntArray:
    bits: IntArray = np.ascontiguousarray(values).view(np.int64)
    return bits


def _distance(total: IntArray, recent: IntArray, span_ticks: int) -> IntArray:
    """Totals over the span, (series, windows), as their distance from what the newest windows let expect."""
    change = np.diff(total, axis=1, prepend=0)
    return (change - _expected_change(recent, span_ticks)).ravel()


def _with_prediction(distance: IntArray, recent: IntArray, span_ticks: int) -> IntArray:
    total: IntArray = np.cumsum(distance + _expected_change(recent, span_ticks), axis=1).ravel()
    return total


def _expected_change(recent: IntArray, span_ticks: int) -> IntArray:
    """What enters a span with the newest window, less what leaves it: from totals over the newest windows.

    Before the first of them nothing is known, which makes the first distances larger, never wrong.
    """
    series, windows = recent.shape
    rows = -(-windows // RECENT_TICKS)
    entered = np.zeros((series, rows * RECENT_TICKS), np.int64)
    entered[:, :windows] = np.diff(recent, axis=1, prepend=0)
    entered = np.cumsum(entered.reshape(series, rows, RECENT_TICKS), axis=1).reshape(series, -1)[:, :windows]
    expected = entered.copy()
    expected[:, span_ticks:] -= entered[:, : max(windows - span_ticks, 0)]
    return expected
