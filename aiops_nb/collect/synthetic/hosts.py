"""Processor and memory of the hosts that the services run on, and what faults do to them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aiops_nb.collect.synthetic.faults import Fault, span_ns
from aiops_nb.collect.synthetic.kinds import FLOODS
from aiops_nb.collect.synthetic.params import TrafficParams
from aiops_nb.collect.synthetic.rhythm import HOST_STREAM, wander
from aiops_nb.collect.synthetic.rows import weights
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray

METRICS = ("cpu_ratio", "cpu_user_ratio", "cpu_system_ratio", "memory_ratio", "memory_available_bytes")
_NOISE_STREAM, _MACHINE_STREAM = 3, 6
_GIB = 1 << 30
_STEADY_REQUESTS = 20.0  # a load counted from few requests is mostly chance, so so many of the expected are mixed in


def host_values(
    params: TrafficParams, seconds: IntArray, load: FloatArray, counts: IntArray, fault_load: FloatArray
) -> FloatArray:
    """All metrics at the end of each second, (seconds, hosts, metrics).

    Parameters
    ----------
    params
        The stream.
    seconds
        Since its start, (seconds,).
    load, counts
        The rhythm (seconds,), and the ordinary requests (seconds, targets) that were drawn.
    fault_load
        By what faults of everything multiply the load, (seconds,).
    """
    busy = _busy(params, load, counts) * fault_load[:, None]
    slow = wander(params.seed, HOST_STREAM, params.start_ns // NS_PER_SECOND + seconds, 2 * len(params.hosts))
    noise = np.array([_noise(params, second) for second in seconds.tolist()])
    idle, slope, memory, total_bytes = _machines(params.seed, len(params.hosts))
    cpu = idle + slope * busy + 0.015 * slow[:, ::2] + 0.01 * noise[..., 0]
    cpu = _faulty_cpu(params, seconds, np.clip(cpu, 0.005, 0.97), noise[..., 1])
    used = memory + 0.05 * (busy - 1) + 0.01 * slow[:, 1::2] + 0.001 * noise[..., 2]
    used = np.clip(used + _leaked(params, seconds), 0.02, 0.995)
    system = np.clip(0.25 + 0.02 * noise[..., 3], 0.05, 0.6)
    return np.stack([cpu, cpu * (1 - system), cpu * system, used, np.floor(total_bytes * (1 - used))], axis=-1)


def fault_load(params: TrafficParams, seconds: IntArray) -> FloatArray:
    """By what faults of everything multiply the load in each second, (seconds,).

    A fault of one service leaves the hosts alone, so that its label says all that it changes.
    """
    load = np.ones(len(seconds))
    for fault in params.faults:
        if fault.target is None and not fault.traits.needs_target:
            load *= 1 + (_load_factor(params, fault) - 1) * _covered(params, fault, seconds)
    return load


def stamps_ns(params: TrafficParams, seconds: IntArray) -> IntArray:
    """When the samples say that they were taken, (seconds, hosts)."""
    ends = np.repeat(_ends_ns(params, seconds)[:, None], len(params.hosts), axis=1)
    stamps = ends.copy()
    for fault in params.faults:
        if fault.kind == "clock_step":
            stamps[_hit(params, fault, ends)] += round(fault.size_or_usual * NS_PER_SECOND)
    return stamps


def taken(params: TrafficParams, seconds: IntArray) -> BoolArray:
    """Which samples there are, (seconds, hosts): all but those in a gap."""
    ends = np.repeat(_ends_ns(params, seconds)[:, None], len(params.hosts), axis=1)
    there = np.ones(ends.shape, np.bool_)
    for fault in params.faults:
        if fault.kind == "gap":
            there &= ~_hit(params, fault, ends)
    return there


def _busy(params: TrafficParams, load: FloatArray, counts: IntArray) -> FloatArray:
    """Load of each host by its weekly mean, (seconds, hosts): the services take turns on them."""
    host = np.arange(len(params.targets)) % len(params.hosts)
    runs = (host[:, None] == np.arange(len(params.hosts))).astype(np.float64)
    usual = params.rate_hz * len(params.targets) * weights(params) @ runs
    busy: FloatArray = (counts @ runs + _STEADY_REQUESTS * load[:, None]) / (usual + _STEADY_REQUESTS)
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
        return fault.size_or_usual
    if fault.kind == "traffic_drop":
        return 1 - fault.size_or_usual
    if fault.kind == "outage":
        return 0.0
    if fault.kind in FLOODS:
        return 1 + fault.size_or_usual / (params.rate_hz * len(params.targets))
    return 1.0


def _faulty_cpu(params: TrafficParams, seconds: IntArray, cpu: FloatArray, noise: FloatArray) -> FloatArray:
    for fault in params.faults:
        hit = _hit(params, fault, np.repeat(_ends_ns(params, seconds)[:, None], len(params.hosts), axis=1))
        if fault.kind == "cpu_spike":
            cpu = np.where(hit, np.minimum(cpu + fault.size_or_usual, 1.0), cpu)
        elif fault.kind == "cpu_saturation":
            cpu = np.where(hit, np.maximum(cpu, fault.size_or_usual - 0.005 * np.minimum(np.abs(noise), 3)), cpu)
    return cpu


def _leaked(params: TrafficParams, seconds: IntArray) -> FloatArray:
    ends = np.repeat(_ends_ns(params, seconds)[:, None], len(params.hosts), axis=1)
    leaked = np.zeros(ends.shape)
    for fault in params.faults:
        if fault.kind == "memory_leak":
            start, end = span_ns(fault, params.start_ns)
            leaked += np.where(_hit(params, fault, ends), fault.size_or_usual * (ends - start) / (end - start), 0.0)
    return leaked


def _covered(params: TrafficParams, fault: Fault, seconds: IntArray) -> FloatArray:
    """Share of each second that the fault covers, (seconds,)."""
    start, end = (ns - params.start_ns for ns in span_ns(fault, params.start_ns))
    begun = seconds * NS_PER_SECOND
    covered: FloatArray = np.clip(np.minimum(begun + NS_PER_SECOND, end) - np.maximum(begun, start), 0, None)
    return covered / NS_PER_SECOND


def _ends_ns(params: TrafficParams, seconds: IntArray) -> IntArray:
    ends: IntArray = params.start_ns + (seconds + 1) * NS_PER_SECOND
    return ends


def _hit(params: TrafficParams, fault: Fault, ends_ns: IntArray) -> BoolArray:
    start, end = span_ns(fault, params.start_ns)
    of_it = np.array([fault.target in (None, host) for host in params.hosts], np.bool_)
    hit: BoolArray = (ends_ns >= start) & (ends_ns < end) & of_it
    return hit
