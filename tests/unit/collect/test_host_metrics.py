"""Host metrics from given counters, and from this machine."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from aiops_nb.collect.host_metrics import HostMetrics
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError

Cpu = namedtuple("Cpu", "user system idle iowait guest")
MacCpu = namedtuple("MacCpu", "user nice system idle")
Network = namedtuple("Network", "bytes_recv bytes_sent")
Disk = namedtuple("Disk", "read_bytes write_bytes")
Swap = namedtuple("Swap", "percent sin sout")


class Machine:
    """What psutil would say, as a test wants it."""

    def __init__(self) -> None:
        self.cpu: Any = Cpu(10.0, 5.0, 100.0, 1.0, 9.0)
        self.network = {"eth0": Network(1000, 500), "lo": Network(10**9, 10**9)}
        self.disk: Disk | None = Disk(100, 200)
        self.swap: Swap | None = None

    def cpu_times(self) -> Any:
        return self.cpu

    def net_io_counters(self, pernic: bool) -> dict[str, Network]:
        assert pernic
        return self.network

    def disk_io_counters(self) -> Disk | None:
        return self.disk

    def virtual_memory(self) -> Any:
        return SimpleNamespace(percent=25.0, available=3_000)

    def swap_memory(self) -> Any:
        if self.swap is None:
            raise RuntimeError("no swap here")
        return self.swap

    def disk_usage(self, path: str) -> Any:
        raise PermissionError(path)


def two_samples(machine: Machine, change: dict[str, Any]) -> dict[str, float]:
    """Metrics two seconds after the first sample and a change."""
    clock = ManualClock()
    host = HostMetrics(interval_seconds=2.0, clock=clock, host_label="h", system=machine)
    host.poll(0)
    for name, value in change.items():
        setattr(machine, name, value)
    clock.advance(2.0)
    batch = host.poll(0)
    assert batch is not None
    assert set(batch["time"].cast("int64").to_pylist()) == {clock.now_ns()}
    assert set(batch["target"].to_pylist()) == {"h"}
    return dict(zip(batch["metric"].to_pylist(), batch["value"].to_pylist(), strict=True))


def test_shares_and_rates_come_from_differences() -> None:
    change = {
        "cpu": Cpu(11.0, 5.5, 102.0, 1.5, 9.9),
        "network": {"eth0": Network(3000, 600), "lo": Network(2 * 10**9, 2 * 10**9)},
        "disk": Disk(100, 1200),
    }
    assert two_samples(Machine(), change) == pytest.approx(
        {
            "memory_ratio": 0.25,
            "memory_available_bytes": 3000,
            "cpu_ratio": 1.5 / 4,
            "cpu_user_ratio": 1.0 / 4,
            "cpu_system_ratio": 0.5 / 4,
            "cpu_iowait_ratio": 0.5 / 4,
            "cpu_system_share_ratio": 0.5 / 1.5,
            "network_receive_bytes_per_second": 1000,
            "network_transmit_bytes_per_second": 50,
            "disk_read_bytes_per_second": 0,
            "disk_write_bytes_per_second": 500,
        }
    )


@pytest.mark.parametrize(
    ("user", "system", "share"), [(6.0, 2.0, 0.25), (0.0, 2.0, 1.0), (0.5, 0.5, 0.5), (0.1, 0.2, 0.2)]
)
def test_the_share_of_the_kernel_is_of_a_tenth_of_the_machine_at_least(
    user: float, system: float, share: float
) -> None:
    spent = {"cpu": Cpu(10.0 + user, 5.0 + system, 100.0 + 10.0 - user - system, 1.0, 9.0)}
    assert two_samples(Machine(), spent)["cpu_system_share_ratio"] == pytest.approx(share)


def test_swapping_has_a_rate_once_there_was_any() -> None:
    machine = Machine()
    machine.swap = Swap(5.0, 0, 0)
    assert "swap_in_bytes_per_second" not in two_samples(machine, {"swap": Swap(5.0, 0, 4096)})
    metrics = two_samples(machine, {"swap": Swap(6.0, 8192, 4096)})
    assert (metrics["swap_in_bytes_per_second"], metrics["swap_out_bytes_per_second"]) == (4096, 0)


def test_a_counter_that_went_back_gives_no_rate_and_recovers() -> None:
    machine = Machine()
    metrics = two_samples(machine, {"network": {"eth0": Network(5, 600)}, "cpu": Cpu(0.0, 0.0, 1.0, 0.0, 0.0)})
    assert "network_receive_bytes_per_second" not in metrics and "cpu_ratio" not in metrics
    assert metrics["network_transmit_bytes_per_second"] == 50
    assert two_samples(machine, {"network": {"eth0": Network(25, 600)}})["network_receive_bytes_per_second"] == 10


def test_an_interface_that_comes_or_goes_is_no_traffic() -> None:
    metrics = two_samples(Machine(), {"network": {"eth0": Network(1200, 500), "eth1": Network(10**12, 10**12)}})
    assert metrics["network_receive_bytes_per_second"] == 100
    assert "network_receive_bytes_per_second" not in two_samples(Machine(), {"network": {"eth1": Network(1, 1)}})


def test_a_platform_without_a_metric_gives_the_others() -> None:
    machine = Machine()
    machine.cpu, machine.disk = MacCpu(1.0, 0.0, 1.0, 2.0), None
    metrics = two_samples(machine, {"cpu": MacCpu(2.0, 0.0, 1.0, 3.0)})
    assert metrics["cpu_ratio"] == 0.5 and "cpu_iowait_ratio" not in metrics
    assert not {"swap_ratio", "disk_ratio", "load_1m", "disk_read_bytes_per_second"} & metrics.keys()


def test_a_system_that_offers_nothing_gives_no_rows() -> None:
    host = HostMetrics(interval_seconds=1.0, clock=ManualClock(), system=object())
    batch = host.poll(0)
    assert batch is not None and batch.num_rows == 0


def test_samples_keep_their_rhythm_and_skip_what_was_missed() -> None:
    clock = ManualClock(start_ns=0)
    host = HostMetrics(interval_seconds=1.0, clock=clock, system=Machine())
    sampled = []
    for advance in (0.0, 0.4, 0.7, 5.0, 0.8, 0.1):
        clock.advance(advance)
        batch = host.poll(0)
        assert batch is not None
        sampled.append(batch.num_rows > 0)
    assert sampled == [True, False, True, True, False, True]


def test_this_machine_has_the_basic_metrics_in_range() -> None:
    host = HostMetrics(interval_seconds=0.2, system=psutil)
    host.sample()
    while True:
        metrics = host.sample()
        if "cpu_ratio" in metrics:  # ticks of the processor's clock are needed
            break
    assert {"memory_ratio", "memory_available_bytes", "cpu_user_ratio", "disk_ratio"} <= metrics.keys()
    assert all(0 <= value <= 1 for metric, value in metrics.items() if metric.endswith("_ratio"))


def test_an_interval_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="interval_seconds: expected a number > 0, got 0"):
        HostMetrics(interval_seconds=0)
