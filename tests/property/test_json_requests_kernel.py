"""The compiled reader of JSON lines gives the batch that msgspec gives, or leaves the lines to it."""

from __future__ import annotations

import gc
import json
import random
import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb import kernel
from aiops_nb.collect.json_lines.compiled import CompiledLines
from aiops_nb.collect.json_lines.decoder import JsonLines
from aiops_nb.core import schemas
from aiops_nb.core.schemas import is_trusted
from aiops_nb.record.tap import placed
from tests.property.kernel_lines import SOURCE, by_msgspec, is_same, odd_chunk

pytestmark = pytest.mark.skipif(kernel.compiled is None, reason=kernel.status())
LINE = b'{"time": 1780000000.5, "target": "a", "status_code": 200, "client_ip": "10.0.0.1"}\n'


def check(chunk: bytes, reader: CompiledLines) -> bool:
    """Whether the kernel took the lines; if so, they are those of msgspec."""
    batch = reader.batch(chunk)
    if batch is None:
        return False
    batch.validate(full=True)
    expected, lines = by_msgspec(chunk)
    assert len(expected) == 1 and not lines.rejected_total, chunk
    assert is_same(batch, expected[0]), chunk
    return True


def test_odd_and_broken_lines_give_equal_batches_or_none() -> None:
    rng, reader = random.Random(1), CompiledLines(SOURCE)
    taken = [check(odd_chunk(rng), reader) for _ in range(120)]
    assert 30 < sum(taken) < 110  # both happen


numbers = st.floats(0, 1e12) | st.floats(0, allow_infinity=False, allow_nan=False) | st.integers(0, 2**70)
texts = st.text(st.characters(max_codepoint=300), max_size=40)
line = st.fixed_dictionaries(
    {"time": numbers, "target": texts},
    optional={
        "method": st.none() | texts,
        "status_code": st.none() | st.integers(90, 1010),
        "duration_seconds": st.none() | numbers,
        "client_ip": st.none() | texts,
        "response_bytes": st.none() | st.integers(0, 2**64),
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(line, min_size=1, max_size=4))
def test_any_values_give_equal_batches_or_none(lines: list[dict[str, object]]) -> None:
    check("\n".join(map(json.dumps, lines)).encode(), CompiledLines(SOURCE))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=40), st.integers(0, len(LINE)), st.integers(0, 12))
def test_any_bytes_within_a_line_give_equal_batches_or_none(put: bytes, at: int, cut: int) -> None:
    check(LINE + LINE[:at] + put + LINE[at + cut :] + LINE, CompiledLines(SOURCE))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_ordinary_lines_are_taken(end: bytes) -> None:
    plain = {"time": 1.5, "target": "a", "method": "GET", "status_code": 503, "error_type": None, "response_bytes": 7}
    assert check((end or b"\n").join([json.dumps(plain).encode()] * 3) + end, CompiledLines(SOURCE))


@pytest.mark.parametrize("length", range(len(LINE)))
def test_lines_that_are_cut_anywhere_are_left_alone(length: int) -> None:
    assert CompiledLines(SOURCE).batch(LINE + LINE[:length].rstrip()) is None or length in (0, len(LINE) - 1)


def test_a_dictionary_lasts_over_batches_and_former_batches_keep_theirs() -> None:
    reader = CompiledLines(SOURCE)
    chunks = [b"".join(LINE.replace(b'"a"', b'"t%d"' % (7 * i % n)) for i in range(200)) for n in (3, 90, 200)]
    batches = [reader.batch(chunk) for chunk in chunks]
    del reader
    gc.collect()
    for chunk, batch in zip(chunks, batches, strict=True):
        assert batch is not None and is_same(batch, by_msgspec(chunk)[0][0])


def test_a_small_batch_carries_no_large_dictionary() -> None:
    reader = CompiledLines(SOURCE)
    reader.batch(b"".join(LINE.replace(b'"a"', b'"t%d"' % i) for i in range(5000)))
    small = reader.batch(LINE)
    assert small is not None and len(small["target"].dictionary) == 1


def test_a_dictionary_holds_no_name_of_lines_that_were_refused() -> None:
    reader = CompiledLines(SOURCE)
    assert reader.batch(LINE) is not None
    assert reader.batch(LINE.replace(b'"a"', b'"refused"') + b"?\n") is None
    batch = reader.batch(LINE)
    assert batch is not None and batch["target"].dictionary.to_pylist() == ["a"]


