"""Processor and memory of the hosts that the services run on, and what faults do to them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aiops_nb.collect.synthetic.faults import FLOODS, Fault, FaultKind, span_ns
from aiops_nb.collect.synthetic.params import Active, TrafficParams
from aiops_nb.collect.synthetic.rhythm import HOST_STREAM, wander
from aiops_nb.collect.synthetic.rows import weights
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray

METRICS = ("cpu_ratio", "cpu_user_ratio", "cpu_system_ratio", "memory_ratio", "memory_available_bytes")
_NOISE_STREAM, _MACHINE_STREAM = 3, 6
_GIB = 1 << 30
_STEADY_REQUESTS = 20.0  # a load counted from few requests is mostly chance, so so many of the expected are mixed in


class Hosts:
    """The hosts of a stream at the end of each of some seconds.

    Parameters
    ----------
    params, active
        The stream, and the faults that may touch these seconds.
    seconds
        Since its start, (seconds,).
    """

    def __init__(self, params: TrafficParams, active: Active, seconds: IntArray) -> None:
        self._params, self._seconds = params, seconds
        self._faults = [fault for _, fault in active]
        ends = params.start_ns + (seconds + 1) * NS_PER_SECOND
        self.ends_ns: IntArray = np.repeat(ends[:, None], len(params.hosts), axis=1)

    def values(self, load: FloatArray, counts: IntArray) -> FloatArray:
        """All metrics, (seconds, hosts, metrics).

        `load` is the rhythm, (seconds,); `counts` are the ordinary requests that were drawn, (seconds, targets).
        """
        params, count = self._params, len(self._params.hosts)
        busy = _busy(params, load, counts) * self._fault_load()[:, None]
        slow = wander(params.seed, HOST_STREAM, params.start_ns // NS_PER_SECOND + self._seconds, 2 * count)
        noise = np.array([_noise(params, second) for second in self._seconds.tolist()])
        idle, slope, memory, total_bytes = _machines(params.seed, count)
        cpu = np.clip(idle + slope * busy + 0.015 * slow[:, ::2] + 0.01 * noise[..., 0], 0.005, 0.97)
        cpu = self._faulty_cpu(cpu, noise[..., 1])
        used = memory + 0.05 * (busy - 1) + 0.01 * slow[:, 1::2] + 0.001 * noise[..., 2]
        used = np.clip(used + self._leaked(), 0.02, 0.995)
        system = np.clip(0.25 + 0.02 * noise[..., 3], 0.05, 0.6)
        return np.stack([cpu, cpu * (1 - system), cpu * system, used, np.floor(total_bytes * (1 - used))], axis=-1)

    def taken(self) -> BoolArray:
        """Which samples there are, (seconds, hosts): all but those in a gap."""
        there = np.ones(self.ends_ns.shape, np.bool_)
        for fault in self._of_kind("gap"):
            there &= ~self._hit(fault)
        return there

    def stamps_ns(self) -> IntArray:
        """When the samples say that they were taken, (seconds, hosts)."""
        stamps = self.ends_ns.copy()
        for fault in self._of_kind("clock_step"):
            stamps[self._hit(fault)] += round(fault.size_or_default * NS_PER_SECOND)
        return stamps

    def _of_kind(self, kind: FaultKind) -> list[Fault]:
        return [fault for fault in self._faults if fault.kind == kind]

    def _hit(self, fault: Fault) -> BoolArray:
        start, end = span_ns(fault, self._params.start_ns)
        of_it = np.array([fault.target in (None, host) for host in self._params.hosts], np.bool_)
        hit: BoolArray = (self.ends_ns >= start) & (self.ends_ns < end) & of_it
        return hit

    def _fault_load(self) -> FloatArray:
        """By what faults of everything multiply the load in each second, (seconds,).

        A fault of one service leaves the hosts alone, so that its label says all that it changes.
        """
        load = np.ones(len(self._seconds))
        for fault in self._faults:
            if fault.target is None and not fault.traits.needs_target:
                load *= 1 + (_load_factor(self._params, fault) - 1) * self._covered(fault)
        return load

    def _covered(self, fault: Fault) -> FloatArray:
        """Share of each second that the fault covers, (seconds,)."""
        start, end = (ns - self._params.start_ns for ns in span_ns(fault, self._params.start_ns))
        begun = self._seconds * NS_PER_SECOND
        covered: FloatArray = np.clip(np.minimum(begun + NS_PER_SECOND, end) - np.maximum(begun, start), 0, None)
        return covered / NS_PER_SECOND

    def _faulty_cpu(self, cpu: FloatArray, noise: FloatArray) -> FloatArray:
        for fault in self._of_kind("cpu_spike"):
            cpu = np.where(self._hit(fault), np.minimum(cpu + fault.size_or_default, 1.0), cpu)
        for fault in self._of_kind("cpu_saturation"):
            full = fault.size_or_default - 0.005 * np.minimum(np.abs(noise), 3)
            cpu = np.where(self._hit(fault), np.maximum(cpu, full), cpu)
        return cpu

    def _leaked(self) -> FloatArray:
        leaked = np.zeros(self.ends_ns.shape)
        for fault in self._of_kind("memory_leak"):
            start, end = span_ns(fault, self._params.start_ns)
            grown = fault.size_or_default * (self.ends_ns - start) / (end - start)
            leaked += np.where(self._hit(fault), grown, 0.0)
        return leaked


def _busy(params: TrafficParams, load: FloatArray, counts: IntArray) -> FloatArray:
    """Load of each host by its weekly mean, (seconds, hosts): the services take turns on them."""
    host = np.arange(len(params.targets)) % len(params.hosts)
    runs = (host[:, None] == np.arange(len(params.hosts))).astype(np.float64)
    expected = params.rate_hz * len(params.targets) * weights(params) @ runs
    busy: FloatArray = (counts @ runs + _STEADY_REQUESTS * load[:, None]) / (expected + _STEADY_REQUESTS)
    return busy


def _noise(params: TrafficParams, second: int) -> FloatArray:
    return np.random.default_rng((params.seed, _NOISE_STREAM, second)).standard_normal((len(params.hosts), 4))


@lru_cache(maxsize=16)
def _machines(seed: int, hosts: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Idle processor, processor by load, memory, and bytes of memory of each host."""
    rng = np.random.default_rng((seed, _MACHINE_STREAM, hosts))
    sizes = rng.choice(np.array([8.0, 16.0, 32.0]), hosts) * _GIB
    return rng.uniform(0.03, 0.08, hosts), rng.uniform(0.18, 0.3, hosts), rng.uniform(0.35, 0.55, hosts), sizes


def _load_factor(params: TrafficParams, fault: Fault) -> float:
    if fault.kind == "traffic_surge":
        return fault.size_or_default
    if fault.kind == "traffic_drop":
        return 1 - fault.size_or_default
    if fault.kind == "outage":
        return 0.0
    if fault.kind in FLOODS:
        return 1 + fault.size_or_default / (params.rate_hz * len(params.targets))
    return 1.0
