"""What was notified of each fault, and what was notified without a fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aiops_nb.collect.synthetic import FaultKind, FaultLabel
from aiops_nb.core.types import ALL_TARGETS
from benchmarks.rules.notified import Notified, Run

TOLERANCE_SECONDS = 120.0  # a sliding minute, the time to hold, and the time that what explains others is kept
RIGHT: dict[FaultKind, frozenset[str]] = {
    "latency_shift": frozenset({"latency_p95_anomaly"}),
    "latency_spike": frozenset({"latency_p95_anomaly"}),
    "latency_drift": frozenset({"latency_p95_anomaly"}),
    "error_burst": frozenset({"error_ratio_anomaly", "error_ratio_overall", "http_5xx"}),
    "outage": frozenset({"request_failed"}),
    "flapping": frozenset({"http_5xx", "error_ratio_anomaly", "error_ratio_overall"}),
    "traffic_surge": frozenset({"traffic_surge", "endpoint_surge"}),
    "traffic_drop": frozenset({"traffic_drop", "endpoint_drop"}),
    "single_ip_flood": frozenset({"client_flood"}),
    "endpoint_attack": frozenset(
        {"endpoint_attack", "client_refused"}
    ),  # passwords are tried: where, and by which client
    "path_probe": frozenset({"client_refused"}),
    "distributed_flood": frozenset({"distributed_flood"}),
    "cpu_spike": frozenset({"cpu_spike"}),
    "cpu_saturation": frozenset({"cpu_saturation"}),
    "memory_leak": frozenset({"memory_leak"}),
    "gap": frozenset({"traffic_silence", "endpoint_silence", "host_silence"}),
    "clock_step": frozenset({"late_rows", "future_rows"}),
}
"""Names by which a reader knows at once what is wrong."""


SOURCE = "synthetic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One fault: all that was notified in its time, and of that what is about what it hit, in order of time."""

    kind: FaultKind
    halved: bool
    of_all: bool
    notified: tuple[Notified, ...]
    found: tuple[Notified, ...]
    delay_seconds: float

    @property
    def is_named(self) -> bool:
        """The first alert has the right name."""
        return bool(self.found) and self.found[0].alertname in RIGHT[self.kind]

    @property
    def is_named_later(self) -> bool:
        """Any of its alerts has."""
        return any(one.alertname in RIGHT[self.kind] for one in self.found)


def span_ns(label: FaultLabel) -> tuple[int, int]:
    """When an alert about the fault may be notified."""
    return label.start_ns, label.end_ns + round(TOLERANCE_SECONDS * 1e9)


def covers(notified: Notified, label: FaultLabel) -> bool:
    """Whether an alert is about what the fault hit: the same, a path below it, all together, or their source.

    Examples
    --------
    >>> label = FaultLabel(kind="outage", target="a", start_ns=0, end_ns=1)
    >>> [covers(Notified(time_ns=0, alertname="x", target=of), label) for of in ("a", "a/path-1", "*", "b")]
    [True, True, True, False]
    """
    hit = label.target
    return hit is None or notified.target in (hit, ALL_TARGETS, SOURCE) or notified.target.startswith(f"{hit}/")


def outcomes(run: Run) -> list[Outcome]:
    """Of each fault of a run."""
    return [_outcome(label, halved, run.notified) for label, halved in zip(run.labels, run.stream.halved, strict=True)]


def _outcome(label: FaultLabel, halved: bool, notified: Iterable[Notified]) -> Outcome:
    start_ns, end_ns = span_ns(label)
    within = tuple(one for one in notified if start_ns <= one.time_ns < end_ns)
    found = tuple(one for one in within if covers(one, label))
    return Outcome(
        kind=label.kind,
        halved=halved,
        of_all=label.target is None,
        notified=within,
        found=found,
        delay_seconds=(found[0].time_ns - start_ns) / 1e9 if found else float("nan"),
    )


def false_alarms(run: Run) -> list[Notified]:
    """What was notified in no fault's time."""
    spans = [span_ns(label) for label in run.labels]
    return [one for one in run.notified if not any(start <= one.time_ns < end for start, end in spans)]


def at_random(runs: Sequence[Run], seed: int) -> list[Run]:
    """The same alerts, each at any moment of its stream: what chance finds."""
    rng = np.random.default_rng(seed)
    return [replace(run, notified=tuple(_moved(run, rng))) for run in runs]


def _moved(run: Run, rng: np.random.Generator) -> list[Notified]:
    moments = run.start_ns + (rng.random(len(run.notified)) * run.stream.seconds * 1e9).astype(np.int64)
    moved = [replace(one, time_ns=at) for one, at in zip(run.notified, moments.tolist(), strict=True)]
    return sorted(moved, key=lambda one: one.time_ns)
