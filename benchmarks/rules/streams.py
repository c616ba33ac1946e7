"""Synthetic streams whose truth is known: every kind of fault among ordinary traffic, and traffic without any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from aiops_nb.collect.synthetic import KINDS, Fault, FaultKind, Shape
from benchmarks.rules.profiles import Habit
from benchmarks.rules.scenarios import SCENARIOS

DEVELOPMENT, REPORT = 31_000, 21_000
"""Where the seeds of streams begin that chose rules (and from 1000, 5000, 9000, 13000 on), and that report."""

WARM_UP_SECONDS = 600.0
REST_SECONDS = 240.0
STREAM_SECONDS = 3600.0
HOUR_NS = 3_600_000_000_000
MONDAY_NS = 1_767_571_200_000_000_000  # 2026-01-05, 00:00 UTC
LENGTHS_SECONDS: dict[FaultKind, float] = {"latency_drift": 300.0, "memory_leak": 1200.0, "gap": 90.0}
BASELINE_LENGTH_SECONDS = 150.0
BUSY_HOURS = (3, 9, 13, 18, 22)
RATES_HZ = (2.0, 5.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What is drawn, its length, the options of `SyntheticStream`, which of its faults have half the size, and what
    its services do besides."""

    making: str
    seconds: float
    options: dict[str, Any]
    halved: tuple[bool, ...] = ()
    habit: Habit | None = None


def incident(kind: FaultKind, halved: bool, everywhere: bool, rng: np.random.Generator) -> Fault:
    """A fault without its place in time: of all, or of one service or host, and half of the default if asked for.

    A kind without a size lasts half as long.
    """
    traits, length = KINDS[kind], LENGTHS_SECONDS.get(kind, BASELINE_LENGTH_SECONDS)
    of_host = traits.suffers == "host" or (traits.suffers == "either" and not everywhere and rng.random() < 0.25)
    one = f"host-{rng.integers(0, 2)}" if of_host else f"service-{rng.integers(0, 5)}"
    size = None if traits.size is None else traits.size * (0.5 if halved else 1.0)
    return Fault(
        kind=kind,
        start_seconds=0.0,
        length_seconds=length / 2 if halved and size is None else length,
        size=size,
        target=None if everywhere and not traits.needs_target else one,
    )


def faulty(seed: int, rounds: int) -> list[Stream]:
    """Streams that together have each kind `2 * rounds` times: at its default size and at half of it, by turns of all
    and of one."""
    rng = np.random.default_rng(seed)
    every = [
        (incident(kind, halved, (turn + halved) % 2 == 0, rng), halved)
        for turn in range(rounds)
        for kind in KINDS
        for halved in (False, True)
    ]
    order = rng.permutation(len(every)).tolist()
    packed = _packed([every[at] for at in order])
    return [_stream(seed + place, part) for place, part in enumerate(packed)]


def _packed(incidents: Iterable[tuple[Fault, bool]]) -> list[list[tuple[Fault, bool]]]:
    """One behind the other, with time to recover, in as many streams as it takes."""
    streams: list[list[tuple[Fault, bool]]] = []
    at = STREAM_SECONDS
    for fault, halved in incidents:
        if at + fault.length_seconds + REST_SECONDS > STREAM_SECONDS:
            streams.append([])
            at = WARM_UP_SECONDS
        streams[-1].append((msgspec.structs.replace(fault, start_seconds=at), halved))
        at += fault.length_seconds + REST_SECONDS
    return streams


def _stream(seed: int, part: list[tuple[Fault, bool]]) -> Stream:
    last = part[-1][0]
    options = {
        "seed": seed,
        "targets": 6,
        "hosts": 2,
        "rate_hz": RATES_HZ[seed % len(RATES_HZ)],
        "start_ns": MONDAY_NS + BUSY_HOURS[seed % len(BUSY_HOURS)] * HOUR_NS,
        "shape": Shape(regular_clients=(20, 300, 2000)[seed // 2 % 3]),
        "faults": [fault for fault, _ in part],
    }
    seconds = last.start_seconds + last.length_seconds + REST_SECONDS
    return Stream(making="faults", seconds=seconds, options=options, halved=tuple(half for _, half in part))


def healthy(seed: int, seconds: float, services: int = 10, only: Sequence[str] = ()) -> list[Stream]:
    """A healthy stream of each scenario, with five services on a host; `only` these scenarios, if any."""
    return [
        Stream(
            making=name,
            seconds=seconds,
            options={
                "seed": seed + place,
                "targets": services,
                "hosts": max(1, services // 5),
                "rate_hz": making.rate_hz,
                "start_ns": MONDAY_NS + round(making.hour * HOUR_NS),
                **making.options,
            },
            habit=making.habit,
        )
        for place, (name, making) in enumerate(SCENARIOS.items())
        if not only or name in only
    ]
