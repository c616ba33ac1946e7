"""Seeded traffic drawn one second at a time, with faults whose truth is known. Pure: no clock, no state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
import numpy as np
import pyarrow as pa

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray

FaultKind = Literal["latency_shift", "error_burst", "outage", "traffic_surge", "gap"]
_METHODS = pa.array(["GET", "POST"])
_CLIENTS = pa.array([f"10.0.{i // 250}.{i % 250 + 1}" for i in range(1000)])


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that goes wrong from `start_seconds` for `length_seconds` after the stream's start.

    `size` is the factor of latency for `latency_shift`, the factor (> 1) of rows for `traffic_surge`, the share of
    requests that fail for `error_burst`; `outage` (every connection refused) and `gap` (no rows) have none.
    `target` None = all.
    """

    kind: FaultKind
    start_seconds: float
    length_seconds: float
    size: float = 1.0
    target: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ConfigError.at("kind", f"one of {', '.join(get_args(FaultKind))}", self.kind)
        if not (self.start_seconds >= 0 and self.length_seconds > 0 and self.size >= 0):
            raise ConfigError.at("fault", "start_seconds >= 0, length_seconds > 0, size >= 0", self)


class FaultLabel(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one fault: rows of `target` (None = all) in [start_ns, end_ns) are affected."""

    kind: FaultKind
    target: str | None
    start_ns: int
    end_ns: int


class TrafficParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the traffic is like; see `SyntheticStream`."""

    seed: int = 0
    targets: tuple[str, ...]
    rate_hz: float = 10.0
    median_seconds: float = 0.05
    sigma: float = 0.35
    error_ratio: float = 0.002
    start_ns: int
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rate_hz", "median_seconds", "sigma"):
            if not getattr(self, name) > 0:
                raise ConfigError.at(name, "a number > 0", getattr(self, name))
        if not self.targets:
            raise ConfigError("targets: expected at least one, got none")
        for place, fault in enumerate(self.faults):
            if fault.target is not None and fault.target not in self.targets:
                raise ConfigError.at(f"faults[{place}].target", f"one of {', '.join(self.targets)}", fault.target)


def fault_labels(params: TrafficParams) -> list[FaultLabel]:
    """When and where each fault is.

    Examples
    --------
    >>> outage = Fault(kind="outage", start_seconds=1, length_seconds=2)
    >>> fault_labels(TrafficParams(targets=("a",), start_ns=0, faults=(outage,)))
    [FaultLabel(kind='outage', target=None, start_ns=1000000000, end_ns=3000000000)]
    """
    return [
        FaultLabel(kind=fault.kind, target=fault.target, start_ns=start, end_ns=end)
        for fault in params.faults
        for start, end in [_span(params, fault)]
    ]


def _span(params: TrafficParams, fault: Fault) -> tuple[int, int]:
    start = params.start_ns + round(fault.start_seconds * NS_PER_SECOND)
    return start, start + round(fault.length_seconds * NS_PER_SECOND)


class _Rows:
    """Columns of rows that are still being made."""

    def __init__(self, params: TrafficParams, second: int, stream: Sequence[int], rate_hz: float) -> None:
        rng = np.random.default_rng([params.seed, second, *stream])
        target = np.repeat(np.arange(len(params.targets)), rng.poisson(rate_hz, len(params.targets)))
        rows = len(target)
        self.target: IntArray = target
        self.time_ns: IntArray = params.start_ns + second * NS_PER_SECOND + rng.integers(0, NS_PER_SECOND, rows)
        self.duration: FloatArray = params.median_seconds * np.exp(params.sigma * rng.standard_normal(rows))
        self.fails: BoolArray = rng.random(rows) < params.error_ratio
        self.luck: FloatArray = rng.random(rows)
        self.method: IntArray = (rng.random(rows) < 0.2).astype(np.int64)
        self.client: IntArray = rng.integers(0, len(_CLIENTS), rows)
        self.bytes: IntArray = rng.integers(200, 20_000, rows)
        self.refused: BoolArray = np.zeros(rows, np.bool_)

    def joined(self, other: _Rows, rows: BoolArray) -> None:
        for name, values in vars(other).items():
            setattr(self, name, np.concatenate([getattr(self, name), values[rows]]))

    def keep(self, rows: BoolArray | IntArray) -> None:
        for name, values in vars(self).items():
            setattr(self, name, values[rows])


def draw_second(params: TrafficParams, source: str, second: int) -> pa.RecordBatch:
    """All rows of one second of the stream, in order of time; the same for the same arguments.

    Examples
    --------
    >>> params = TrafficParams(targets=("a", "b"), rate_hz=100, start_ns=0)
    >>> draw_second(params, "s", 3).equals(draw_second(params, "s", 3))
    True
    """
    rows = _Rows(params, second, (), params.rate_hz)
    for place, fault in enumerate(params.faults):
        _apply(params, fault, rows, second, place)
    rows.keep(np.argsort(rows.time_ns, kind="stable"))
    return _batch(params, source, rows)


def _apply(params: TrafficParams, fault: Fault, rows: _Rows, second: int, place: int) -> None:
    if fault.kind == "traffic_surge" and fault.size > 1:
        more = _Rows(params, second, (place,), params.rate_hz * (fault.size - 1))
        rows.joined(more, _hit(params, fault, more))
        return
    hit = _hit(params, fault, rows)
    if fault.kind == "latency_shift":
        rows.duration[hit] *= fault.size
    elif fault.kind == "error_burst":
        rows.fails[hit] |= rows.luck[hit] < fault.size
    elif fault.kind == "outage":
        rows.refused[hit] = True
    elif fault.kind == "gap":
        rows.keep(~hit)


def _hit(params: TrafficParams, fault: Fault, rows: _Rows) -> BoolArray:
    start, end = _span(params, fault)
    hit: BoolArray = (rows.time_ns >= start) & (rows.time_ns < end)
    return hit if fault.target is None else hit & (rows.target == params.targets.index(fault.target))


def _batch(params: TrafficParams, source: str, rows: _Rows) -> pa.RecordBatch:
    status = np.where(rows.fails, 500, 200).astype(np.int16)
    refused = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(status), np.int32), mask=~rows.refused), ["connect"])
    return make_batch(
        "requests",
        source,
        {
            "time": rows.time_ns,
            "origin": "traffic",
            "target": pa.DictionaryArray.from_arrays(rows.target.astype(np.int32), pa.array(params.targets)),
            "method": pa.DictionaryArray.from_arrays(rows.method.astype(np.int32), _METHODS),
            "status_code": pa.array(status, mask=rows.refused),
            "duration_seconds": np.where(rows.refused, 0.001, rows.duration),
            "error_type": refused,
            "client_ip": _CLIENTS.take(pa.array(rows.client)),
            "response_bytes": pa.array(rows.bytes, mask=rows.refused),
        },
    )
