"""What each fault does to requests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aiops_nb.collect.synthetic.clients import attacker
from aiops_nb.collect.synthetic.faults import FLOODS, Fault, FaultKind, span_ns, sufferer
from aiops_nb.collect.synthetic.params import Active, TrafficParams
from aiops_nb.collect.synthetic.rows import (
    CLIENT,
    FAULT_STREAM,
    LOST,
    LUCK,
    METHODS,
    REFUSED,
    Dice,
    Rows,
    roll,
    weights,
)
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray

PROBED_PATHS = 50
_REFUSED_SECONDS = 0.001
_PROBE_BYTES = 150


def more_requests(
    params: TrafficParams, place: int, fault: Fault, seconds: IntArray, rates_hz: FloatArray
) -> list[Dice]:
    """Dice of what the fault adds; `rates_hz` is the expected rate (seconds, targets)."""
    if fault.kind != "traffic_surge" and fault.kind not in FLOODS:
        return []
    start, end = (ns - params.start_ns for ns in span_ns(fault, params.start_ns))
    touched = np.flatnonzero((seconds * NS_PER_SECOND < end) & ((seconds + 1) * NS_PER_SECOND > start))
    dice = []
    for index in touched.tolist():
        second = int(seconds[index])
        rng = np.random.default_rng((params.seed, FAULT_STREAM + place, second))
        dice.append(roll(rng, second, rng.poisson(_added_hz(params, fault, rates_hz[index])), place))
    return dice


def _added_hz(params: TrafficParams, fault: Fault, baseline_hz: FloatArray) -> FloatArray:
    name = sufferer(fault, params.targets)
    of_it = (
        np.ones(len(baseline_hz)) if name is None else np.array([target == name for target in params.targets], float)
    )
    if fault.kind == "traffic_surge":
        added: FloatArray = baseline_hz * of_it * (fault.size_or_default - 1)
        return added
    share = weights(params) * of_it
    flood: FloatArray = fault.size_or_default * share / share.sum()
    return flood


def apply_faults(params: TrafficParams, active: Active, rows: Rows) -> IntArray:
    """Change the rows as the faults say; returns their stamps, which a clock step takes from their times."""
    for place, fault in active:
        if fault.kind == "traffic_surge" or fault.kind in FLOODS:
            _cut_to_span(params, fault, place, rows)
        if fault.kind in FLOODS:
            _disguise(params, active, place, rows)
    for _, fault in active:
        if fault.kind in _CHANGES:
            _CHANGES[fault.kind](rows, _hit(params, fault, rows), fault, _progress(params, fault, rows))
    for _, fault in active:
        if fault.kind in ("gap", "traffic_drop"):
            share = 1.0 if fault.kind == "gap" else fault.size_or_default
            rows.keep(~(_hit(params, fault, rows) & (rows.chance[:, LOST] < share)))
    rows.keep(np.argsort(rows.time_ns, kind="stable"))
    return _stamps(params, active, rows)


def _hit(params: TrafficParams, fault: Fault, rows: Rows) -> BoolArray:
    start, end = span_ns(fault, params.start_ns)
    hit: BoolArray = (rows.time_ns >= start) & (rows.time_ns < end)
    name = sufferer(fault, params.targets)
    if name is not None:
        hit &= rows.target == (params.targets.index(name) if name in params.targets else -1)
    return hit


def _progress(params: TrafficParams, fault: Fault, rows: Rows) -> FloatArray:
    """How much of the fault has passed at each row: 0 at its start, 1 at its end."""
    start, end = span_ns(fault, params.start_ns)
    passed: FloatArray = (rows.time_ns - start) / (end - start)
    return passed


def _cut_to_span(params: TrafficParams, fault: Fault, place: int, rows: Rows) -> None:
    start, end = span_ns(fault, params.start_ns)
    outside = (rows.cause == place) & ((rows.time_ns < start) | (rows.time_ns >= end))
    if outside.any():
        rows.keep(~outside)


def _disguise(params: TrafficParams, active: Active, place: int, rows: Rows) -> None:
    """Make the rows of a flood look like it."""
    fault, mine = params.faults[place], np.flatnonzero(rows.cause == place)
    many = fault.kind == "distributed_flood"
    rows.client[mine] = attacker(params.shape, place, rows.chance[mine, CLIENT], many)
    if fault.kind == "endpoint_attack":
        rows.method[mine], rows.status[mine] = METHODS.index("POST"), 401
        rows.response_bytes[mine] = _PROBE_BYTES
    if fault.kind == "path_probe":
        path = (rows.chance[mine, LUCK] * PROBED_PATHS).astype(np.int64)
        rows.name[mine] = len(params.targets) + _probes_before(active, place) * PROBED_PATHS + path
        rows.method[mine], rows.status[mine] = METHODS.index("GET"), 404
        rows.response_bytes[mine] = _PROBE_BYTES


def _probes_before(active: Active, place: int) -> int:
    return sum(fault.kind == "path_probe" for other, fault in active if other < place)


def row_names(params: TrafficParams, active: Active) -> list[str]:
    """What `Rows.name` counts: the targets, then 50 paths of each that is probed."""
    probed = [sufferer(fault, params.targets) for _, fault in active if fault.kind == "path_probe"]
    return [*params.targets, *(f"{target}/path-{i}" for target in probed for i in range(PROBED_PATHS))]


def _shift(rows: Rows, hit: BoolArray, fault: Fault, progress: FloatArray) -> None:
    rows.duration_seconds[hit] *= fault.size_or_default


def _spike(rows: Rows, hit: BoolArray, fault: Fault, progress: FloatArray) -> None:
    height = 1 - np.abs(2 * progress[hit] - 1)
    rows.duration_seconds[hit] *= 1 + (fault.size_or_default - 1) * height


def _drift(rows: Rows, hit: BoolArray, fault: Fault, progress: FloatArray) -> None:
    rows.duration_seconds[hit] *= 1 + (fault.size_or_default - 1) * progress[hit]


def _fail(rows: Rows, hit: BoolArray, fault: Fault, progress: FloatArray) -> None:
    unlucky = hit & (rows.chance[:, LUCK] < fault.size_or_default)
    rows.status[unlucky & (rows.status != REFUSED)] = 500


def _refuse(rows: Rows, hit: BoolArray, fault: Fault, progress: FloatArray) -> None:
    rows.status[hit], rows.duration_seconds[hit] = REFUSED, _REFUSED_SECONDS


def _flap(rows: Rows, hit: BoolArray, fault: Fault, progress: FloatArray) -> None:
    period = fault.size_or_default / fault.length_seconds
    down = hit & (progress % period < period / 2)
    rows.status[down & (rows.status != REFUSED)] = 503


def _stamps(params: TrafficParams, active: Active, rows: Rows) -> IntArray:
    stamps = rows.time_ns.copy()
    for _, fault in active:
        if fault.kind == "clock_step":
            stamps[_hit(params, fault, rows)] += round(fault.size_or_default * NS_PER_SECOND)
    return stamps


_CHANGES: dict[FaultKind, Callable[[Rows, BoolArray, Fault, FloatArray], None]] = {
    "latency_shift": _shift,
    "latency_spike": _spike,
    "latency_drift": _drift,
    "error_burst": _fail,
    "flapping": _flap,
    "outage": _refuse,
}
