"""Synthetic metrics of a service, a week at one value a minute, with labelled faults; everything from one seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.random import Generator

from benchmarks.detection.labelled import Labelled

INTERVAL_SECONDS = 60
POINTS = 7 * 1440
FIRST_FAULT = 1440  # a day to learn what is baseline
APART = 700
Array = np.ndarray


def day(hours: Array, random: Generator) -> Array:
    """Between 0 at night and 1 in the busy hours, never twice quite the same."""
    phase = 2 * np.pi * (hours + random.uniform(0, 24)) / 24
    shape = 0.5 + 0.5 * np.sin(phase) + 0.12 * np.sin(2 * phase + 1)
    days = (hours // 24).astype(int)
    return np.clip(shape * random.uniform(0.85, 1.15, days[-1] + 1)[days], 0, None)


def wandering(points: int, random: Generator, memory: float) -> Array:
    """Noise of unit deviation that remembers its last value."""
    noise, out = random.normal(size=points) * np.sqrt(1 - memory * memory), np.empty(points)
    last = 0.0
    for at in range(points):
        last = memory * last + noise[at]
        out[at] = last
    return out


def latency_seconds(hours: Array, random: Generator) -> Array:
    baseline = random.uniform(0.02, 0.3) * (1 + 0.4 * day(hours, random))
    return baseline * np.exp(0.08 * wandering(len(hours), random, 0.6) + 0.06 * random.normal(size=len(hours)))


def p99_seconds(hours: Array, random: Generator) -> Array:
    return random.uniform(0.1, 1.0) * (1 + 0.3 * day(hours, random)) * np.exp(0.25 * random.gumbel(size=len(hours)))


def rate_hz(hours: Array, random: Generator) -> Array:
    return random.poisson(random.uniform(20, 400) * (0.25 + day(hours, random))) / 60.0


def cpu_ratio(hours: Array, random: Generator) -> Array:
    return np.clip(0.2 + 0.3 * day(hours, random) + 0.04 * wandering(len(hours), random, 0.9), 0.01, 1.0)


def memory_bytes(hours: Array, random: Generator) -> Array:
    sawtooth = hours / random.uniform(10, 33) % 1.0
    return np.round((2.0 + 0.3 * sawtooth + 0.02 * wandering(len(hours), random, 0.98)) * 1e9)


def error_ratio(hours: Array, random: Generator) -> Array:
    requests = random.integers(100, 400)
    return random.binomial(requests, random.uniform(0.001, 0.01), len(hours)) / requests


METRICS: dict[str, Callable[[Array, Generator], Array]] = {
    metric.__name__: metric for metric in (latency_seconds, p99_seconds, rate_hz, cpu_ratio, memory_bytes, error_ratio)
}


def _spike(x: Array, deviation: float, random: Generator) -> Array:
    return x + random.uniform(6, 14) * deviation


def _burst(x: Array, deviation: float, random: Generator) -> Array:
    return x + random.uniform(3, 6) * deviation * np.abs(random.normal(size=len(x)))


def _dropout(x: Array, deviation: float, random: Generator) -> Array:
    return x * random.uniform(0.0, 0.1)


def _shift(x: Array, deviation: float, random: Generator) -> Array:
    return x + random.uniform(3, 5) * deviation


def _drift(x: Array, deviation: float, random: Generator) -> Array:
    return x + np.linspace(0, random.uniform(5, 8), len(x)) * deviation


def _freeze(x: Array, deviation: float, random: Generator) -> Array:
    return np.full(len(x), x[0])


def _swing(x: Array, deviation: float, random: Generator) -> Array:
    return x + 3 * deviation * np.sin(np.arange(len(x)) * 2 * np.pi / random.uniform(6, 14))


FAULTS: dict[str, tuple[int, int, Callable[[Array, float, Generator], Array]]] = {
    "spike": (1, 4, _spike),
    "burst": (10, 40, _burst),
    "dropout": (3, 20, _dropout),
    "shift": (60, 180, _shift),
    "drift": (120, 300, _drift),
    "freeze": (60, 180, _freeze),
    "swing": (60, 180, _swing),
}


def faulty(metric: str, random: Generator) -> Labelled:
    """One series with its faults."""
    x = METRICS[metric](np.arange(POINTS) / 60.0, random)
    spans, kinds = [], []
    at = FIRST_FAULT + int(random.integers(0, APART))
    while at < POINTS - APART:
        kind = str(random.choice(list(FAULTS)))
        shortest, longest, change = FAULTS[kind]
        points = int(random.integers(shortest, longest))
        deviation = float(np.std(x[at - 60 : at])) + 1e-3 * float(np.std(x))
        x[at : at + points] = np.maximum(change(x[at : at + points], deviation, random), 0)
        spans.append((at, at + points - 1))
        kinds.append(kind)
        at += points + APART + int(random.integers(0, APART // 2))
    times = pd.date_range("2026-01-05", periods=POINTS, freq=f"{INTERVAL_SECONDS}s", tz="UTC")
    return Labelled(metric, pd.Series(x, index=times), tuple(spans), FIRST_FAULT, tuple(kinds))


def load(seed: int, of_each: int) -> list[Labelled]:
    """So many series of each metric."""
    random = np.random.default_rng(seed)
    return [faulty(metric, random) for metric in METRICS for _ in range(of_each)]


def healthy(seed: int, interval_seconds: int, points: int) -> list[pd.Series]:
    """One series of each metric in which nothing is wrong."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=points, freq=f"{interval_seconds}s", tz="UTC")
    hours = np.arange(points) * interval_seconds / 3600.0
    return [pd.Series(metric(hours, random), index=times, name=name) for name, metric in METRICS.items()]
