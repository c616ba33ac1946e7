"""Metrics of the host: processor, memory, disk and network, by psutil."""

from __future__ import annotations

import platform
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa

from aiops_nb.collect.cgroup import ControlGroups, MemoryLimit
from aiops_nb.core.clock import Clock, SystemClock
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import empty_batch, make_batch

Values = dict[str, float]
_NO_ROOT = Path("/nonexistent")
FEWEST_WORKED_RATIO = 0.1
_LOOPBACK = ("lo", "lo0", "Loopback Pseudo-Interface 1")


class HostMetrics:
    """Samples one host at a steady interval into `samples` rows whose target is the host's name.

    Metrics: `cpu_ratio`, `cpu_user_ratio`, `cpu_system_ratio`, `cpu_iowait_ratio` (Linux), `cpu_system_share_ratio`,
    `memory_ratio`, `memory_available_bytes`, `swap_ratio`, `disk_ratio`, `load_1m` (runnable tasks), and rates from
    counters: `network_receive_bytes_per_second`, `network_transmit_bytes_per_second` (without loopback),
    `disk_read_bytes_per_second`, `disk_write_bytes_per_second`, `swap_in_bytes_per_second`,
    `swap_out_bytes_per_second`. Ratios are 0 to 1 of the whole machine; `cpu_system_share_ratio` is what the kernel
    takes of the time that is worked, counted as a tenth of the machine at least: of an idle one it is small. Swapping
    has rates once something was swapped.

    In a container (a control group of Linux with a limit) `memory_ratio` is of the memory limit and
    `memory_available_bytes` what is left of it, where that is tighter than the machine; `cpu_ratio` is of the processor
    quota, where that is busier than the machine.

    What a platform lacks is left out. Shares and rates begin with the second sample; a counter that went back (a reset,
    an interface that was replaced) gives no rate for that interval.

    Parameters
    ----------
    interval_seconds
        The interval.
    clock
        Time stamps and the schedule.
    name
        The `source` of the rows.
    host_label
        The `target` of the rows; by default this machine's name.
    system
        The psutil module, or what looks like it.
    disk
        The file system that `disk_ratio` is of; by default the root.
    groups
        The control groups of this process; by default those of the machine, or none if `system` is given.

    Examples
    --------
    >>> host = HostMetrics(interval_seconds=1.0, host_label="web-1")
    >>> "memory_ratio" in host.poll(timeout_seconds=1.0)["metric"].to_pylist()
    True
    >>> host.close()
    """

    def __init__(
        self,
        *,
        interval_seconds: float,
        clock: Clock | None = None,
        name: str = "host",
        host_label: str | None = None,
        system: Any = psutil,
        disk: str | None = None,
        groups: ControlGroups | None = None,
    ) -> None:
        if not interval_seconds > 0:
            raise ConfigError.at("interval_seconds", "a number > 0", interval_seconds)
        self.name = name
        self._interval_seconds = interval_seconds
        self._clock = clock or SystemClock()
        self._host = host_label or platform.node() or "localhost"
        self._system = system
        self._disk = disk or Path.cwd().anchor
        self._groups = groups or (ControlGroups() if system is psutil else ControlGroups(_NO_ROOT))
        self._closing = threading.Event()
        self._due_seconds = self._clock.monotonic_seconds()
        self._before: _Counters | None = None

    @property
    def own_host_label(self) -> str:
        """The `target` of the rows: the machine that the monitor runs on."""
        return self._host

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """Wait for the next sample; None after `close`."""
        wait_seconds = self._due_seconds - self._clock.monotonic_seconds()
        if self._closing.wait(max(0.0, min(wait_seconds, timeout_seconds))):
            return None
        if self._clock.monotonic_seconds() < self._due_seconds:
            return empty_batch("samples")
        self._plan_next()
        return self._batch(self.sample())

    def close(self) -> None:
        """End a waiting `poll`."""
        self._closing.set()

    def sample(self) -> Values:
        """Every metric that can be read now.

        Returns
        -------
        dict
            Value by metric, in the metric's unit.
        """
        counters = _Counters(self._system, self._groups, self._clock.monotonic_seconds())
        values = _levels(self._system, self._disk)
        if self._before is not None:
            values |= counters.since(self._before)
        self._before = counters
        return _within_limit(values, self._groups.memory())

    def _plan_next(self) -> None:
        now = self._clock.monotonic_seconds()
        passed = (now - self._due_seconds) // self._interval_seconds
        self._due_seconds += (passed + 1) * self._interval_seconds

    def _batch(self, values: Values) -> pa.RecordBatch:
        columns = {"time": [self._clock.now_ns()] * len(values), "target": self._host}
        return make_batch(
            "samples", self.name, {**columns, "metric": list(values), "value": [float(v) for v in values.values()]}
        )


