"""Healthy traffic of many scenarios: what it is like, and which profiles its services and hosts have."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiops_nb.collect.synthetic import FLAT, Shape
from benchmarks.rules.profiles import (
    Deploys,
    Habit,
    HostProfile,
    NightlyBatch,
    NoisyNeighbour,
    RareHeavy,
    SharpMorning,
    Timeouts,
)

FRIDAY, SATURDAY_NIGHT = 4 * 24, 5 * 24 + 22
_night = partial(Shape, day_swing_ratio=0.9)


@dataclass(frozen=True, kw_only=True)
class Making:
    """Hour of the week at which it begins, requests a second of a service, and what else differs from the default."""

    hour: float
    rate_hz: float = 5.0
    options: dict[str, Any] = field(default_factory=dict)
    habit: Habit | None = None


SCENARIOS: dict[str, Making] = {
    "flat": Making(hour=0, options={"shape": FLAT}),
    "default": Making(hour=10),
    "low": Making(hour=15, rate_hz=0.2),
    "bursty": Making(hour=11, options={"shape": Shape(wander_ratio=0.35)}),
    "heavy-tailed": Making(hour=14, options={"sigma": 0.8, "shape": Shape(tail_ratio=0.03, tail_index=1.1)}),
    "morning": Making(hour=5, options={"shape": _night()}),
    "evening": Making(hour=18, options={"shape": _night()}),
    "few clients": Making(hour=9, rate_hz=2.0, options={"shape": Shape(regular_clients=12, client_exponent=1.5)}),
    "many errors": Making(hour=13, rate_hz=2.0, options={"error_ratio": 0.03}),
    "low, many errors": Making(hour=12, rate_hz=0.2, options={"error_ratio": 0.03}),
    "sharp morning": Making(hour=7.6, habit=SharpMorning()),
    "deploys": Making(hour=9, rate_hz=2.0, habit=Deploys(services=10)),
    "nightly batch": Making(hour=1.6, rate_hz=2.0, habit=NightlyBatch()),
    "Friday evening": Making(hour=FRIDAY + 19, rate_hz=2.0),
    "Sunday begins": Making(hour=SATURDAY_NIGHT, rate_hz=2.0),
    "noisy neighbour": Making(hour=16, rate_hz=2.0, habit=NoisyNeighbour()),
    "rare and heavy": Making(hour=12, rate_hz=1.0, habit=RareHeavy(rate_hz=1.0)),
    "timeouts": Making(hour=12, rate_hz=2.0, habit=Timeouts()),
    "hourly jobs": Making(hour=8, rate_hz=1.0, habit=HostProfile(cron_ratio=0.6)),
    "nightly backup": Making(hour=1.6, rate_hz=1.0, habit=HostProfile(backup_ratio=0.55)),
    "memory saw": Making(hour=8, rate_hz=1.0, habit=HostProfile(saw_ratio=0.25)),
    "quick memory saw": Making(hour=8, rate_hz=1.0, habit=HostProfile(saw_ratio=0.1, saw_seconds=150.0)),
}
