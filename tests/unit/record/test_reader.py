"""Reading: by time, by other libraries, from other processes, and past files that cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from aiops_nb.core.errors import RecordingError
from aiops_nb.core.schemas import TABLES, control_batch
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from tests.record_rows import plain, record, requests, same_items, samples, small_stream


@pytest.mark.parametrize("sealed", [False, True])
def test_a_span_of_time_is_half_open_and_cuts_items(tmp_path: Path, sealed: bool) -> None:
    with Recorder(tmp_path) as recorder:
        for batch in small_stream(12):
            recorder.write(batch)
        if sealed:
            recorder.close()
        reader = RecordingReader(tmp_path)
        assert reader.time_range_ns == (0, 111)
        assert reader.row_counts == {"requests": 12, "samples": 12, "messages": 0, "control": 4}
        items = list(reader.items(start_ns=11, end_ns=40))
        assert [(item.seq, item.batch.num_rows) for item in items] == [(1, 2), (2, 1), (3, 3)]
        assert reader.table("samples", start_ns=11, end_ns=41)["time"].cast(pa.int64()).to_pylist() == [11, 12, 40]
        assert reader.table("messages").schema.equals(TABLES["messages"])
        assert list(reader.items(start_ns=10**6)) == []


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "rows"), [(2, None, 4), (3, None, 3), (None, 10, 3), (None, 11, 4), (3, 10, 0)]
)
def test_a_span_that_ends_with_a_segment(tmp_path: Path, start_ns: int | None, end_ns: int | None, rows: int) -> None:
    record(tmp_path, [samples(0), samples(10)], segment_rows=1)
    assert RecordingReader(tmp_path).table("samples", start_ns=start_ns, end_ns=end_ns).num_rows == rows


def test_row_groups_outside_of_the_span_are_not_read(tmp_path: Path) -> None:
    record(tmp_path, [samples(10**6 * place, rows=50_000) for place in range(4)])
    file = tmp_path / "samples" / "000000.parquet"
    content = bytearray(file.read_bytes())
    content[2000:2100] = bytes(100)  # a page of the first row group
    file.write_bytes(content)
    reader = RecordingReader(tmp_path)
    assert reader.table("samples", start_ns=10**6).num_rows == 150_000
    assert reader.repairs == ()
    assert reader.table("samples").num_rows < 200_000
    assert f"{file}: cannot be read, its rows are left out" in reader.repairs[0]


def test_control_items_are_never_joined_and_part_the_others(tmp_path: Path) -> None:
    beat = control_batch("clock", "heartbeat", 5)
    written = record(tmp_path, [samples(0), samples(3), beat, beat, samples(6), samples(9)])
    joined = list(RecordingReader(tmp_path).joined_items())
    assert [(item.seq, item.table, item.batch.num_rows) for item in joined] == [
        (0, "samples", 6),
        (2, "control", 1),
        (3, "control", 1),
        (4, "samples", 6),
    ]
    assert same_items(joined[1:3], written[2:4])


def test_an_empty_recording(tmp_path: Path) -> None:
    record(tmp_path, [])
    reader = RecordingReader(tmp_path)
    assert (list(reader.items()), reader.time_range_ns, reader.config_yaml) == ([], None, "")
    assert reader.table("requests").num_rows == 0


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: None, "no such directory"),
        (lambda path: path.write_text("x"), "a file, expected the directory of a recording"),
        (lambda path: path.mkdir(), r"not a recording \(no manifest\.json in this directory\)"),
    ],
)
def test_what_is_not_a_recording(tmp_path: Path, make, found: str) -> None:
    make(tmp_path / "thing")
    with pytest.raises(RecordingError, match=rf"thing: {found}$"):
        RecordingReader(tmp_path / "thing")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format_version": "1"}', '{"format_version": 1}', "\udcff"])
def test_a_manifest_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(RecordingError, match=r"manifest\.json: expected the manifest of a recording, got ."):
        RecordingReader(tmp_path)


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"PAR1" + b"\0" * 500 + b"PAR1"])
def test_an_unreadable_file_is_named_and_the_rest_is_read(
    tmp_path: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    written = record(tmp_path, small_stream(9), segment_rows=5)
    bad = tmp_path / "requests" / "000001.parquet"
    lost = {item.seq for item in written if item.table == "requests"} & set(pd.read_parquet(bad)["seq"])
    bad.write_bytes(garbage)
    reader = RecordingReader(tmp_path)
    assert same_items(reader.items(), [item for item in written if item.seq not in lost])
    assert len(reader.repairs) == 1
    assert str(bad) in reader.repairs[0]
    assert [str(bad) in message for message in caplog.messages] == [True]


def test_a_parquet_file_of_another_kind_is_named(tmp_path: Path) -> None:
    record(tmp_path, small_stream(3))
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "samples" / "000007.parquet")
    reader = RecordingReader(tmp_path)
    assert [item.seq for item in reader.items()] == [0, 1, 2]
    assert "expected the columns of samples, got a" in reader.repairs[0]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    written = record(tmp_path, small_stream(3))
    for stranger in ("labels.jsonl", "notes.txt", "requests/.DS_Store", "requests/_SUCCESS", "samples/desktop.ini"):
        (tmp_path / stranger).write_bytes(b"\0mine")
    reader = RecordingReader(tmp_path)
    assert same_items(reader.items(), written)
    assert reader.repairs == ()
    assert (tmp_path / "requests" / "_SUCCESS").read_bytes() == b"\0mine"


def test_pandas_and_duckdb_open_the_folder_while_it_is_written(tmp_path: Path) -> None:
    with Recorder(tmp_path, segment_rows=50) as recorder:
        written = [recorder.write(batch) for batch in small_stream(30)]
        recorder.seal_pending()
        assert list((tmp_path / "requests").glob("_*.arrows"))
        sealed = pd.read_parquet(tmp_path / "requests")
        counted = duckdb.sql(f"select count(*) from read_parquet('{tmp_path}/requests/*.parquet')").fetchall()
        assert counted == [(len(sealed),)]
        assert 0 < len(sealed) < 30
    frame = pd.read_parquet(tmp_path / "requests")
    expected = pa.Table.from_batches([plain(item.batch) for item in written if item.table == "requests"]).to_pandas()
    assert frame["target"].astype(str).tolist() == expected["target"].tolist()
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]"
    pd.testing.assert_series_equal(frame["duration_seconds"], expected["duration_seconds"])
    folder = f"'{tmp_path}/requests/*.parquet'"
    failed = duckdb.sql(f"select count(*) n from {folder} where error_type = 'timeout' and status_code is null").df()
    assert failed["n"].tolist() == [(expected["error_type"] == "timeout").sum()]


OTHER_PROCESS = """
import json, sys
from aiops_nb.record.reader import RecordingReader
reader = RecordingReader(sys.argv[1])
items = list(reader.items())
print(json.dumps([[item.seq for item in items], reader.is_live, reader.repairs, reader.row_counts]))
"""


def test_another_process_reads_what_was_acknowledged(tmp_path: Path) -> None:
    with Recorder(tmp_path, segment_rows=20) as recorder:
        for batch in small_stream(40):
            recorder.write(batch)
        done = subprocess.run(
            [sys.executable, "-c", OTHER_PROCESS, tmp_path], capture_output=True, text=True, timeout=60, check=True
        )
        seqs, is_live, repairs, row_counts = json.loads(done.stdout)
    assert (seqs, is_live, repairs) == (list(range(40)), True, [])
    assert row_counts == {"requests": 42, "samples": 39, "messages": 0, "control": 13}


@pytest.mark.parametrize("sealed", [False, True])
def test_reading_needs_no_more_memory_for_a_longer_recording(tmp_path: Path, sealed: bool) -> None:
    short, long = (peak_bytes(tmp_path / str(items), items, sealed) for items in (20, 80))
    assert long < 1.5 * short


def peak_bytes(path: Path, items: int, sealed: bool) -> int:
    """The most that Arrow held at once while a recording was read."""
    batch = requests(0, rows=10_000)
    with Recorder(path) as recorder:
        for _ in range(items):
            recorder.write(batch)
        if sealed:
            recorder.close()
        before = pa.total_allocated_bytes()
        return max(pa.total_allocated_bytes() - before for _ in RecordingReader(path).items())
