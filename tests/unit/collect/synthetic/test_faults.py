"""Every kind of fault changes the rows that its label names, as it says, and no others."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from aiops_nb.collect.synthetic import KINDS, Fault, FaultKind, SyntheticStream
from aiops_nb.collect.synthetic.effects import PROBED_PATHS
from tests.unit.collect.synthetic.rows import PLAIN, START_NS, drawn, inside, pivoted

CALM_REQUESTS, CALM_SAMPLES = drawn()
ADDING = ("traffic_surge", "single_ip_flood", "endpoint_attack", "path_probe", "distributed_flood")
TARGETS = {"service": "service-1", "host": "host-1", "either": "service-1"}


def fault(kind: FaultKind, **options: object) -> Fault:
    return Fault(kind=kind, **{"start_seconds": 20.5, "length_seconds": 12.0, **options})  # type: ignore[arg-type]


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return one.reset_index(drop=True).equals(other.reset_index(drop=True))


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_a_kind_changes_the_rows_of_its_label_and_no_others(kind: FaultKind) -> None:
    it = fault(kind, target=TARGETS[KINDS[kind].suffers])
    requests, samples = drawn(it)
    (label,) = SyntheticStream(faults=[it], **PLAIN).labels
    assert (label.kind, label.target) == (kind, it.target)
    changed = 0
    for calm, faulty in ((CALM_REQUESTS, requests), (CALM_SAMPLES, samples)):
        outside = [
            frame[~(_labelled(frame, label.start_ns, label.end_ns) & _of(frame, it.target))] for frame in (calm, faulty)
        ]
        assert same(*outside)
        changed += not same(calm, faulty)
    assert changed == 1


def _labelled(frame: pd.DataFrame, start_ns: int, end_ns: int) -> pd.Series:
    times = frame["time"].astype("int64")
    return (times >= start_ns) & (times < end_ns)


def _of(frame: pd.DataFrame, target: str | None) -> pd.Series:
    return (frame["target"] == target) | frame["target"].str.startswith(f"{target}/")


@pytest.mark.parametrize("kind", ["latency_shift", "latency_spike", "latency_drift"])
def test_latency_is_multiplied(kind: FaultKind) -> None:
    it = fault(kind, size=5)
    requests, _ = drawn(it)
    progress = (requests["at"] - it.start_seconds) / it.length_seconds
    height = {"latency_shift": 1.0, "latency_spike": 1 - (2 * progress - 1).abs(), "latency_drift": progress}[kind]
    expected = np.where(inside(requests, it), 1 + 4 * height, 1.0)
    ratio = requests["duration_seconds"] / CALM_REQUESTS["duration_seconds"]
    assert ratio.to_numpy() == pytest.approx(expected, rel=1e-6)


def test_an_error_burst_fails_its_share() -> None:
    it = fault("error_burst", size=0.4)
    requests, _ = drawn(it)
    assert np.mean(requests.loc[inside(requests, it), "status_code"] == 500) == pytest.approx(0.4, abs=0.03)


def test_an_outage_refuses_connections() -> None:
    it = fault("outage", target="service-0")
    requests, _ = drawn(it)
    hit = requests[inside(requests, it, "service-0")]
    assert hit["error_type"].unique().tolist() == ["connect"]
    assert hit["error_detail"].unique().tolist() == ["connection refused"]
    assert requests["error_detail"].count() == len(hit)
    assert hit[["status_code", "response_bytes", "wait_seconds", "transfer_seconds"]].isna().all(axis=None)


def test_flapping_is_down_for_every_other_half_period() -> None:
    it = fault("flapping", size=4)
    requests, _ = drawn(it)
    down = inside(requests, it) & ((requests["at"] - it.start_seconds) % 4 < 2)
    assert (requests["status_code"] == np.where(down, 503, 200)).all()


@pytest.mark.parametrize(("kind", "size", "factor"), [("traffic_surge", 4, 4.0), ("traffic_drop", 0.7, 0.3)])
def test_traffic_is_multiplied(kind: FaultKind, size: float, factor: float) -> None:
    it = fault(kind, size=size)
    requests, _ = drawn(it)
    assert inside(requests, it).sum() / inside(CALM_REQUESTS, it).sum() == pytest.approx(factor, rel=0.05)


def added(it: Fault) -> pd.DataFrame:
    """The rows that are there because of the fault."""
    requests, _ = drawn(it)
    keys = ["time", "target", "client_ip"]
    marked = requests.merge(CALM_REQUESTS[keys], on=keys, how="left", indicator=True)
    return marked[marked["_merge"] == "left_only"]


def test_a_single_ip_floods_all_that_is_popular() -> None:
    more = added(fault("single_ip_flood", size=150))
    assert len(more) == pytest.approx(150 * 12, rel=0.1)
    assert more["client_ip"].nunique() == 1
    assert set(more["target"]) == {"service-0", "service-1", "service-2"}


def test_an_endpoint_attack_is_one_client_on_one_endpoint() -> None:
    more = added(fault("endpoint_attack"))
    assert len(more) == pytest.approx(KINDS["endpoint_attack"].size * 12, rel=0.15)
    assert {*zip(more["target"], more["method"], more["status_code"], strict=True)} == {("service-0", "POST", 401)}
    assert more["client_ip"].nunique() == 1


def test_a_path_probe_tries_many_paths_below_one_endpoint() -> None:
    more = added(fault("path_probe", target="service-2", size=60))
    assert more["target"].str.startswith("service-2/path-").all()
    assert more["target"].nunique() == PROBED_PATHS
    assert set(more["status_code"]) == {404} and more["client_ip"].nunique() == 1


def test_a_distributed_flood_comes_from_many_new_addresses() -> None:
    more = added(fault("distributed_flood", size=500))
    assert len(more) == pytest.approx(500 * 12, rel=0.1)
    assert not set(more["client_ip"]) & set(CALM_REQUESTS["client_ip"])
    assert more["client_ip"].nunique() > 2000
    assert more["client_ip"].value_counts().max() < 12


def test_floods_of_one_stream_have_clients_of_their_own() -> None:
    faults = [fault("single_ip_flood"), fault("distributed_flood"), fault("endpoint_attack")]
    requests, _ = drawn(*faults)
    counts = requests.loc[requests["client_ip"].str.startswith("198.18."), "client_ip"].value_counts()
    assert (counts > 300).sum() == 2


@pytest.mark.parametrize("kind", ["cpu_spike", "cpu_saturation", "memory_leak"])
def test_a_fault_of_a_host_raises_what_it_says(kind: FaultKind) -> None:
    it = fault(kind, target="host-0")
    faulty, calm = (pivoted(samples) for samples in (drawn(it)[1], CALM_SAMPLES))
    hit = inside(faulty, it, "host-0")
    cpu, memory = ((faulty[name] - calm[name])[hit].to_numpy() for name in ("cpu_ratio", "memory_ratio"))
    if kind == "cpu_spike":
        assert cpu == pytest.approx(0.5)
    elif kind == "cpu_saturation":
        assert faulty.loc[hit, "cpu_ratio"].between(0.98, 1.0).all()
    else:
        assert (np.diff(memory) > 0).all() and memory[-1] == pytest.approx(0.4, abs=0.04)
        assert (faulty.loc[hit, "memory_available_bytes"] < calm.loc[hit, "memory_available_bytes"]).all()


def test_a_gap_of_everything_silences_services_and_hosts() -> None:
    it = fault("gap")
    assert [inside(frame, it).sum() for frame in drawn(it)] == [0, 0]
    requests, samples = drawn(fault("gap", target="host-0"))
    assert same(requests, CALM_REQUESTS)
    assert [inside(samples, it, host).sum() for host in ("host-0", "host-1")] == [0, 12 * 5]


@pytest.mark.parametrize("size", [30.0, -8.0])
def test_a_clock_step_changes_stamps_and_not_what_arrives(size: float) -> None:
    it = fault("clock_step", size=size)
    for calm, faulty in zip((CALM_REQUESTS, CALM_SAMPLES), drawn(it), strict=True):
        expected = calm["at"] + np.where(inside(calm, it), size, 0.0)
        assert faulty["at"].to_numpy() == pytest.approx(expected.to_numpy())
        assert same(faulty.drop(columns=["time", "at"]), calm.drop(columns=["time", "at"]))
    (label,) = SyntheticStream(faults=[it], start_ns=START_NS).labels
    covered = (label.start_ns - START_NS) / 1e9, (label.end_ns - START_NS) / 1e9
    assert covered == ((20.5, 62.5) if size > 0 else (12.5, 32.5))


def test_a_fault_of_everything_shows_on_the_hosts_as_well() -> None:
    surge = fault("traffic_surge", size=3)
    busy, calm = (pivoted(samples) for samples in (drawn(surge)[1], CALM_SAMPLES))
    hit = inside(busy, surge) & (busy["at"] > 22)
    assert (busy.loc[hit, "cpu_ratio"] > calm.loc[hit, "cpu_ratio"] + 0.2).all()


def test_faults_may_overlap() -> None:
    both = fault("outage", target="service-0"), fault("error_burst", size=1.0)
    for faults in (both, both[::-1]):
        requests, _ = drawn(*faults)
        hit = requests[inside(requests, both[0])]
        assert hit.loc[hit["target"] == "service-0", "status_code"].isna().all()
        assert set(hit.loc[hit["target"] != "service-0", "status_code"]) == {500}
