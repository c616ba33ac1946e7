"""Synthetic indicators of a web service over months, as operators label them; everything from one seed.

Rhythms of the day and of the week, holidays, a trend, noise that grows with the level and at night, missing values,
jobs that come every night, releases that move the level for good: all healthy. Labelled are dips, surges, spikes,
bursts, dropouts and lasting losses, most of them a fraction of the level, some at night.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.random import Generator

from benchmarks.detection.labelled import Labelled
from benchmarks.detection.service import wandering

Array = np.ndarray
FIRST_EVENT_RATIO = 0.15


def rhythm(hours: Array, random: Generator) -> Array:
    """About 1 on average, lower at night and at weekends and on holidays, never twice quite the same."""
    phase = 2 * np.pi * hours / 24
    waves = sum(random.normal(scale=0.3 / k) * np.sin(k * phase + random.uniform(0, 6.3)) for k in range(2, 5))
    baseline = 1 - random.uniform(0.3, 0.8) * np.cos(phase - random.uniform(-0.6, 0.6)) + 0.5 * waves
    days = (hours // 24).astype(int)
    weekend = random.uniform(0.55, 1.05)
    of_day = np.where(np.arange(days[-1] + 1) % 7 >= 5, weekend, 1.0) * random.normal(1, 0.03, days[-1] + 1)
    of_day[random.integers(14, days[-1], 2)] *= min(weekend + 0.1, 1.0)
    return np.clip(baseline, 0.12, None) * of_day[days] * (1 + random.uniform(-0.2, 0.3) * hours / hours[-1])


def _releases(points: int, random: Generator) -> Array:
    factor = np.ones(points)
    for at in random.integers(points // 8, points, random.integers(1, 4)):
        factor[at:] *= random.uniform(0.88, 1.15)
    return factor


def _nightly_job(hours: Array, random: Generator) -> Array:
    begins, lasts = random.uniform(0, 6), random.uniform(0.1, 0.6)
    return 1 + random.uniform(0.3, 1.0) * ((hours % 24 >= begins) & (hours % 24 < begins + lasts))


def page_views(hours: Array, random: Generator) -> tuple[Array, Array]:
    """Counts: the level, and the deviation of a value from it."""
    level = random.uniform(40, 4000) * rhythm(hours, random) * _releases(len(hours), random)
    return level, np.sqrt(level) + random.uniform(0.02, 0.05) * level


def response_seconds(hours: Array, random: Generator) -> tuple[Array, Array]:
    """Slower when busy, and noisier when idle."""
    load = rhythm(hours, random)
    level = random.uniform(0.05, 0.6) * (0.8 + 0.25 * load) * _releases(len(hours), random)
    level *= _nightly_job(hours, random)
    return level, level * random.uniform(0.03, 0.08) / np.sqrt(load)


def orders_hz(hours: Array, random: Generator) -> tuple[Array, Array]:
    """Few, and none at times."""
    level = random.uniform(5, 60) * rhythm(hours, random) ** 1.5
    return level, np.sqrt(level) + 0.03 * level


INDICATORS: dict[str, Callable[[Array, Generator], tuple[Array, Array]]] = {
    one.__name__: one for one in (page_views, response_seconds, orders_hz)
}


def _spike(level: Array, deviation: Array, random: Generator) -> Array:
    return level + random.uniform(6, 14) * deviation


def _surge(level: Array, deviation: Array, random: Generator) -> Array:
    return level * random.uniform(1.35, 2.2) + 3 * deviation


def _dip(level: Array, deviation: Array, random: Generator) -> Array:
    return np.maximum(level * random.uniform(0.4, 0.75) - 2 * deviation, 0)


def _dropout(level: Array, deviation: Array, random: Generator) -> Array:
    return level * random.uniform(0.0, 0.08)


def _burst(level: Array, deviation: Array, random: Generator) -> Array:
    return level + deviation * random.uniform(3, 7) * np.abs(random.normal(size=len(level)))


def _loss(level: Array, deviation: Array, random: Generator) -> Array:
    return level - random.uniform(3, 5) * deviation


Events = Mapping[str, tuple[int, int, Callable[[Array, Array, Generator], Array]]]
EVENTS: Events = {
    "spike": (1, 4, _spike),
    "surge": (3, 30, _surge),
    "dip": (3, 30, _dip),
    "dropout": (2, 20, _dropout),
    "burst": (8, 40, _burst),
    "loss": (20, 90, _loss),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a series is drawn: the share of a working day that a weekend has (None: drawn), what is wrong at times, how
    heavy the tails of the noise are (Student's degrees of freedom), and what was never delivered."""

    interval_seconds: int
    days: int
    weekend_ratio: float | None = None
    events: Events = field(default_factory=lambda: EVENTS)
    degrees: float = 6.0
    lost_ratio: float = 0.002
    gaps: int = 3
    longest_gap: int = 60


