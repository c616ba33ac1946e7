"""Faults by name, and the truth about each: when and where it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from aiops_nb.collect.synthetic.checks import check_number
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.labels import LabelLine, rfc3339
from aiops_nb.core.types import NS_PER_SECOND

if TYPE_CHECKING:
    import pandas as pd

_CENTURY_SECONDS = 3.2e9


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that goes wrong from `start_seconds` for `length_seconds` after the stream's start.

    It changes rows of its `target` alone, a service or a host as its kind says; None = all of them, for
    `endpoint_attack` and `path_probe` the first. What `size` means, its unit and its default (None) are in
    `KINDS` and in docs/reference/collectors.md.

    Examples
    --------
    >>> Fault(kind="latency_shift", start_seconds=60, length_seconds=30).size_or_default
    3.0
    >>> Fault(kind="outage", start_seconds=60, length_seconds=-1)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: length_seconds: expected a number > 0, got -1
    """

    kind: FaultKind
    start_seconds: float
    length_seconds: float
    size: float | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError.at("kind", f"one of {', '.join(KINDS)}", self.kind)
        check_number("start_seconds", self.start_seconds, 0.0, _CENTURY_SECONDS)
        if self.length_seconds == 0 or (isinstance(self.length_seconds, (int, float)) and self.length_seconds < 0):
            raise ConfigError.at("length_seconds", "a number > 0", self.length_seconds)
        check_number("length_seconds", self.length_seconds, 0.0, _CENTURY_SECONDS)
        if self.size is not None and self.traits.size is not None:
            check_number(f"size of {self.kind}", self.size, self.traits.low, self.traits.high)

    @property
    def traits(self) -> Kind:
        """What is true of every fault of this kind."""
        return KINDS[self.kind]

    @property
    def size_or_default(self) -> float:
        """The size, or the default of the kind; NaN where the kind has none."""
        if self.traits.size is None:
            return math.nan
        return float(self.traits.size if self.size is None else self.size)


class FaultLabel(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one fault: rows of `target` (None = all) in [start_ns, end_ns) are affected.

    Of a `clock_step` the interval also covers the times that its rows wrongly have.
    """

    kind: FaultKind
    target: str | None
    start_ns: int
    end_ns: int

    def line(self) -> LabelLine:
        """As a line of `labels.jsonl`."""
        start, end = rfc3339(self.start_ns), rfc3339(self.end_ns)
        return LabelLine(kind=self.kind, target=self.target or "", start=start, end=end)


def check_faults(faults: Sequence[Fault], targets: Sequence[str], hosts: Sequence[str]) -> None:
    """One line for a fault of somebody that the stream does not have."""
    for place, fault in enumerate(faults):
        if not isinstance(fault, Fault):
            raise ConfigError.at(f"faults[{place}]", "a Fault", fault)
        suffers = fault.traits.suffers
        known = {"service": targets, "host": hosts, "either": (*targets, *hosts)}[suffers]
        if not known:
            raise ConfigError.at(f"faults[{place}].kind", "hosts=1 or more in the stream", fault.kind)
        if fault.target is not None and fault.target not in known:
            raise ConfigError.at(f"faults[{place}].target", f"one of {', '.join(known)}", fault.target)


def span_ns(fault: Fault, start_ns: int) -> tuple[int, int]:
    """[start, end) of the fault in a stream that starts at `start_ns`."""
    start = start_ns + round(fault.start_seconds * NS_PER_SECOND)
    return start, start + round(fault.length_seconds * NS_PER_SECOND)


def sufferer(fault: Fault, targets: Sequence[str]) -> str | None:
    """Whose rows the fault changes; None = everybody's."""
    return targets[0] if fault.target is None and fault.traits.needs_target else fault.target


def label_of(fault: Fault, start_ns: int, targets: Sequence[str]) -> FaultLabel:
    """When and where the fault is.

    Examples
    --------
    >>> label_of(Fault(kind="outage", start_seconds=1, length_seconds=2), 0, ("a",))
    FaultLabel(kind='outage', target=None, start_ns=1000000000, end_ns=3000000000)
    """
    start, end = span_ns(fault, start_ns)
    if fault.kind == "clock_step":
        step_ns = round(fault.size_or_default * NS_PER_SECOND)
        start, end = start + min(step_ns, 0), end + max(step_ns, 0)
    return FaultLabel(kind=fault.kind, target=sufferer(fault, targets), start_ns=start, end_ns=end)


def labels_frame(labels: Iterable[FaultLabel]) -> pd.DataFrame:
    """Labels as `aiops_nb.tune` takes them: `kind`, `target` (empty: anything), `start`, `end` (UTC), by start.

    Examples
    --------
    >>> labels_frame([FaultLabel(kind="gap", target=None, start_ns=0, end_ns=10**9)])["end"].tolist()
    [Timestamp('1970-01-01 00:00:01+0000', tz='UTC')]
    """
    import pandas as pd

    lines = [(label.kind, label.target or "", label.start_ns, label.end_ns) for label in labels]
    frame = pd.DataFrame(lines, columns=["kind", "target", "start", "end"])
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name].astype("int64"), utc=True).astype("datetime64[ns, UTC]")
    return frame.sort_values("start", kind="stable").reset_index(drop=True)


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
