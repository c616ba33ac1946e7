"""Services behind one balancer: several features of several targets, a value a minute, with faults of one target.

Demand is shared, so what moves all alike (a campaign of an hour or two) is healthy. Everything from one seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from benchmarks.detection.events import Spans
from benchmarks.detection.service import day, wandering

Array = np.ndarray
TARGETS, POINTS, FIRST_FAULT, APART = 6, 6 * 1440, 1440, 600
TUNING_TO_FRESH = 4  # a tenth of the targets raises half of the false alarms: a few fleets set no steady threshold


@dataclass(slots=True)
class Target:
    """What a target would do, minute by minute; faults change it in place."""

    requests_hz: Array
    error_probability: Array
    duration_mean_seconds: Array
    duration_p95_seconds: Array
    cpu_ratio: Array
    memory_ratio: Array


Change = Callable[[Target, slice, Generator], None]


def _slow(it: Target, part: slice, random: Generator) -> None:
    factor = random.uniform(1.2, 1.8)
    it.duration_mean_seconds[part] *= factor
    it.duration_p95_seconds[part] *= factor


def _errors(it: Target, part: slice, random: Generator) -> None:
    it.error_probability[part] += random.uniform(0.005, 0.03)


def _outage(it: Target, part: slice, random: Generator) -> None:
    it.requests_hz[part] = 0.0


def _loss(it: Target, part: slice, random: Generator) -> None:
    it.requests_hz[part] *= random.uniform(0.5, 0.8)


def _busy(it: Target, part: slice, random: Generator) -> None:
    it.cpu_ratio[part] += random.uniform(0.15, 0.35)


def _leak(it: Target, part: slice, random: Generator) -> None:
    it.memory_ratio[part] += np.linspace(0, random.uniform(0.2, 0.4), part.stop - part.start)


def _a_little_of_all(it: Target, part: slice, random: Generator) -> None:
    for values, factor in (
        (it.requests_hz, 0.9),
        (it.error_probability, 1.8),
        (it.duration_mean_seconds, 1.12),
        (it.duration_p95_seconds, 1.12),
    ):
        values[part] *= factor


FAULTS: dict[str, tuple[int, int, Change]] = {
    "slow": (10, 60, _slow),
    "errors": (10, 60, _errors),
    "outage": (5, 40, _outage),
    "loss": (15, 60, _loss),
    "busy": (20, 90, _busy),
    "leak": (180, 400, _leak),
    "a little of all": (30, 90, _a_little_of_all),
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """Features (points, targets) by name; and the positions and kinds of the faults of each target."""

    features: dict[str, Array]
    spans: tuple[Spans, ...]
    kinds: tuple[tuple[str, ...], ...]


def drawn(random: Generator) -> Fleet:
    hours = np.arange(POINTS) / 60.0
    demand = 0.3 + day(hours, random)
    for at in random.integers(0, POINTS, 4):
        demand[at : at + int(random.integers(60, 120))] *= random.uniform(1.2, 1.6)
    targets = [_target(demand, random) for _ in range(TARGETS)]
    faults = [_put(target, random) for target in targets]
    seen = [_observed(target, random) for target in targets]
    features = {name: np.stack([one[name] for one in seen], axis=1) for name in seen[0]}
    return Fleet(features, tuple(spans for spans, _ in faults), tuple(kinds for _, kinds in faults))


def _target(demand: Array, random: Generator) -> Target:
    mean = random.uniform(0.03, 0.2) * (1 + 0.3 * demand) * np.exp(0.04 * wandering(POINTS, random, 0.8))
    return Target(
        requests_hz=random.uniform(2, 10) * demand * np.exp(0.03 * wandering(POINTS, random, 0.9)),
        error_probability=np.full(POINTS, random.uniform(0.001, 0.006)),
        duration_mean_seconds=mean,
        duration_p95_seconds=mean * random.uniform(2, 3),
        cpu_ratio=0.1 + random.uniform(0.15, 0.3) * demand + 0.03 * wandering(POINTS, random, 0.9),
        memory_ratio=random.uniform(0.3, 0.5) + 0.02 * wandering(POINTS, random, 0.995),
    )


def _put(target: Target, random: Generator) -> tuple[Spans, tuple[str, ...]]:
    spans, kinds = [], []
    at = FIRST_FAULT + int(random.integers(0, APART))
    while at < POINTS - APART:
        kind = str(random.choice(list(FAULTS)))
        shortest, longest, change = FAULTS[kind]
        part = slice(at, at + int(random.integers(shortest, longest)))
        change(target, part, random)
        spans.append((part.start, part.stop - 1))
        kinds.append(kind)
        at = part.stop + APART + int(random.integers(0, APART // 2))
    return tuple(spans), tuple(kinds)


def _observed(it: Target, random: Generator) -> dict[str, Array]:
    """What a monitor sees of it: durations and ratios only where there was a request."""
    count = random.poisson(it.requests_hz * 60.0)
    errors = random.binomial(count, np.clip(it.error_probability, 0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = 1 + random.normal(size=(2, POINTS)) / np.sqrt(count) * [[0.6], [1.2]]
        heard = count > 0
        return {
            "rate_hz": count / 60.0,
            "error_ratio": np.where(heard, errors / count, np.nan),
            "duration_mean_seconds": np.where(heard, it.duration_mean_seconds * np.maximum(noise[0], 0.1), np.nan),
            "duration_p95_seconds": np.where(heard, it.duration_p95_seconds * np.maximum(noise[1], 0.1), np.nan),
            "cpu_ratio": np.clip(it.cpu_ratio + 0.02 * random.normal(size=POINTS), 0, 1),
            "memory_ratio": np.clip(it.memory_ratio, 0, 1),
            **_lookup(count, errors),
        }


def _lookup(count: Array, errors: Array) -> dict[str, Array]:
    """Of the last hour and the last five minutes, and how long nothing was heard."""
    of_hour, of_five = (pd.DataFrame({"n": count, "bad": errors}).rolling(points).sum() for points in (60, 5))
    silent = pd.Series(count == 0)
    return {
        "error_ratio_3600s": (of_hour.bad / of_hour.n).to_numpy(),
        "error_ratio_300s": (of_five.bad / of_five.n).to_numpy(),
        "request_count_3600s": of_hour.n.to_numpy(),
        "silent_seconds": 60.0 * silent.groupby((~silent).cumsum()).cumsum().to_numpy(float),
    }


def load(seed: int, fleets: int) -> list[Fleet]:
    random = np.random.default_rng(seed)
    return [drawn(random) for _ in range(fleets)]