BASELINE = (Making(interval_seconds=60, days=35), Making(interval_seconds=300, days=120))


def _noisy(level: Array, deviation: Array, making: Making, random: Generator) -> Array:
    slow, quick = wandering(len(level), random, 0.7), random.standard_t(making.degrees, len(level)) * 0.8
    return np.maximum(level + deviation * (0.6 * slow + 0.8 * quick), 0)


def labelled(indicator: str, making: Making, random: Generator) -> Labelled:
    """One series with its events."""
    points = making.days * 86400 // making.interval_seconds
    level, deviation = _levels(indicator, making, random)
    x = _noisy(level, deviation, making, random)
    first = int(FIRST_EVENT_RATIO * points)
    spans, kinds = [], []
    for at in _positions(first + 1, points, making, random):
        kind = str(random.choice(list(making.events)))
        shortest, longest, change = making.events[kind]
        part = slice(at, at + int(random.integers(shortest, longest)))
        x[part] = _noisy(change(level[part], deviation[part], random), deviation[part], making, random)
        spans.append((part.start, part.stop - 1))
        kinds.append(kind)
    series = _holed(_timed(x, making.interval_seconds, indicator), making, random)
    return Labelled(indicator, series, tuple(spans), first, tuple(kinds))


def _levels(indicator: str, making: Making, random: Generator) -> tuple[Array, Array]:
    points = making.days * 86400 // making.interval_seconds
    hours = np.arange(points) * making.interval_seconds / 3600.0
    level, deviation = INDICATORS[indicator](hours, random)
    if making.weekend_ratio is None:
        return level, deviation
    share = np.where(hours // 24 % 7 >= 5, making.weekend_ratio, 1.0)
    return level * share, deviation * np.sqrt(share)


def _positions(first: int, points: int, making: Making, random: Generator) -> list[int]:
    apart = 200 + max(longest for _, longest, _ in making.events.values()) // 100 * 100
    positions = np.sort(random.integers(first, points - apart, 26))
    return [int(at) for at in positions[np.diff(positions, prepend=0) > apart]]


def _timed(x: Array, interval_seconds: int, indicator: str) -> pd.Series:
    if indicator != "response_seconds":
        x = np.round(x)
    return pd.Series(x, index=pd.date_range("2026-01-05", periods=len(x), freq=f"{interval_seconds}s", tz="UTC"))


def _holed(series: pd.Series, making: Making, random: Generator) -> pd.Series:
    """Values that were never delivered, one by one and for hours: not known, so positions stay as they are."""
    x = series.copy()
    x[random.random(len(x)) < making.lost_ratio] = np.nan
    for at in random.integers(0, len(x), making.gaps):
        x.iloc[at : at + int(random.integers(5, making.longest_gap))] = np.nan
    return x


def load(seed: int, of_each: int, scenarios: Sequence[Making] = BASELINE) -> list[Labelled]:
    """So many of each indicator and making."""
    random = np.random.default_rng(seed)
    return [
        labelled(indicator, making, random) for indicator in INDICATORS for making in scenarios for _ in range(of_each)
    ]
