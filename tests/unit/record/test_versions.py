"""Recordings of format version 1, which had fewer columns, are read, repaired and gone on with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from aiops_nb import replay
from aiops_nb.core.schemas import ADDED_COLUMNS, TABLES
from aiops_nb.record.format import FORMAT_VERSION, read_manifest
from aiops_nb.record.reader import RecordingReader
from tests.paths import ROOT
from tests.record_rows import read, record, requests, same_items, samples, small_stream

DEMO = ROOT / "data" / "demo"


def make_earlier(root: Path) -> None:
    """Turn a finished recording into what version 1 would have written."""
    for file in root.glob("*/*.parquet"):
        table = pq.read_table(file)
        pq.write_table(table.drop_columns([name for name in ADDED_COLUMNS if name in table.column_names]), file)
    manifest = root / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format_version": 3', '"format_version": 1'))


def make_live(file: Path) -> None:
    """Turn a sealed segment into the live file of a writer that died."""
    table = pq.read_table(file).combine_chunks()
    with ipc.new_stream(file.with_name(f"_{file.stem}.arrows"), table.schema) as writer:
        for seq in table["seq"].unique().to_pylist():
            rows = table.filter(pa.array([one == seq for one in table["seq"].to_pylist()]))
            writer.write_batch(rows.combine_chunks().to_batches()[0])
    file.unlink()


def test_the_new_columns_of_an_earlier_recording_are_null(tmp_path: Path) -> None:
    written = record(tmp_path, small_stream())
    make_earlier(tmp_path)
    assert same_items(read(tmp_path), written)
    reader = RecordingReader(tmp_path)
    assert reader.manifest.format_version == 1
    table = reader.table("requests")
    assert table.schema.equals(TABLES["requests"])
    assert [table[name].null_count for name in ADDED_COLUMNS] == [len(table)] * 2


@pytest.mark.parametrize("goes_on", [False, True])
def test_the_live_file_of_an_earlier_writer_that_died(tmp_path: Path, goes_on: bool) -> None:
    written = record(tmp_path, small_stream())
    make_earlier(tmp_path)
    make_live(tmp_path / "requests" / "000000.parquet")
    if goes_on:
        written += record(tmp_path, [requests(10**6), samples(10**6)])
    assert same_items(read(tmp_path), written)
    if not goes_on:
        assert read_manifest(tmp_path).format_version == 1  # reading repairs nothing
        RecordingReader(tmp_path, repair=True)
    assert read_manifest(tmp_path).format_version == FORMAT_VERSION  # its segments have the new columns now
    assert "extra" in pq.read_schema(tmp_path / "requests" / "000000.parquet").names


def test_going_on_makes_it_the_present_version(tmp_path: Path) -> None:
    written = record(tmp_path, small_stream())
    make_earlier(tmp_path)
    written += record(tmp_path, small_stream(6))
    assert same_items(read(tmp_path), written)
    manifest = read_manifest(tmp_path)
    assert (manifest.format_version, manifest.tables["samples"]["extra"]) == (FORMAT_VERSION, "string")


def test_other_columns_are_no_table_of_ours(tmp_path: Path) -> None:
    record(tmp_path, small_stream())
    file = tmp_path / "samples" / "000000.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["value"]), file)
    reader = RecordingReader(tmp_path)
    assert reader.table("samples").num_rows == 0
    assert "expected the columns of samples" in reader.repairs[0]


def test_the_demo_of_an_earlier_version_replays(tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "demo")
    monitor = replay(tmp_path / "demo")
    assert len(monitor.alerts()) > 0
    assert monitor.requests()["extra"].isna().all()
