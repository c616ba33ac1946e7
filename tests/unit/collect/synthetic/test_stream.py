"""The synthetic stream: the same rows however it is polled, and one line for what cannot be."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.collect.synthetic import FLAT, Fault, FaultLabel, Shape, SyntheticStream, draw
from aiops_nb.collect.synthetic.block import draw_block
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import table_of
from aiops_nb.tune import read_labels

NS = 1_000_000_000
START = 1_780_000_000 * NS
FAULTS = (
    Fault(kind="latency_shift", start_seconds=1.5, length_seconds=1, size=5),
    Fault(kind="traffic_surge", start_seconds=3, length_seconds=1, size=4, target="service-1"),
    Fault(kind="distributed_flood", start_seconds=3.5, length_seconds=2.2),
    Fault(kind="gap", start_seconds=6, length_seconds=2),
    Fault(kind="path_probe", start_seconds=8, length_seconds=1),
)
OPTIONS: dict[str, Any] = {"seed": 5, "rate_hz": 20, "hosts": 2, "start_ns": START, "faults": FAULTS}


def rows_of(batches: list[pa.RecordBatch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.to_pylist()]


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(st.floats(0.01, 3.0), min_size=1, max_size=30))
def test_the_rows_do_not_depend_on_the_polls(steps: list[float]) -> None:
    clock = ManualClock(start_ns=START)
    stream = SyntheticStream(clock=clock, duration_seconds=10, **OPTIONS)
    batches = []
    for step in [*steps, *[1.0] * 12]:
        clock.advance(step)
        while (batch := stream.poll(0)) is not None and batch.num_rows:
            assert batch["time"].cast(pa.int64()).to_numpy().max() <= clock.now_ns()
            batches.append(batch)
    assert rows_of(batches) == rows_of(list(draw(10, **OPTIONS).batches()))


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 9), max_size=9, unique=True))
def test_the_rows_do_not_depend_on_the_blocks_that_they_are_drawn_in(cuts: list[int]) -> None:
    params = SyntheticStream(**OPTIONS).params
    edges = [0, *sorted(cuts), 10]
    parts = [part for a, b in pairwise(edges) for part in draw_block(params, "synthetic", a, b - a).parts()]
    assert rows_of([part.batch for part in parts]) == rows_of(list(draw(10, **OPTIONS).batches()))


def test_tables_hold_the_rows_of_the_batches() -> None:
    stretch = draw(10, **OPTIONS)
    for name in ("requests", "samples"):
        batches = [batch for batch in stretch.batches() if table_of(batch) == name]
        assert stretch.table(name).to_pylist() == rows_of(batches)


def test_another_seed_is_another_stream() -> None:
    one, other = (draw(3, seed=seed).requests()["duration_seconds"].tolist() for seed in (1, 2))
    assert one != other


def test_a_flat_stream_is_as_its_parameters_say() -> None:
    requests = draw(60, rate_hz=50, shape=FLAT, error_ratio=0.01).requests()
    assert requests["time"].is_monotonic_increasing
    assert set(requests["origin"]) == {"traffic"}
    assert len(requests) == pytest.approx(60 * 50 * 3, rel=0.05)
    assert requests["duration_seconds"].median() == pytest.approx(0.05, rel=0.03)
    assert np.log(requests["duration_seconds"]).std() == pytest.approx(0.35, rel=0.03)
    assert np.mean(requests["status_code"] == 500) == pytest.approx(0.01, abs=0.004)
    assert requests["target"].value_counts(normalize=True).to_list() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_phases_methods_and_sizes_are_those_of_traffic() -> None:
    requests = draw(60, rate_hz=50).requests()
    phases = requests["wait_seconds"] + requests["transfer_seconds"]
    assert phases.to_numpy() == pytest.approx(requests["duration_seconds"].to_numpy())
    assert (requests["wait_seconds"] > 0).all() and (requests["transfer_seconds"] > 0).all()
    assert requests["method"].value_counts().index[0] == "GET"
    assert set(requests["method"]) == {"GET", "POST", "PUT", "DELETE"}
    assert requests["response_bytes"].quantile(0.95) > 4 * requests["response_bytes"].median()


def test_samples_come_after_the_requests_of_their_second() -> None:
    tables, last = [], START
    for batch in draw(5, **{**OPTIONS, "faults": ()}).batches():
        times = batch["time"].cast(pa.int64()).to_numpy()
        assert times.min() >= last
        last = times.max()
        tables.append(table_of(batch))
    assert tables == ["requests", "samples"] * 5


def test_no_batch_is_larger_than_5000_rows_and_an_unpaced_one_is_never_empty() -> None:
    gap = Fault(kind="gap", start_seconds=1, length_seconds=300)
    for stretch in (draw(4, rate_hz=9000), draw(310, rate_hz=1, faults=[gap])):
        rows = [batch.num_rows for batch in stretch.batches()]
        assert rows and min(rows) > 0 and max(rows) <= 5000


def test_a_fault_far_away_costs_and_changes_nothing() -> None:
    far = [Fault(kind="path_probe", start_seconds=1000 + i, length_seconds=1) for i in range(2000)]
    one, other = (draw(10, seed=2, hosts=1, faults=faults) for faults in ((), far))
    assert one.requests().equals(other.requests()) and one.samples().equals(other.samples())
    assert len(next(other.batches())["target"].dictionary) == 3


def test_memory_does_not_grow_with_the_stream() -> None:
    peaks = []
    for seconds in (20, 20, 200):
        tracemalloc.start()
        assert sum(batch.num_rows for batch in draw(seconds, rate_hz=500).batches())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.2 * peaks[1]


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    stretch = draw(30, seed=1, start_ns=START + 123_456_789, faults=FAULTS)
    stretch.write_labels(tmp_path / "made" / "labels.jsonl")
    read = read_labels(tmp_path / "made" / "labels.jsonl")
    pd.testing.assert_frame_equal(read.drop(columns="targets"), stretch.labels_frame())
    assert read["target"].tolist() == ["", "service-1", "", "", "service-0"]


def test_a_stream_that_was_cut_short_writes_what_it_reached(tmp_path: Path) -> None:
    stream = SyntheticStream(**{**OPTIONS, "hosts": 0}, duration_seconds=4)
    assert stream.begun_labels == []
    while stream.poll(0) is not None:
        pass
    expected = [msgspec.structs.replace(label, end_ns=min(label.end_ns, START + 4 * NS)) for label in stream.labels[:3]]
    assert stream.begun_labels == expected
    stream.write_labels(tmp_path / "labels.jsonl")
    assert read_labels(tmp_path / "labels.jsonl")["kind"].tolist() == [label.kind for label in expected]


def test_a_label_says_the_whole_span() -> None:
    label = FaultLabel(kind="latency_shift", target=None, start_ns=START + 3 * NS // 2, end_ns=START + 5 * NS // 2)
    assert SyntheticStream(**OPTIONS).labels[0] == label


def gap(**options: Any) -> Fault:
    return Fault(**{"kind": "gap", "start_seconds": 0, "length_seconds": 1, **options})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gap(kind="flood"), "kind: expected one of latency_shift, "),
        (lambda: gap(length_seconds=0), "length_seconds: expected a number > 0, got 0"),
        (lambda: gap(length_seconds=-1), "length_seconds: expected a number > 0, got -1"),
        (lambda: gap(length_seconds="5"), "length_seconds: expected a number from 0 to 3.2e+09, got '5'"),
        (lambda: gap(start_seconds=-1), "start_seconds: expected a number from 0 to 3.2e+09, got -1"),
        (lambda: gap(start_seconds=float("nan")), "start_seconds: expected a number from 0 to 3.2e+09, got nan"),
        (lambda: gap(kind="error_burst", size=2), "size of error_burst: expected a number from 0 to 1, got 2"),
        (lambda: gap(kind="latency_shift", size=-2), "size of latency_shift: expected a number >= 0, got -2"),
        (lambda: gap(kind="traffic_surge", size=0.5), "size of traffic_surge: expected a number from 1 to 10000"),
        (lambda: SyntheticStream(rate_hz=0), "rate_hz: expected a number > 0, got 0"),
        (
            lambda: SyntheticStream(rate_hz=1e9),
            "rate_hz of all targets: expected a number from 0 to 1e+07, got 3000",
        ),
        (lambda: SyntheticStream(sigma="x"), "sigma: expected a number > 0, got 'x'"),
        (lambda: SyntheticStream(seed=-1), "seed: expected a whole number >= 0, got -1"),
        (lambda: SyntheticStream(targets=0), "targets: expected at least one, got none"),
        (lambda: SyntheticStream(targets="shop"), "targets: expected names, or how many, got 'shop'"),
        (lambda: SyntheticStream(targets=["a", "a"]), "targets and hosts: expected each name once, got 'a'"),
        (lambda: SyntheticStream(hosts=-1), "hosts: expected a number from 0 to 10000, got -1"),
        (lambda: SyntheticStream(duration_seconds=-1), "duration_seconds: expected None or a number > 0, got -1"),
        (lambda: SyntheticStream(duration_seconds="x"), "duration_seconds: expected None or a number > 0, got 'x'"),
        (lambda: SyntheticStream(start_ns=1.5), "start_ns: expected whole nanoseconds since 1970, to 2100, got 1.5"),
        (lambda: SyntheticStream(shape="x"), "shape: expected a Shape, got 'x'"),
        (lambda: SyntheticStream(targets=None), "targets: expected names, or how many, got None"),
        (lambda: SyntheticStream(targets=["a", 2]), "targets and hosts: expected names, got 2"),
        (lambda: SyntheticStream(error_ratio=2), "error_ratio: expected a number from 0 to 1, got 2"),
        (
            lambda: SyntheticStream(faults=[gap(target="x")]),
            "faults[0].target: expected one of service-0, service-1, service-2, got 'x'",
        ),
        (
            lambda: SyntheticStream(hosts=1, faults=[gap(), gap(kind="cpu_spike", target="service-0")]),
            "faults[1].target: expected one of host-0, got 'service-0'",
        ),
        (
            lambda: SyntheticStream(faults=[gap(kind="memory_leak")]),
            "faults[0].kind: expected hosts=1 or more in the stream, got 'memory_leak'",
        ),
        (lambda: SyntheticStream(faults=["gap"]), "faults[0]: expected a Fault, got 'gap'"),
        (
            lambda: Shape(timezone="Mars/Base"),
            "timezone: expected an IANA zone such as Europe/Paris, got 'Mars/Base'",
        ),
        (lambda: Shape(timezone="../etc/passwd"), "timezone: expected an IANA zone"),
        (lambda: Shape(peak_hour=25), "peak_hour: expected a number from 0 to 24, got 25"),
        (lambda: Shape(regular_clients=10**9), "regular_clients: expected a number from 1 to 65536, got 1000000000"),
        (lambda: draw(0), "duration_seconds: expected None or a number > 0, got 0"),
        (lambda: draw(5, clock=ManualClock()), "options: expected those of SyntheticStream without clock, got 'clock'"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        make()
    assert message in str(raised.value) and "\n" not in str(raised.value)
