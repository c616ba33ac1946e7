"""Rows for the tests of recordings: small streams, and comparing without regard to how words are coded."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from aiops_nb.core.schemas import TABLES, TableName, control_batch, make_batch
from aiops_nb.core.types import Item
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows, their words written out."""
    fields = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in batch.schema]
    return batch.cast(pa.schema(fields))


def same_items(left: Iterable[Item], right: Iterable[Item]) -> bool:
    """Whether two streams are equal: places, tables, sources, and every value."""
    return [_told(item) for item in left] == [_told(item) for item in right]


def _told(item: Item) -> tuple[int, TableName, str, list[dict[str, object]]]:
    assert item.batch.schema.equals(TABLES[item.table])
    return item.seq, item.table, item.source, plain(item.batch).to_pylist()


def samples(first_ns: int, rows: int = 3, source: str = "host") -> pa.RecordBatch:
    """Rows of one host, 1 ns apart."""
    columns = {"time": range(first_ns, first_ns + rows), "target": [f"{source}-{first_ns % 7}"] * rows}
    return make_batch("samples", source, {**columns, "metric": "cpu_ratio", "value": [row / 8 for row in range(rows)]})


def requests(first_ns: int, rows: int = 3, source: str = "http") -> pa.RecordBatch:
    """Rows of several targets, 1 ns apart; every third failed."""
    failed = [row % 3 == 2 for row in range(rows)]
    columns = {
        "time": range(first_ns, first_ns + rows),
        "origin": "probe",
        "target": [f"https://example.org/{(first_ns + row) % 11}" for row in range(rows)],
        "status_code": [None if bad else 200 for bad in failed],
        "error_type": ["timeout" if bad else None for bad in failed],
        "duration_seconds": [0.25 * row for row in range(rows)],
    }
    return make_batch("requests", source, columns)


def small_stream(items: int = 30) -> Iterator[pa.RecordBatch]:
    """Requests, samples and heartbeats in turn, time rising by 10 ns an item."""
    for place in range(items):
        kind, time_ns = place % 3, 10 * place
        yield (requests, samples)[kind](time_ns) if kind < 2 else control_batch("clock", "heartbeat", time_ns)


def record(path: Path, batches: Iterable[pa.RecordBatch], **settings: object) -> list[Item]:
    """A finished recording; returns what was recorded."""
    with Recorder(path, **settings) as recorder:
        return [recorder.write(batch) for batch in batches]


def dead_copy(recorder: Recorder, path: Path) -> Path:
    """The recording as a crash at this moment would leave it."""
    return Path(shutil.copytree(recorder.path, path))


def read(path: Path) -> list[Item]:
    """All items of a recording."""
    return list(RecordingReader(path).items())
