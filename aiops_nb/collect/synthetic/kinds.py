"""The kinds of faults: what their size means, what is usual, and what they are of."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

FaultKind = Literal[
    "latency_shift",
    "latency_spike",
    "latency_drift",
    "error_burst",
    "outage",
    "flapping",
    "traffic_surge",
    "traffic_drop",
    "single_ip_flood",
    "endpoint_attack",
    "path_probe",
    "distributed_flood",
    "cpu_spike",
    "cpu_saturation",
    "memory_leak",
    "gap",
    "clock_step",
]
Suffers = Literal["service", "host", "either"]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What `size` means for one kind of fault, and whose rows it changes.

    `size` None: the kind has none. `needs_target`: without one it is of the first target, not of all.
    """

    unit: str = ""
    size: float | None = None
    low: float = 0.0
    high: float = math.inf
    suffers: Suffers = "service"
    needs_target: bool = False


KINDS: dict[FaultKind, Kind] = {
    "latency_shift": Kind(unit="factor", size=3.0),
    "latency_spike": Kind(unit="factor", size=8.0),
    "latency_drift": Kind(unit="factor", size=3.0),
    "error_burst": Kind(unit="ratio", size=0.3, high=1.0),
    "outage": Kind(),
    "flapping": Kind(unit="seconds", size=10.0, low=0.1),
    "traffic_surge": Kind(unit="factor", size=4.0, low=1.0, high=1e4),
    "traffic_drop": Kind(unit="ratio", size=0.8, high=1.0),
    "single_ip_flood": Kind(unit="requests/s", size=100.0, high=1e6),
    "endpoint_attack": Kind(unit="requests/s", size=50.0, high=1e6, needs_target=True),
    "path_probe": Kind(unit="requests/s", size=20.0, high=1e6, needs_target=True),
    "distributed_flood": Kind(unit="requests/s", size=200.0, high=1e6),
    "cpu_spike": Kind(unit="ratio", size=0.5, high=1.0, suffers="host"),
    "cpu_saturation": Kind(unit="ratio", size=1.0, high=1.0, suffers="host"),
    "memory_leak": Kind(unit="ratio", size=0.4, high=1.0, suffers="host"),
    "gap": Kind(suffers="either"),
    "clock_step": Kind(unit="seconds", size=30.0, low=-1e9, high=1e9, suffers="either"),
}
FLOODS: tuple[FaultKind, ...] = ("single_ip_flood", "endpoint_attack", "path_probe", "distributed_flood")
