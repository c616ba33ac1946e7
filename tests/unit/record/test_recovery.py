"""What a crash leaves is read, told and repaired; nothing is lost and nothing comes twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.ipc as ipc
import pytest

from aiops_nb.core.errors import RecordingError
from aiops_nb.record.format import Segment
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.sealing import put_in_place, remove_live, seal, write_unfinished
from tests.record_rows import dead_copy, read, record, requests, same_items, samples, small_stream


def crashed(tmp_path: Path, items: int = 12) -> tuple[Path, list]:
    """A recording whose writer died, and what it had acknowledged."""
    with Recorder(tmp_path / "running") as recorder:
        written = [recorder.write(batch) for batch in small_stream(items)]
        return dead_copy(recorder, tmp_path / "dead"), written


@pytest.mark.parametrize("open_it", ["read", "go on"])
def test_the_next_opening_repairs_and_says_so(tmp_path: Path, open_it: str, caplog: pytest.LogCaptureFixture) -> None:
    dead, written = crashed(tmp_path)
    if open_it == "go on":
        with Recorder(dead) as recorder:
            assert len(recorder.repairs) == 3
            written.append(recorder.write(samples(1000)))
    reader = RecordingReader(dead, repair=True)
    assert same_items(reader.items(), written)
    told = "requests/_000000.arrows: the writer ended without closing it; its 4 whole items are kept"
    assert told in reader.repairs
    assert told in caplog.messages
    assert not list(dead.rglob("*.arrows"))
    caplog.clear()
    assert RecordingReader(dead).repairs == reader.repairs, "what was repaired stays on record"
    assert not caplog.messages, "and is told once"


def every_cut() -> range:
    return range(1, 3000, 37)


def test_a_torn_tail_costs_the_torn_item_only(tmp_path: Path) -> None:
    with Recorder(tmp_path / "running") as recorder:
        written = [recorder.write(samples(place, rows=9)) for place in range(3)]
        whole = dead_copy(recorder, tmp_path / "whole") / "samples" / "_000000.arrows"
    size, kept = whole.stat().st_size, set()
    for lost_bytes in every_cut():
        dead = tmp_path / f"torn-{lost_bytes}"
        record(dead, [])
        (dead / "samples").mkdir()
        (dead / "samples" / "_000000.arrows").write_bytes(whole.read_bytes()[: max(0, size - lost_bytes)])
        reader = RecordingReader(dead, repair=True)
        found = list(reader.items())
        assert same_items(found, written[: len(found)])
        assert len(reader.repairs) == 1
        kept.add(len(found))
    assert kept == {0, 1, 2}


def test_the_bytes_of_an_unfinished_item_are_kept_apart(tmp_path: Path) -> None:
    dead, written = crashed(tmp_path)
    with (dead / "control" / "_000000.arrows").open("ab") as file:
        file.write(b"\xff\xff\xff\xff half a message")
    reader = RecordingReader(dead, repair=True)
    assert "control/_000000.arrows: the writer ended without closing it; its 4 whole items are kept, 19 bytes" in str(
        reader.repairs
    )
    assert (dead / "control" / "_000000.cut").read_bytes() == b"\xff\xff\xff\xff half a message"
    assert same_items(reader.items(), written)


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"\xff" * 4096, os.urandom(4096), b"\xff\xff\xff\xff" + b"\x7f" * 4096])
def test_nonsense_after_the_last_item_does_no_harm(tmp_path: Path, tail: bytes) -> None:
    dead, written = crashed(tmp_path)
    with (dead / "samples" / "_000000.arrows").open("ab") as file:
        file.write(tail)
    assert same_items(read(dead), written)


def test_a_message_of_zeros_in_the_right_length_is_no_item(tmp_path: Path) -> None:
    """What a power cut can leave of a file whose length was on disk before its content."""
    with Recorder(tmp_path / "running") as recorder:
        written = [recorder.write(samples(5, rows=40)) for _ in range(3)]
        dead = dead_copy(recorder, tmp_path / "dead")
    file = dead / "samples" / "_000000.arrows"
    body_bytes = list(ipc.MessageReader.open_stream(file))[-1].body.size
    file.write_bytes(file.read_bytes()[:-body_bytes] + bytes(body_bytes))
    assert same_items(read(dead), written[:2])


def test_items_that_only_one_file_lost_are_named_and_the_others_kept(tmp_path: Path) -> None:
    dead, written = crashed(tmp_path)
    file = dead / "samples" / "_000000.arrows"
    file.write_bytes(file.read_bytes()[:-200])  # the last samples, item 10; the heartbeat after it is on disk
    reader = RecordingReader(dead, repair=True)
    assert same_items(reader.items(), [item for item in written if item.seq != 10])
    assert reader.repairs[-1] == (
        f"{dead}: items 10 are missing: the files lost different parts; replay is exact up to item 9, "
        "and 1 later items are kept"
    )


def test_a_lost_file_is_noticed_against_the_segments_before(tmp_path: Path) -> None:
    record(tmp_path / "running", small_stream(6))
    with Recorder(tmp_path / "running") as recorder:
        for batch in (requests(0), samples(1), requests(2)):
            recorder.write(batch)
        dead = dead_copy(recorder, tmp_path / "dead")
    (dead / "requests" / "_000001.arrows").unlink()
    reader = RecordingReader(dead, repair=True)
    assert "items 6 are missing" in reader.repairs[-1]
    assert [item.seq for item in reader.items()] == [0, 1, 2, 3, 4, 5, 7]


STEPS = [write_unfinished, put_in_place, remove_live]


@pytest.mark.parametrize("done", range(len(STEPS) + 1))
@pytest.mark.parametrize("open_it", [partial(RecordingReader, repair=True), Recorder])
def test_a_crash_between_the_steps_of_sealing(tmp_path: Path, done: int, open_it: Callable) -> None:
    dead, written = crashed(tmp_path)
    for step in STEPS[:done]:
        step(Segment(dead, "requests", 0))
    if done == 1:
        torn = Segment(dead, "requests", 0).unfinished
        torn.write_bytes(torn.read_bytes()[:-100])
    opened = open_it(dead)
    if isinstance(opened, Recorder):
        opened.close()
    assert same_items(read(dead), written)
    assert not any("missing" in told for told in RecordingReader(dead).repairs)
    assert sorted(path.name for path in (dead / "requests").iterdir()) == ["000000.parquet"]


def test_sealing_may_be_repeated(tmp_path: Path) -> None:
    dead, written = crashed(tmp_path)
    segment = Segment(dead, "requests", 0)
    stream = segment.live.read_bytes()
    seal(segment)
    segment.live.write_bytes(stream)  # as if the removal had not reached the disk
    assert same_items(read(dead), written), "no row twice"
    seal(segment)
    assert not segment.live.exists()
    assert same_items(read(dead), written)


def test_a_live_file_that_cannot_be_read_to_its_end_is_not_removed(tmp_path: Path) -> None:
    dead, written = crashed(tmp_path)
    segment = Segment(dead, "requests", 0)
    with segment.live.open("ab") as file:
        file.write(b"not an item")
    before = segment.live.read_bytes()
    with pytest.raises(OSError, match="11 bytes at the end cannot be read"):
        seal(segment)
    assert segment.live.read_bytes() == before
    assert not segment.sealed.exists()
    assert not segment.unfinished.exists()
    assert same_items(RecordingReader(dead, repair=True).items(), written), "a repair keeps them apart first"
    assert segment.cut.read_bytes() == b"not an item"


def test_a_parquet_file_that_never_reached_the_disk_is_made_again(tmp_path: Path) -> None:
    dead, written = crashed(tmp_path)
    segment = Segment(dead, "requests", 0)
    segment.sealed.write_bytes(b"\0" * 500)
    assert same_items(read(dead), written)
    RecordingReader(dead, repair=True)
    assert not segment.live.exists()


def test_a_live_recording_is_read_and_left_alone(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        written = [recorder.write(batch) for batch in small_stream(9)]
        before = {path: path.stat().st_size for path in tmp_path.rglob("*")}
        reader = RecordingReader(tmp_path)
        assert reader.is_live
        assert reader.repairs == ()
        assert same_items(reader.items(), written)
        assert {path: path.stat().st_size for path in tmp_path.rglob("*")} == before


@contextmanager
def bound_by_permissions(folder: Path) -> Iterator[None]:
    """Nothing below `folder` can be written, also if the tests run as root."""
    tree = [folder, *folder.rglob("*")]
    for path in tree:
        path.chmod(0o555 if path.is_dir() else 0o444)
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)
        for path in tree:
            path.chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="permissions of directories are POSIX")
def test_where_nothing_may_be_written_the_rows_are_read_all_the_same(tmp_path: Path) -> None:
    dead, written = crashed(tmp_path)
    with TemporaryDirectory() as folder:
        open_to_all = Path(folder) / "dead"
        Path(folder).chmod(0o755)
        shutil.copytree(dead, open_to_all)
        with bound_by_permissions(open_to_all):
            reader = RecordingReader(open_to_all)
            assert same_items(reader.items(), written)
            assert not reader.is_live
            assert [
                word in told
                for word, told in zip(
                    ["requests", "samples", "control", "nothing was repaired"], reader.repairs, strict=True
                )
            ]
            with pytest.raises(RecordingError, match="expected a directory to write to"):
                Recorder(open_to_all)