def colliding_names(count: int) -> list[bytes]:
    """Names of 16 letters with one hash: the second half takes back what the first one did (native/name_table.c)."""
    rng = np.random.default_rng(1)
    first = np.ascontiguousarray(rng.integers(0x30, 0x7B, (2_000_000, 8), np.uint8)).view(np.uint64)[:, 0]
    state = (np.uint64(0x9E3779B97F4A7C15 * 17 % 2**64) ^ first) * np.uint64(0xBF58476D1CE4E5B9)
    second = (state ^ (state >> np.uint64(29)) ^ np.uint64(1)).view(np.uint8).reshape(-1, 8)
    usable = ((second >= 0x20) & (second < 0x80) & (second != 0x22) & (second != 0x5C)).all(axis=1)
    halves = np.hstack([first.view(np.uint8).reshape(-1, 8), second])[usable]
    names = [half.tobytes() for half in halves if 0x5C not in half]
    return names[:count]


def test_names_that_are_made_to_collide_are_left_to_msgspec() -> None:
    names = colliding_names(300)
    chunk = b"".join(LINE.replace(b'"a"', b'"%s"' % name) for name in names)
    assert len(names) == 300
    assert CompiledLines(SOURCE).batch(LINE + b"".join(chunk.splitlines(True)[:200])) is not None
    assert CompiledLines(SOURCE).batch(chunk) is None
    (batch,) = JsonLines(SOURCE).feed(chunk)
    assert batch.num_rows == 300


def test_a_decoder_that_nobody_imports_from_leaks_nothing() -> None:
    assert kernel.compiled is not None
    decoder = kernel.compiled.RequestLines()
    for _ in range(20):
        assert decoder.decode(LINE * 100, SOURCE)
    del decoder


def test_two_threads_at_one_decoder_get_right_rows_or_none() -> None:
    reader, chunk, wrong = CompiledLines(SOURCE), LINE * 5000, []

    def read() -> None:
        for _ in range(30):
            batch = reader.batch(chunk)
            if batch is not None and (batch.num_rows != 5000 or batch["status_code"].null_count):
                wrong.append(batch)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_wrong_arguments_are_type_errors() -> None:
    assert kernel.compiled is not None
    decoder = kernel.compiled.RequestLines()
    for wrong in ((), (LINE,), ("text", SOURCE), (LINE, 7), (None, SOURCE)):
        with pytest.raises(TypeError):
            decoder.decode(*wrong)
    assert decoder.decode(LINE, "s" * 2000) is None


@pytest.mark.parametrize("cut", [1, 7, 83, 1000])
def test_any_cut_of_the_bytes_gives_the_same_rows(cut: int) -> None:
    rng = random.Random(cut)
    whole = b"\n".join(chunk.strip() for chunk in (odd_chunk(rng) for _ in range(5))) + b"\n"
    expected, plain = by_msgspec(whole)
    lines = JsonLines(SOURCE)
    batches = [batch for at in range(0, len(whole), cut) for batch in lines.feed(whole[at : at + cut])]
    rows = [row for batch in batches if "status_code" in batch.schema.names for row in batch.to_pylist()]
    assert rows == [row for batch in expected if "status_code" in batch.schema.names for row in batch.to_pylist()]
    assert lines.rejected_total == plain.rejected_total
    assert lines.rows_total == plain.rows_total


def test_a_batch_of_the_kernel_is_placed_as_one_that_was_validated() -> None:
    (batch,) = JsonLines(SOURCE).feed(LINE * 3)
    assert is_trusted(batch)
    copy = pa.RecordBatch.from_arrays(batch.columns, schema=batch.schema)
    assert not is_trusted(copy)
    trusted, validated = placed(batch, 7), placed(copy, 7)
    assert trusted.batch.equals(validated.batch)
    assert (trusted.seq, trusted.table, trusted.source) == (validated.seq, validated.table, validated.source)


def test_a_trusted_batch_is_forgotten_with_its_last_reference() -> None:
    for _ in range(3):
        JsonLines(SOURCE).feed(LINE)
    gc.collect()
    before = len(schemas._trusted)
    (batch,) = JsonLines(SOURCE).feed(LINE)
    assert len(schemas._trusted) == before + 1
    del batch
    assert len(schemas._trusted) == before
