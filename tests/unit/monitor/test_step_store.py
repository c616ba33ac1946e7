"""The step store: it measures what is really held, respects its bound at every rate, and gives back what it took."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import Item
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.monitor.step_store import StepStore

S = 1_000_000_000
T0 = 1_780_000_000 * S
MIB = 1 << 20


def traffic(seconds, batches_a_second, rows_a_batch, seed=1):
    """Items of an access log, and of a host every second."""
    rng, seq = np.random.default_rng(seed), 0
    for second in range(seconds):
        for part in range(batches_a_second):
            begins = T0 + second * S + part * S // batches_a_second
            columns = {
                "time": begins + np.sort(rng.integers(0, S // batches_a_second, rows_a_batch)),
                "origin": "traffic",
                "target": [f"/p{number}" for number in rng.integers(0, 20, rows_a_batch)],
                "status_code": np.full(rows_a_batch, 200),
                "duration_seconds": rng.random(rows_a_batch),
                "client_ip": [f"10.0.0.{number}" for number in rng.integers(0, 99, rows_a_batch)],
            }
            yield Item(seq, "requests", "log", make_batch("requests", "log", columns))
            seq += 1
        columns = {"time": [T0 + second * S] * 3, "target": ["me"] * 3, "metric": ["a", "b", "c"], "value": [1.0] * 3}
        yield Item(seq, "samples", "host", make_batch("samples", "host", columns))
        seq += 1


def fill(store, items, pipeline=None):
    """Steps through the engine into the store."""
    pipeline = pipeline or Pipeline()
    for item in items:
        store.write(pipeline.push(item))


RATES = [(50, 1, 1), (40, 4, 6), (12, 25, 1), (10, 2, 1_000), (4, 2, 20_000)]


@pytest.mark.parametrize(("seconds", "batches", "rows"), RATES)
def test_what_is_counted_is_what_is_held(seconds, batches, rows):
    items = traffic(seconds, batches, rows)
    warm, store, pipeline = StepStore(), StepStore(), Pipeline()
    fill(warm, traffic(20, batches, min(rows, 10)), Pipeline())
    arrow_before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        fill(store, items, pipeline)
        gc.collect()
        with_store = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - arrow_before
        counted = store.held_bytes
        del store
        gc.collect()
        held = with_store - (tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - arrow_before)
    finally:
        tracemalloc.stop()
    assert held <= counted * 1.1
    assert counted <= max(3 * held, 8 * MIB)  # nor is so much imagined that the history would be short


@pytest.mark.parametrize(("seconds", "batches", "rows"), RATES)
def test_the_bound_is_kept(seconds, batches, rows):
    bound = 2 * MIB
    store, most = StepStore(bound), 0
    pipeline = Pipeline()
    for item in traffic(seconds, batches, rows):
        store.write(pipeline.push(item))
        most = max(most, store.held_bytes)
    newest_page = 2 * 20_000 * 400 if rows > 1_000 else 0
    assert most <= bound + newest_page and store.steps()


def test_a_day_at_a_low_rate_is_bounded():
    store, pipeline = StepStore(MIB // 2), Pipeline()
    sizes = []
    for number, item in enumerate(traffic(150, 2, 2)):
        store.write(pipeline.push(item))
        if number % 25 == 0:
            sizes.append(store.held_bytes)
    assert max(sizes) <= MIB // 2 and max(sizes[len(sizes) // 2 :]) - min(sizes[len(sizes) // 2 :]) < MIB // 3


def test_what_was_taken_comes_back_in_order_and_equal():
    store, pipeline, steps = StepStore(), Pipeline(), []
    for item in traffic(100, 3, 4):
        steps.append(pipeline.push(item))
        store.write(steps[-1])
        assert store.steps()[-1] is steps[-1]  # a dashboard that begins meanwhile knows by it where it is
    kept = store.steps()
    assert [step.item.seq for step in kept] == [step.item.seq for step in steps]
    for mine, theirs in zip(kept, steps, strict=True):
        assert (mine.item.table, mine.item.source) == (theirs.item.table, theirs.item.source)
        assert mine.item.batch.to_pylist() == theirs.item.batch.to_pylist()
        assert mine.ticks == theirs.ticks or all(a is b for a, b in zip(mine.ticks, theirs.ticks, strict=True))
        assert mine.changes == theirs.changes
    for table in ("requests", "samples"):
        whole = pa.Table.from_batches(store.batches(table)).to_pylist()
        assert whole == [row for step in steps if step.item.table == table for row in step.item.batch.to_pylist()]


def test_the_oldest_leave_first():
    store, pipeline = StepStore(MIB // 2), Pipeline()
    last = -1
    for item in traffic(150, 4, 2):
        store.write(pipeline.push(item))
        last = item.seq
    seqs = [step.item.seq for step in store.steps()]
    assert seqs[-1] == last and seqs[0] > 0 and seqs == sorted(seqs)
