"""The recorder as a tap: places, segments, one writer, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import BatchError, FormatVersionError, RecordingError
from aiops_nb.core.schemas import SAMPLES, TABLES, empty_batch
from aiops_nb.record.format import FORMAT_VERSION, read_manifest
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.tap import NullTap
from tests.record_rows import read, record, requests, same_items, samples, small_stream


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


def test_a_finished_recording_holds_parquet_and_its_description(tmp_path: Path) -> None:
    record(tmp_path / "a" / "b", small_stream(), config_yaml="targets: []\n")
    root = tmp_path / "a" / "b"
    assert names(root) == ["config.yaml", "control", "manifest.json", "requests", "samples", "writer.lock"]
    assert names(root / "requests") == names(root / "control") == ["000000.parquet"]
    manifest = read_manifest(root)
    assert (manifest.format_version, manifest.repairs) == (FORMAT_VERSION, ())
    assert manifest.tables["samples"]["time"] == "timestamp[ns, tz=UTC]"
    assert {"aiops_nb", "python", "pyarrow"} <= manifest.versions.keys()
    assert RecordingReader(root).config_yaml == "targets: []\n"


def test_labels_may_be_there_before_the_recording(tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text("")
    record(tmp_path, small_stream(), config_yaml="targets: []\n")
    assert "manifest.json" in names(tmp_path)


def test_going_on_with_a_recording_goes_on_counting(tmp_path: Path) -> None:
    first = record(tmp_path, small_stream(5), config_yaml="run: 1")
    second = record(tmp_path, small_stream(4))
    assert [item.seq for item in first + second] == list(range(9))
    assert same_items(read(tmp_path), first + second)
    assert names(tmp_path / "samples") == ["000000.parquet", "000001.parquet"]
    reader = RecordingReader(tmp_path)
    assert (reader.config_yaml, reader.repairs) == ("run: 1", ())


def test_a_segment_ends_by_rows(tmp_path: Path) -> None:
    written = record(tmp_path, [samples(10 * place, rows=4) for place in range(7)], segment_rows=8)
    assert names(tmp_path / "samples") == [f"{number:06d}.parquet" for number in range(4)]
    assert same_items(read(tmp_path), written)


def test_a_segment_ends_by_age(tmp_path: Path) -> None:
    clock = ManualClock()
    with Recorder(tmp_path, segment_seconds=60, clock=clock) as recorder:
        for time_ns in range(4):
            recorder.write(samples(time_ns))
            clock.advance(30)
        assert names(tmp_path / "samples") == ["_000000.arrows", "_000001.arrows"]
        assert recorder.seal_pending() == 1
        assert names(tmp_path / "samples") == ["000000.parquet", "_000001.arrows"]


@pytest.mark.parametrize("tap", ["recorder", "passage"])
def test_a_batch_that_could_not_be_replayed_gets_no_place(tap: str, tmp_path: Path) -> None:
    taken = Recorder(tmp_path) if tap == "recorder" else NullTap()
    whole = samples(0)
    nulls = pa.DictionaryArray.from_arrays(pa.nulls(3, pa.int32()), pa.array([], pa.string()))
    beyond = pa.DictionaryArray.from_arrays(pa.array([0, 1, 9], pa.int32()), pa.array(["a", "b"]), safe=False)
    wrong = {
        "expected valid columns": whole.set_column(3, SAMPLES.field("target"), beyond),
        "expected a batch with rows": empty_batch("samples"),
        "expected time and source": whole.set_column(2, SAMPLES.field("source"), nulls),
        "expected the types": whole.set_column(5, "value", pa.array(np.zeros(3, np.float32))),
        "expected the columns": whole.drop_columns("value"),
    }
    for message, batch in wrong.items():
        with pytest.raises(BatchError, match=message):
            taken.write(batch)
    assert taken.write(whole).seq == 0
    taken.close()
    taken.close()
    assert taken.stopped_reason is None


def test_a_passage_gives_the_same_items_as_a_recorder(tmp_path: Path) -> None:
    passage = NullTap()
    assert same_items(record(tmp_path, small_stream()), [passage.write(batch) for batch in small_stream()])
    assert passage.seal_pending() == 0


def test_null_as_a_word_of_the_dictionary_becomes_a_null_row(tmp_path: Path) -> None:
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int32()), pa.array(["a", None]))
    record(tmp_path, [samples(0).set_column(3, SAMPLES.field("target"), coded)])
    assert RecordingReader(tmp_path).table("samples")["target"].to_pylist() == ["a", None, None]


def test_a_closed_recorder_refuses_rows(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, fsync=True)
    recorder.write(samples(0))
    recorder.close()
    recorder.close()
    with pytest.raises(RecordingError, match="it is closed"):
        recorder.write(samples(1))
    assert len(read(tmp_path)) == 1


SECOND_WRITER = """
import sys
from aiops_nb.core.errors import RecordingError
from aiops_nb.record.recorder import Recorder
try:
    Recorder(sys.argv[1])
