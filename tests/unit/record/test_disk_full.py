"""A disk that is full ends the recording, not the stream, and harms nothing that was recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import aiops_nb
from aiops_nb.core.errors import RecordingError
from aiops_nb.core.schemas import empty_batch
from aiops_nb.core.types import Step
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from tests.paths import ROOT
from tests.record_rows import read, requests, samples

WRITE_UNTIL_FULL = """
import json, signal, sys
from aiops_nb.core.errors import RecordingError
from aiops_nb.core.schemas import control_batch
from aiops_nb.record.recorder import Recorder
from tests.record_rows import requests

limit_bytes, room_again = int(sys.argv[2]), sys.argv[3] == "True"
if limit_bytes:
    import resource
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))

recorder, errors, seqs = Recorder(sys.argv[1]), [], []
for place in range(400):
    batch = requests(place, rows=200) if place % 2 else control_batch("clock", "heartbeat", place)
    try:
        seqs.append(recorder.write(batch).seq)
    except RecordingError as problem:
        errors.append([place, str(problem), recorder.stopped_reason])
        seqs.append(recorder.write(batch).seq)
if limit_bytes and room_again:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
recorder.close()
print(json.dumps({"errors": errors, "seqs": seqs}))
"""


def write_until_full(path: Path, limit_bytes: int = 0, room_again: bool = False) -> tuple[int, str]:
    """Place of the first item that was not stored, and the reason that was given, once."""
    command = [sys.executable, "-c", WRITE_UNTIL_FULL, str(path), str(limit_bytes), str(room_again)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    told = json.loads(done.stdout)
    assert told["seqs"] == list(range(400)), "every item has its place, stored or not"
    assert done.stderr == "" or not room_again, "with room to seal there is nothing to warn of"
    [(place, message, reason)] = told["errors"]
    assert message == reason
    return place, reason


def check_what_is_left(path: Path, stored: int) -> None:
    """Every item up to the full disk, whole, and nothing unfinished."""
    assert [item.seq for item in read(path)] == list(range(stored))
    assert not list(path.rglob("*.tmp"))
    assert not list(path.rglob("*.cut"))


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of a file are POSIX")
@pytest.mark.parametrize("limit_bytes", [10_000, 200_001, 333_333])
@pytest.mark.parametrize("room_again", [False, True])
def test_a_file_that_may_not_grow(tmp_path: Path, limit_bytes: int, room_again: bool) -> None:
    place, reason = write_until_full(tmp_path / "full", limit_bytes, room_again)
    assert place == 1 if limit_bytes == 10_000 else place > 10
    assert reason == f"{tmp_path / 'full'}: recording stopped before item {place}: File too large"
    check_what_is_left(tmp_path / "full", place)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("NOT TESTED: a full file system; mounting one needs root on Linux")
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"NOT TESTED: a full file system; mounting one failed: {done.stderr.strip()}")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def fill(file: Path) -> None:
    """Take all room that is left."""
    with file.open("wb", buffering=0) as taken, pytest.raises(OSError, match="No space left"):
        while True:
            taken.write(bytes(4096))


def test_a_full_file_system(small_disk: Path) -> None:
    path, ballast, reserve = small_disk / "recording", small_disk / "ballast", small_disk / "reserve"
    reserve.write_bytes(bytes(65_536))
    place, reason = write_until_full(path)
    assert reason == f"{path}: recording stopped before item {place}: No space left on device"
    fill(ballast)
    check_what_is_left(path, place)
    assert list(path.rglob("*.arrows")), "there was no room to seal, and nothing was removed"
    with pytest.raises(RecordingError, match=r"cannot be written: .*No space left on device"):
        Recorder(path)
    ballast.unlink()
    reserve.unlink()  # what the unfinished item left alone may be too little to seal in
    with Recorder(path) as recorder:
        assert recorder.write(samples(0)).seq == place
    check_what_is_left(path, place + 1)
    assert not list(path.rglob("*.arrows"))


def test_a_disk_that_is_full_from_the_start_is_one_clear_error(small_disk: Path) -> None:
    fill(small_disk / "ballast")
    with pytest.raises(RecordingError, match=r"recording: .*No space left on device"):
        Recorder(small_disk / "recording")


def remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)


@pytest.mark.parametrize("left", ["sealed", "killed"])
def test_a_recording_on_a_read_only_file_system(small_disk: Path, left: str) -> None:
    """It is read as it is, also where its writer died, and is continued once it can be written again."""
    path = small_disk / "recording"
    recorder = Recorder(path)
    seqs = [recorder.write(requests(place, rows=5)).seq for place in range(20)]
    if left == "killed":
        copy = shutil.copytree(path, small_disk / "killed")
    recorder.close()
    path = path if left == "sealed" else copy
    remount(small_disk, "ro")
    try:
        before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
        assert [item.seq for item in read(path)] == seqs
        recording = aiops_nb.open_recording(path)
        assert len(recording.requests()) == 100 and recording.unreadable == ()
        assert len(aiops_nb.replay(path).requests()) == 100
        with pytest.raises(RecordingError, match="Read-only file system"):
            Recorder(path)
        with pytest.raises(RecordingError, match="Read-only file system"):
            aiops_nb.watch("http://127.0.0.1:9/dead", record=small_disk / "new")
    finally:
        remount(small_disk, "rw")
    assert before == {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with Recorder(path) as again:
        assert again.write(samples(20)).seq == 20
    assert [item.seq for item in read(path)] == [*seqs, 20]


def test_a_file_system_with_open_files_refuses_to_become_read_only(small_disk: Path) -> None:
    """The system says no, and the writer does not notice."""
    with Recorder(small_disk / "recording") as recorder:
        recorder.write(samples(0))
        with pytest.raises(subprocess.CalledProcessError):
            remount(small_disk, "ro")
        assert recorder.write(samples(1)).seq == 1
    assert [item.seq for item in read(small_disk / "recording")] == [0, 1]


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A file system that can turn read-only under open files, as a disk with errors does; and what mounts it again."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("NOT TESTED: a disk that fails; mounting one needs root on Linux")
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)
    mount = ["mount", "-o", "loop", str(image), str(folder)]
    for command in (["mkfs.ext4", "-q", str(image)], mount):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"NOT TESTED: a disk that fails; {command[0]}: {done.stderr.strip()}")

    def repair() -> None:
        subprocess.run(["umount", str(folder)], check=True)
        subprocess.run(mount, check=True)

    try:
        yield folder, repair
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_turns_read_only_under_a_writer(failing_disk: tuple[Path, Callable[[], None]]) -> None:
    """The writer says so once and the stream goes on; what was acknowledged is there, and can be continued later."""
    disk, repair = failing_disk
    path = disk / "recording"
    recorder = Recorder(path, fsync=True)  # without it, what the disk did not have yet is lost by mounting it again
    seqs = [recorder.write(requests(place, rows=5) if place % 2 else samples(place)).seq for place in range(20)]
    remount(disk, "abort")
    with pytest.raises(RecordingError, match=r"recording stopped before item 20: Read-only file system"):
        recorder.write(samples(20))
    assert [recorder.write(requests(place)).seq for place in (20, 21)] == [20, 21]
    recorder.close()
    assert [item.seq for item in read(path)] == seqs
    repair()
    assert [item.seq for item in read(path)] == seqs
    with Recorder(path) as again:
        assert again.write(samples(20)).seq == 20
    assert [item.seq for item in read(path)] == [*seqs, 20]


class TwoHalves:
    """A collector of 40 batches that makes a pause in the middle."""

    name = "host"

    def __init__(self) -> None:
        self.polled = 0
        self.goes_on = threading.Event()

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        if self.polled == 20 and not self.goes_on.wait(timeout_seconds):
            return empty_batch("samples")
        self.polled += 1
        return samples(self.polled) if self.polled <= 40 else None

    def close(self) -> None:
        self.goes_on.set()


def test_a_live_monitor_on_a_disk_that_turns_read_only(failing_disk: tuple[Path, Callable[[], None]]) -> None:
    """An alert and a warning say it; detection goes on, and stopping is quiet."""
    disk, repair = failing_disk
    collector, steps, half = TwoHalves(), list[Step](), threading.Event()

    def deliver(step: Step) -> None:
        steps.append(step)
        if sum(one.item.batch.num_rows for one in steps if one.item.table == "samples") == 60:
            half.set()

    run = LiveRun([collector], Recorder(disk / "recording", fsync=True), PipelineParams(), deliver)
    run.start()
    assert half.wait(20)
    remount(disk, "abort")
    collector.goes_on.set()
    assert run.wait(20)
    assert "Read-only file system" in run.problems()["recording"]
    (alert,) = [one for step in steps for one in step.changes if one.labels["alertname"] == "recording_stopped"]
    assert alert.state == "firing" and "Read-only file system" in alert.summary
    assert run.stream_counters().rows_total == 120
    repair()
    assert sum(item.batch.num_rows for item in read(disk / "recording") if item.table == "samples") == 60


def test_a_table_whose_file_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.write(samples(0))
        (tmp_path / "requests").write_text("in the way")
        with pytest.raises(RecordingError, match="recording stopped before item 1"):
            recorder.write(requests(1))
        assert recorder.write(requests(1)).seq == 1
        assert recorder.write(samples(2)).seq == 2
    reader = RecordingReader(tmp_path)
    assert [item.seq for item in reader.items()] == [0]
    assert (tmp_path / "requests").read_text() == "in the way"
