"""The synthetic stream: the same rows however it is polled, and faults where they were told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.collect.synthetic import SyntheticStream
from aiops_nb.collect.synthetic_traffic import Fault
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError

NS = 1_000_000_000
START = 1_780_000_000 * NS
FAULTS = (
    Fault(kind="latency_shift", start_seconds=1.5, length_seconds=1, size=5),
    Fault(kind="traffic_surge", start_seconds=3, length_seconds=1, size=4, target="service-1"),
    Fault(kind="gap", start_seconds=5, length_seconds=2),
)


def everything(**options: Any) -> pa.Table:
    stream = SyntheticStream(start_ns=START, **options)
    return pa.Table.from_batches(list(iter(lambda: stream.poll(0), None))).combine_chunks()


def plain(table: pa.Table) -> list[dict[str, Any]]:
    return table.to_pylist()


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(st.floats(0.01, 3.0), min_size=1, max_size=30))
def test_the_rows_do_not_depend_on_the_polls(steps: list[float]) -> None:
    clock = ManualClock(start_ns=START)
    options: dict[str, Any] = {"seed": 5, "rate_hz": 20, "duration_seconds": 9, "faults": FAULTS}
    stream = SyntheticStream(clock=clock, **options)
    batches = []
    for step in [*steps, *[1.0] * 12]:
        clock.advance(step)
        while (batch := stream.poll(0)) is not None and batch.num_rows:
            assert batch["time"].cast(pa.int64()).to_numpy().max() <= clock.now_ns()
            batches.append(batch)
    assert plain(pa.Table.from_batches(batches)) == plain(everything(**options))


def test_another_seed_is_another_stream() -> None:
    one, other = (everything(seed=seed, duration_seconds=3)["duration_seconds"].to_pylist() for seed in (1, 2))
    assert one != other


def test_rows_are_traffic_in_order_of_time() -> None:
    table = everything(duration_seconds=20, rate_hz=50)
    times = table["time"].cast(pa.int64()).to_numpy()
    assert (np.diff(times) >= 0).all()
    assert table["origin"].unique().to_pylist() == ["traffic"]
    assert 0.8 * 3000 < table.num_rows < 1.2 * 3000
    assert abs(pc.approximate_median(table["duration_seconds"]).as_py() - 0.05) < 0.01


def split(table: pa.Table, start_seconds: float, end_seconds: float) -> tuple[pa.Table, pa.Table]:
    times = table["time"].cast(pa.int64()).to_numpy()
    inside = (times >= START + start_seconds * NS) & (times < START + end_seconds * NS)
    return table.filter(inside), table.filter(~inside)


def test_a_latency_shift_is_where_its_label_says() -> None:
    fault = Fault(kind="latency_shift", start_seconds=2.5, length_seconds=2, size=5)
    calm, shifted = (everything(duration_seconds=8, faults=faults, rate_hz=40) for faults in ((), (fault,)))
    ratio = shifted["duration_seconds"].to_numpy() / calm["duration_seconds"].to_numpy()
    times = shifted["time"].cast(pa.int64()).to_numpy()
    label = SyntheticStream(start_ns=START, faults=(fault,)).labels[0]
    assert ratio == pytest.approx(np.where((times >= label.start_ns) & (times < label.end_ns), 5.0, 1.0))


def test_an_outage_refuses_and_spares_other_targets() -> None:
    fault = Fault(kind="outage", start_seconds=2, length_seconds=2, target="service-0")
    inside, outside = split(everything(duration_seconds=6, rate_hz=40, faults=(fault,)), 2, 4)
    hit = [row for row in plain(inside) if row["target"] == "service-0"]
    assert {(row["error_type"], row["status_code"], row["response_bytes"]) for row in hit} == {("connect", None, None)}
    spared = [row for row in plain(inside) if row["target"] != "service-0"] + plain(outside)
    assert {row["error_type"] for row in spared} == {None}


def test_an_error_burst_fails_about_its_share() -> None:
    fault = Fault(kind="error_burst", start_seconds=2, length_seconds=4, size=0.5)
    inside, outside = split(everything(duration_seconds=8, rate_hz=100, faults=(fault,), error_ratio=0), 2, 6)
    assert 0.4 < np.mean(inside["status_code"].to_numpy() == 500) < 0.6
    assert set(outside["status_code"].to_pylist()) == {200}


def test_a_surge_multiplies_and_a_gap_silences() -> None:
    surge = Fault(kind="traffic_surge", start_seconds=2, length_seconds=2, size=4)
    gap = Fault(kind="gap", start_seconds=5, length_seconds=1)
    table = everything(duration_seconds=8, rate_hz=100, faults=(surge, gap))
    assert 3 < split(table, 2, 4)[0].num_rows / split(table, 0, 2)[0].num_rows < 5
    assert split(table, 5, 6)[0].num_rows == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fault(kind="flood", start_seconds=0, length_seconds=1), "kind: expected one of latency_shift"),
        (lambda: Fault(kind="gap", start_seconds=0, length_seconds=0), "fault: expected start_seconds >= 0"),
        (lambda: SyntheticStream(rate_hz=0), "rate_hz: expected a number > 0"),
        (lambda: SyntheticStream(targets=0), "targets: expected at least one"),
        (
            lambda: SyntheticStream(faults=[Fault(kind="gap", start_seconds=0, length_seconds=1, target="x")]),
            "faults[0].target: expected one of service-0, service-1, service-2",
        ),
    ],
)
def test_parameters_are_checked(make: Any, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        make()
    assert message in str(raised.value)
