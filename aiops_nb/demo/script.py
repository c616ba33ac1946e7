"""What the demo service will do: its endpoints and its faults, both drawn from one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from aiops_nb.core.errors import ConfigError

FaultKind = Literal["slow", "http_5xx", "connection_refused", "traffic_flood", "memory_growth"]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

MEDIAN_RANGES_SECONDS = {
    "/api/orders": (0.025, 0.040),
    "/api/users": (0.015, 0.025),
    "/checkout": (0.040, 0.055),
    "/health": (0.010, 0.013),
}
PATHS = tuple(MEDIAN_RANGES_SECONDS)
BUSINESS_PATHS = PATHS[:-1]  # /health stays honest: a fault of one endpoint must not look like a fault of all
FAULT_SECONDS = (15.0, 25.0)
HEALTHY_SECONDS = (40.0, 55.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoParams:
    """Everything that shapes a demo service.

    Attributes
    ----------
    seed
        Of the latencies and of the script of faults.
    host, port
        Address to listen on; port 0 takes a free one.
    kinds
        Which faults happen.
    first_fault_after_seconds
        Healthy time at the start.
    time_scale
        How many times faster than written the script runs; latencies do not change.
    workers
        Requests served at once; the rest wait, which is how a flood hurts.
    memory_limit_bytes
        Most memory that the fault `memory_growth` takes.
    labels_path, access_log_path
        Files for the faults and for an access log; None: none.
    """

    seed: int = 7
    host: str = "127.0.0.1"
    port: int = 0
    labels_path: str = ""
    access_log_path: str = ""
    first_fault_after_seconds: float = 60.0
    time_scale: float = 1.0
    kinds: tuple[FaultKind, ...] = KINDS
    workers: int = 16
    memory_limit_bytes: int = 200_000_000

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises
        ------
        ConfigError
            Naming the parameter, what was expected and what came.
        """
        _require(0 <= self.port <= 65535, "port", "0 (any free one) to 65535", self.port)
        _require(self.time_scale > 0, "time_scale", "a number > 0", self.time_scale)
        _require(self.workers >= 1, "workers", "at least 1", self.workers)
        _require(set(self.kinds) <= set(KINDS), "kinds", f"some of {', '.join(KINDS)}", self.kinds)
        first = self.first_fault_after_seconds
        _require(first >= 0, "first_fault_after_seconds", "a number >= 0", first)


def _require(holds: bool, where: str, expected: str, got: object) -> None:
    if not holds:
        raise ConfigError.at(where, expected, got)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of the script.

    Attributes
    ----------
    kind
        One of `KINDS`.
    path
        The affected endpoint; empty if the whole service is.
    healthy_seconds
        Time since the previous fault ended.
    duration_seconds
        Its length.
    """

    kind: FaultKind
    path: str
    healthy_seconds: float
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class Latency:
    """A lognormal latency: its median, and the standard deviation of its logarithm."""

    median_seconds: float
    sigma: float

    def draw(self, rng: random.Random) -> float:
        """One latency in seconds."""
        return self.median_seconds * rng.lognormvariate(0.0, self.sigma)


def latencies(seed: int) -> dict[str, Latency]:
    """How fast each endpoint is while it is healthy.

    Examples
    --------
    >>> {path: round(latency.median_seconds, 3) for path, latency in latencies(7).items()}
    {'/api/orders': 0.037, '/api/users': 0.023, '/checkout': 0.047, '/health': 0.011}
    """
    rng = random.Random(f"latency {seed}")
    return {path: Latency(rng.uniform(*span), rng.uniform(0.18, 0.28)) for path, span in MEDIAN_RANGES_SECONDS.items()}


def faults(params: DemoParams) -> Iterator[Fault]:
    """The endless script: each kind once in a drawn order, then again in another; already scaled in time.

    Parameters
    ----------
    params
        Seed, kinds and time scale of the script.

    Yields
    ------
    Fault
        The next fault of the script.

    Examples
    --------
    >>> from itertools import islice
    >>> [fault.kind for fault in islice(faults(DemoParams(seed=7)), 5)]
    ['http_5xx', 'connection_refused', 'memory_growth', 'traffic_flood', 'slow']
    """
    rng = random.Random(f"story {params.seed}")
    healthy_seconds = params.first_fault_after_seconds
    while params.kinds:
        for kind in rng.sample(params.kinds, len(params.kinds)):
            yield _draw(kind, healthy_seconds / params.time_scale, params.time_scale, rng)
            healthy_seconds = rng.uniform(*HEALTHY_SECONDS)


def _draw(kind: FaultKind, healthy_seconds: float, time_scale: float, rng: random.Random) -> Fault:
    path = rng.choice(BUSINESS_PATHS)  # drawn for every kind, so that one kind less leaves the rest of the draws alone
    return Fault(
        kind=kind,
        path="" if kind in ("connection_refused", "memory_growth") else path,
        healthy_seconds=healthy_seconds,
        duration_seconds=rng.uniform(*FAULT_SECONDS) / time_scale,
    )