except RecordingError as problem:
    print(problem)
"""


def test_a_second_writer_is_refused_and_does_no_harm(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        item = recorder.write(samples(0))
        with pytest.raises(RecordingError, match="expected no other writer"):
            Recorder(tmp_path)
        done = subprocess.run(
            [sys.executable, "-c", SECOND_WRITER, tmp_path], capture_output=True, text=True, timeout=60
        )
        assert done.stdout.strip() == f"{tmp_path}: expected no other writer, but one is recording there now"
        assert RecordingReader(tmp_path).is_live
        assert same_items(read(tmp_path), [item])
    assert not RecordingReader(tmp_path).is_live
    Recorder(tmp_path).close()


def test_a_recorder_may_be_closed_in_another_thread(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.write(samples(0))
    thread = threading.Thread(target=recorder.close)
    thread.start()
    thread.join()
    assert not RecordingReader(tmp_path).is_live


def test_a_directory_with_other_things_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RecordingError, match=r"new or empty directory or a recording, found thesis\.txt"):
        Recorder(tmp_path)
    assert names(tmp_path) == ["thesis.txt"]


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="expected a directory"):
        Recorder(tmp_path / "file")


def test_a_newer_recording_is_neither_read_nor_written(tmp_path: Path) -> None:
    record(tmp_path, small_stream(3))
    manifest = tmp_path / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace(f'"format_version": {FORMAT_VERSION}', '"format_version": 9, "new": []')
    )
    for open_it in (Recorder, RecordingReader):
        with pytest.raises(FormatVersionError, match=rf"expected format_version at most {FORMAT_VERSION} .*, got 9"):
            open_it(tmp_path)


def test_an_unreadable_segment_stops_a_writer_that_would_give_its_places_again(tmp_path: Path) -> None:
    record(tmp_path, small_stream(3))
    (tmp_path / "samples" / "000000.parquet").write_bytes(b"garbage")
    with pytest.raises(RecordingError, match=r"000000\.parquet: cannot be read .* move it away"):
        Recorder(tmp_path)
    (tmp_path / "samples" / "000000.parquet").unlink()
    Recorder(tmp_path).close()


def test_writing_sealing_and_reading_at_once(tmp_path: Path) -> None:
    """Every reading sees a whole beginning of the stream: no item missing, none twice."""
    stop, seen = threading.Event(), []

    def seal() -> None:
        while not stop.is_set():
            recorder.seal_pending()

    def look() -> None:
        while not stop.is_set():
            seen.append([item.seq for item in RecordingReader(tmp_path).items()])

    with Recorder(tmp_path, segment_rows=40) as recorder:
        threads = [threading.Thread(target=target) for target in (seal, look)]
        for thread in threads:
            thread.start()
        written = [recorder.write(batch) for batch in small_stream(600)]
        stop.set()
        for thread in threads:
            thread.join()
    assert seen
    assert all(seqs == list(range(len(seqs))) for seqs in seen)
    assert same_items(read(tmp_path), written)
    assert set(TABLES) >= {item.table for item in written}


def test_a_batch_much_longer_than_a_block(tmp_path: Path) -> None:
    written = record(tmp_path, [samples(0), requests(10, rows=150_000), samples(20)])
    found = read(tmp_path)
    assert [(item.seq, item.batch.num_rows) for item in found] == [(0, 3), (1, 150_000), (2, 3)]
    assert same_items(found, written)
