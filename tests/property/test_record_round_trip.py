"""Whatever was recorded is read back, item by item: live, rotated and sealed."""

from __future__ import annotations

from itertools import pairwise
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.core.schemas import CODED, TABLES, TIME, TableName
from aiops_nb.core.types import Item
from aiops_nb.record.items import joined_items, recorded_items
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from tests.record_rows import plain, requests, same_items, samples

WORDS = st.text(max_size=6)
VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.string(): st.text(max_size=20),
    TIME: st.integers(-(2**62), 2**62),
    CODED: WORDS,
}


@st.composite
def coded(draw: st.DrawFn, rows: int, nulls: bool) -> pa.DictionaryArray:
    """A column with its own dictionary: unused words, words twice, null among the words."""
    words = draw(st.lists(st.none() | WORDS if nulls else WORDS, min_size=1, max_size=5))
    code = st.integers(0, len(words) - 1)
    codes = draw(st.lists(st.none() | code if nulls else code, min_size=rows, max_size=rows))
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(words, pa.string()))


@st.composite
def batches(draw: st.DrawFn) -> pa.RecordBatch:
    """A batch of any table, with nulls wherever they are allowed."""
    schema = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    rows = draw(st.integers(1, 6))
    return pa.RecordBatch.from_arrays([_column(draw, field, rows) for field in schema], schema=schema)


def _column(draw: st.DrawFn, field: pa.Field, rows: int) -> pa.Array:
    if field.name == "seq":
        return pa.array(np.zeros(rows, np.int64))
    if field.name == "source":
        return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([draw(WORDS)]))
    nulls = field.name != "time"
    if pa.types.is_dictionary(field.type):
        return draw(coded(rows, nulls))
    value = VALUES[field.type]
    values = draw(st.lists(st.none() | value if nulls else value, min_size=rows, max_size=rows))
    return pa.array(values, pa.int64()).cast(TIME) if field.type == TIME else pa.array(values, field.type)


ACTIONS = st.lists(batches() | st.sampled_from(["rotate", "seal", "reopen"]), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(actions=ACTIONS)
def test_items_are_read_as_they_were_written_whatever_happens_between(
    actions: list[pa.RecordBatch | str],
) -> None:
    with TemporaryDirectory() as folder:
        recorder, written = Recorder(folder), []
        for action in actions:
            if isinstance(action, pa.RecordBatch):
                written.append(recorder.write(action))
                assert written[-1].batch.drop_columns("seq").num_rows == action.num_rows
                assert plain(written[-1].batch).drop_columns("seq").equals(plain(action).drop_columns("seq"))
            else:
                recorder = _act(recorder, action)
        assert same_items(RecordingReader(folder).items(), written)
        recorder.close()
        assert same_items(RecordingReader(folder).items(), written)
        assert [item.seq for item in written] == list(range(len(written)))


def _act(recorder: Recorder, action: str) -> Recorder:
    if action == "reopen":
        recorder.close()
        return Recorder(recorder.path)
    recorder.rotate()
    if action == "seal":
        recorder.seal_pending()
    return recorder


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12), cut_rows=st.integers(1, 5), seal=st.booleans())
def test_items_that_the_edges_of_blocks_cut_are_glued(sizes: list[int], cut_rows: int, seal: bool) -> None:
    with TemporaryDirectory() as folder:
        recorder = Recorder(folder)
        written = [recorder.write(samples(10 * place, rows)) for place, rows in enumerate(sizes)]
        if seal:
            recorder.close()
        whole = RecordingReader(folder).table("samples").combine_chunks().to_batches()[0]
        recorder.close()
    blocks = [whole.slice(start, cut_rows) for start in range(0, whole.num_rows, cut_rows)]
    assert same_items(recorded_items("samples", blocks), written)


TURNS = st.lists(st.tuples(st.sampled_from(["http", "proxy", "host"]), st.integers(1, 7)), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(turns=TURNS, max_rows=st.integers(1, 10), seal=st.booleans())
def test_joined_items_hold_the_same_rows_in_the_same_order(
    turns: list[tuple[str, int]], max_rows: int, seal: bool
) -> None:
    with TemporaryDirectory() as folder:
        recorder = Recorder(folder)
        made = [_turn(source, 10 * place, rows) for place, (source, rows) in enumerate(turns)]
        written = [recorder.write(batch) for batch in made]
        if seal:
            recorder.close()
        joined = list(RecordingReader(folder).joined_items(max_rows=max_rows))
        recorder.close()
    assert _rows(joined) == _rows(written)
    assert all(item.batch.num_rows <= max_rows for item in joined)
    assert all(item.seq == item.batch.column(0)[0].as_py() for item in joined)
    for left, right in pairwise(joined):  # neighbours stay apart only for a reason
        alike = (left.table, left.source) == (right.table, right.source)
        assert not alike or left.batch.num_rows == max_rows


def _turn(source: str, time_ns: int, rows: int) -> pa.RecordBatch:
    return samples(time_ns, rows, source) if source == "host" else requests(time_ns, rows, source)


def _rows(items: list[Item]) -> list[tuple[TableName, str, object]]:
    return [(item.table, item.source, row) for item in items for row in plain(item.batch).to_pylist()]


def test_a_block_without_rows_gives_no_items() -> None:
    nothing = samples(0, 4).slice(0, 0)
    assert list(joined_items("samples", [nothing], 3)) == list(recorded_items("samples", [nothing])) == []
