"""A recording is read while it is written: every item once, in order, whatever the writer does."""

from __future__ import annotations

import random
import threading

import pytest

from aiops_nb.core.schemas import control_batch
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from aiops_nb.record.tail import RecordingTail
from tests.record_rows import requests, same_items, samples


def batch_of(chance, time_ns):
    makers = (samples, requests, lambda at: control_batch("clock", "heartbeat", at))
    return makers[chance.randrange(3)](time_ns)


def write_some(recorder, chance, count, begin_ns):
    for number in range(count):
        recorder.write(batch_of(chance, begin_ns + 10 * number))


@pytest.mark.parametrize("seed", range(4))
def test_every_item_comes_once_and_in_order(tmp_path, seed):
    """Rotated, sealed (in time, late, between two looks) and continued by another writer."""
    chance, path, found, now_ns = random.Random(seed), tmp_path / "r", [], 0
    for _writer in range(2):
        with Recorder(path, segment_rows=chance.choice((20, 60, 10_000))) as recorder:
            write_some(recorder, chance, 5, now_ns)
            if not found:
                tail = RecordingTail(RecordingReader(path))
                found += [*tail.recorded()]
            for _step in range(12):
                now_ns += 1_000
                write_some(recorder, chance, chance.randrange(12), now_ns)
                if chance.random() < 0.3:
                    recorder.rotate()
                if chance.random() < 0.3:
                    recorder.seal_pending()
                if chance.random() < 0.6:
                    found += tail.appended()
        now_ns += 1_000
    found += tail.appended()
    tail.close()
    appended = [item for item in RecordingReader(path).items() if item.seq > found[0].seq]
    assert [item.batch.column(0).to_numpy()[-1] for item in found][-1] == appended[-1].seq
    rows = sum(item.batch.num_rows for item in found)
    assert rows == sum(item.batch.num_rows for item in RecordingReader(path).items())
    by_seq = {item.seq: item for item in appended}
    fresh = [item for item in found if item.seq in by_seq and item.batch.num_rows == by_seq[item.seq].batch.num_rows]
    assert same_items(fresh, [by_seq[item.seq] for item in fresh])
    assert [item.seq for item in found] == sorted({item.seq for item in found})


def test_a_writer_in_another_thread_is_never_overtaken(tmp_path):
    path, total = tmp_path / "r", 600
    with Recorder(path, segment_rows=150) as recorder:
        recorder.write(samples(1))
        tail = RecordingTail(RecordingReader(path))
        seqs = [item.seq for item in tail.recorded()]

        def write():
            chance = random.Random(1)
            for number in range(total):
                recorder.write(batch_of(chance, 10 * number + 10))
                if number % 97 == 0:
                    recorder.seal_pending()

        writer = threading.Thread(target=write)
        writer.start()
        while writer.is_alive():
            seqs += [item.seq for item in tail.appended()]
        seqs += [item.seq for item in tail.appended()]
    tail.close()
    assert seqs == list(range(total + 1))


def test_a_torn_item_waits_for_its_rest(tmp_path):
    path = tmp_path / "r"
    with Recorder(path) as recorder:
        recorder.write(samples(1))
        tail = RecordingTail(RecordingReader(path))
        assert len([*tail.recorded()]) == 1
        recorder.write(samples(20))
        [live] = (path / "samples").glob("_*.arrows")
        whole = live.read_bytes()
        live.write_bytes(whole[:-40])
        assert tail.appended() == []
        live.write_bytes(whole)
        assert [item.seq for item in tail.appended()] == [1]
        tail.close()


def test_damage_ends_the_file_and_not_the_reading(tmp_path):
    path = tmp_path / "r"
    with Recorder(path) as recorder:
        recorder.write(samples(1))
        tail = RecordingTail(RecordingReader(path))
        assert len([*tail.recorded()]) == 1
        [live] = (path / "samples").glob("_*.arrows")
        with live.open("ab") as file:
            file.write(b"\xff\xff\xff\xff\x10\x00\x00\x00" + b"\x07" * 200)
        assert tail.appended() == []
        recorder.rotate()
        recorder.write(samples(40))
        assert [item.seq for item in tail.appended()] == [1]
        tail.close()
