"""What is on the disk when a call returns; and what ends a recording without ending the stream."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiops_nb.core.errors import RecordingError
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from tests.paths import ROOT
from tests.record_rows import read, requests, same_items, samples, small_stream

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at descriptors in /proc")

Event = tuple[str, str, int]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Event]]:
    """What is brought to the disk, renamed and removed: (what, name, bytes at that time)."""
    seen: list[Event] = []
    fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

    def seen_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        fsync(descriptor)
        seen.append(("fsync", path.name, 0 if path.is_dir() else os.fstat(descriptor).st_size))

    def seen_replace(path: Path, target: Path) -> Path:
        seen.append(("rename", Path(target).name, path.stat().st_size))
        return replace(path, target)

    def seen_unlink(path: Path, missing_ok: bool = False) -> None:
        if path.exists():
            seen.append(("remove", path.name, 0))
        unlink(path, missing_ok)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    monkeypatch.setattr(Path, "unlink", seen_unlink)
    yield seen


def test_with_fsync_every_item_is_on_the_disk_when_write_returns(tmp_path: Path, events: list[Event]) -> None:
    with Recorder(tmp_path, fsync=True) as recorder:
        for place in range(3):
            events.clear()
            recorder.write(samples(place))
            size = (tmp_path / "samples" / "_000000.arrows").stat().st_size
            assert events[-1] == ("fsync", "_000000.arrows", size)
        events.clear()
        recorder.write(requests(9))
        assert ("fsync", "requests", 0) in events, "the name of a new file is on the disk as well"


def test_without_fsync_no_item_waits_for_the_disk(tmp_path: Path, events: list[Event]) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.write(samples(0))
        events.clear()
        recorder.write(samples(1))
        assert events == []


def test_a_sealed_segment_is_on_the_disk_before_its_live_file_goes(tmp_path: Path, events: list[Event]) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.write(samples(0))
        recorder.rotate()
        events.clear()
        recorder.seal_pending()
    size = (tmp_path / "samples" / "000000.parquet").stat().st_size
    assert events == [
        ("fsync", "_000000.parquet.tmp", size),
        ("rename", "000000.parquet", size),
        ("fsync", "samples", 0),
        ("remove", "_000000.arrows", 0),
    ]


def test_a_manifest_is_on_the_disk_before_it_replaces_another(tmp_path: Path, events: list[Event]) -> None:
    Recorder(tmp_path).close()
    size = (tmp_path / "manifest.json").stat().st_size
    written = [event for event in events if "manifest" in event[1]]
    assert written[:2] == [("fsync", "manifest.json.tmp", size), ("rename", "manifest.json", size)]


# -- what ends a recording


@pytest.mark.parametrize("removed", ["directory", "table", "file"])
def test_what_is_removed_is_noticed_at_the_next_item(tmp_path: Path, removed: str) -> None:
    root = tmp_path / "r"
    with Recorder(root) as recorder:
        recorder.write(samples(0))
        path = {"directory": root, "table": root / "samples", "file": root / "samples" / "_000000.arrows"}[removed]
        path.unlink() if path.is_file() else shutil.rmtree(path)
        with pytest.raises(RecordingError, match="recording stopped before item 1: the file was removed") as caught:
            recorder.write(samples(1))
        assert recorder.stopped_reason == str(caught.value)
        assert recorder.write(samples(1)).seq == 1, "the stream continues"


WITH_FEW_DESCRIPTORS = """
import os, resource, sys
from aiops_nb.record.recorder import Recorder
from tests.record_rows import small_stream
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
recorder = Recorder(sys.argv[1], segment_rows=8)
taken = []
try:
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
for batch in small_stream(30):
    recorder.write(batch)
    recorder.seal_pending()
print(recorder.stopped_reason)
for descriptor in taken:
    os.close(descriptor)
recorder.close()
"""


def test_segments_are_opened_although_others_took_every_descriptor(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITH_FEW_DESCRIPTORS, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "None\n"
    assert [item.seq for item in read(tmp_path)] == list(range(30))


def test_a_segment_that_cannot_be_opened_ends_the_recording_only(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    recorder = Recorder(tmp_path)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(RecordingError, match="recording stopped before item 0: Too many open files"):
            recorder.write(samples(0))
        assert recorder.write(samples(0)).seq == 0
        assert recorder.write(requests(1)).seq == 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        recorder.close()
    assert read(tmp_path) == []


def test_a_second_writer_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with Recorder(tmp_path, config_yaml="interval_seconds: 1.0\n") as recorder:
        written = [recorder.write(batch) for batch in small_stream(6)]
        with pytest.raises(RecordingError, match="one is recording there now"):
            Recorder(tmp_path, config_yaml="interval_seconds: 9.0\n")
        assert RecordingReader(tmp_path).config_yaml == "interval_seconds: 1.0\n"
        written.append(recorder.write(samples(900)))
    assert same_items(read(tmp_path), written)