class _Counters:
    """What only ever rises, at one moment: processor seconds by kind, and bytes by metric and device."""

    def __init__(self, system: Any, groups: ControlGroups, now_seconds: float) -> None:
        self._now_seconds = now_seconds
        self._quota = groups.cpu()
        self._cpu_seconds = _read(lambda: system.cpu_times()._asdict())
        networks = _read(lambda: system.net_io_counters(pernic=True))
        disks = {"all": disk} if (disk := _read_one(lambda: system.disk_io_counters())) else {}
        # psutil says 0 where it does not know
        swap = (
            {"all": memory} if (memory := _read_one(lambda: system.swap_memory())) and memory.sin + memory.sout else {}
        )
        self._bytes = {
            "network_receive": _field(networks, "bytes_recv"),
            "network_transmit": _field(networks, "bytes_sent"),
            "disk_read": _field(disks, "read_bytes"),
            "disk_write": _field(disks, "write_bytes"),
            "swap_in": _field(swap, "sin"),
            "swap_out": _field(swap, "sout"),
        }

    def since(self, before: _Counters) -> Values:
        seconds = self._now_seconds - before._now_seconds
        values = _cpu_shares(self._cpu_seconds, before._cpu_seconds)
        if (of_quota := self._of_quota(before, seconds)) is not None:
            values["cpu_ratio"] = max(of_quota, values.get("cpu_ratio", 0.0))
        for metric, after in self._bytes.items():
            rise = _rise(after, before._bytes[metric])
            if rise is not None and seconds > 0:
                values[f"{metric}_bytes_per_second"] = rise / seconds
        return values

    def _of_quota(self, before: _Counters, seconds: float) -> float | None:
        """The share of the processor quota that was used since, 0 to 1; None without a quota."""
        if self._quota is None or before._quota is None or seconds <= 0:
            return None
        used_seconds = self._quota.used_seconds - before._quota.used_seconds
        return min(1.0, used_seconds / seconds / self._quota.processors) if used_seconds >= 0 else None


def _within_limit(values: Values, limit: MemoryLimit | None) -> Values:
    """The memory of the machine, or of the control group where that is tighter."""
    if limit is None:
        return values
    ratio = max(limit.ratio, values.get("memory_ratio", 0.0))
    available_bytes = min(float(limit.available_bytes), values.get("memory_available_bytes", float("inf")))
    return {**values, "memory_ratio": ratio, "memory_available_bytes": available_bytes}


def _field(devices: Mapping[str, Any], field: str) -> Values:
    return {n: getattr(d, field) for n, d in devices.items() if n not in _LOOPBACK and hasattr(d, field)}


def _rise(after: Values, before: Values) -> float | None:
    rises = [value - before[device] for device, value in after.items() if device in before]
    return sum(rises) if rises and min(rises) >= 0 else None


def _cpu_shares(after: Mapping[str, float], before: Mapping[str, float]) -> Values:
    # guest time is contained in user time
    spent = {kind: after[kind] - before.get(kind, 0.0) for kind in after if not kind.startswith("guest")}
    total = sum(spent.values())
    if total <= 0 or min(spent.values()) < 0:
        return {}
    idle = spent.get("idle", 0.0) + spent.get("iowait", 0.0)
    shares = {"cpu_ratio": (total - idle) / total}
    shares |= {f"cpu_{kind}_ratio": spent[kind] / total for kind in ("user", "system", "iowait") if kind in spent}
    if "system" in spent:
        shares["cpu_system_share_ratio"] = spent["system"] / max(total - idle, FEWEST_WORKED_RATIO * total)
    return shares


def _levels(system: Any, disk: str) -> Values:
    readers: dict[str, Callable[[], float]] = {
        "memory_ratio": lambda: system.virtual_memory().percent / 100,
        "memory_available_bytes": lambda: system.virtual_memory().available,
        "swap_ratio": lambda: system.swap_memory().percent / 100,
        "disk_ratio": lambda: system.disk_usage(disk).percent / 100,
        "load_1m": lambda: system.getloadavg()[0],
    }
    values = {metric: _read_one(reader) for metric, reader in readers.items()}
    return {metric: float(value) for metric, value in values.items() if value is not None}


def _read(reader: Callable[[], Any]) -> Mapping[str, Any]:
    return _read_one(reader) or {}


def _read_one(reader: Callable[[], Any]) -> Any:
    """What psutil says, or None: a platform, container or permission that lacks one metric must not cost the others."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # psutil warns of a kernel that hides a field
            return reader()
    except Exception:
        return None
