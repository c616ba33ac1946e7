"""The default detector against a plain reading of its recipe: floats, the usual logarithm, one point after another."""

from __future__ import annotations

from math import asinh, exp, floor, log, log10, sqrt

import numpy as np
import pandas as pd
import pytest

from aiops_nb.detect.kernels import default
from aiops_nb.offline.walk import judged
from tests.paths import ROOT

NAB = ROOT / "data" / "nab"
DAY = 288


class Scale:
    """Running mean distance from the running mean."""

    def __init__(self, first: float) -> None:
        self.seen, self.mean, self.distance = 1, first, 0.0

    def learn(self, x: float) -> None:
        rate = 1 / (1 + min(self.seen, 2000))
        self.mean += rate * (x - self.mean)
        self.distance += rate * (abs(x - self.mean) - self.distance)
        self.seen += 1


class Surprise:
    """Mean -log density of several numbers in their decayed histograms."""

    def __init__(self, offsets: np.ndarray) -> None:
        self.offsets, self.bins, self.total, self.unit = offsets, np.zeros((len(offsets), 160)), 0.0, 1.0

    def judge_and_learn(self, numbers: np.ndarray, seen: int) -> float:
        places = [
            min(max(floor(6 * asinh(2 * z) + o) + 80, 1), 158) for z, o in zip(numbers, self.offsets, strict=True)
        ]
        logs = []
        for bins, at in zip(self.bins, places, strict=True):
            near = 0.5 * bins[at] + 0.25 * bins[at - 1] + 0.25 * bins[at + 1]
            logs.append(-log((near + 0.02 * self.unit) / (self.total + self.unit)))
            bins[at] += self.unit
        self.total += self.unit
        self.unit *= 2 ** (1 / 4000)
        return float(np.mean(logs)) if seen > 20 else 0.0


class Tail:
    """-log10 of how much of a score's decayed past was as high; exponential above the highest 3 %."""

    def __init__(self) -> None:
        self.bins, self.unit = np.zeros(96), 1.0

    def judge_and_learn(self, score: float, seen: int) -> float:
        place = (log(score + 1e-6) + 5) / 0.12
        at = min(max(int(place), 0), 95)
        told = self.rarity(place, at) if seen >= 50 else 0.0
        self.unit *= 2 ** (1 / 4000)
        self.bins[at] += self.unit
        return told

    def rarity(self, place: float, at: int) -> float:
        above = np.cumsum(self.bins[::-1])[::-1]
        top = int(np.flatnonzero(above >= 0.03 * above[0])[-1])
        if at <= top:
            return -log10(above[at] / above[0])
        points = self.bins[top + 1 :] / self.unit
        excess = float(np.sum(points * np.arange(1, 96 - top))) * 0.12
        mean = (excess + 3 * 0.3) / (float(points.sum()) + 3)
        share = max(float(points.sum()) * self.unit / above[0], 0.006)
        return max(-log10(share * exp(-(place - top - 0.5) * 0.12 / mean)), 0.0)


def recipe(values: np.ndarray) -> np.ndarray:
    random = np.random.RandomState(2)
    weights = np.zeros((32, 24))
    for row in weights:
        for lag in random.permutation(24)[:4]:
            row[lag] = random.normal()
        row /= np.sqrt(np.sum(row * row))
    shapes, facts, tails = Surprise(random.random_sample(32)), Surprise(np.zeros(3)), [Tail() for _ in range(3)]
    first = values[0]
    level, steps, recent, centre, low, high = Scale(first), Scale(0.0), np.full(24, first), first, first, first
    profile, spread, days = np.zeros(DAY), np.zeros(DAY), np.zeros(DAY)
    told = []
    for seen, x in enumerate(values):
        tiny = 1e-12 * np.abs(values[: seen + 1]).max()
        scale, step, time = level.distance + tiny, x - recent[0] if seen else 0.0, seen % DAY
        step_scale = steps.distance + 0.05 * scale
        centre += 0.002 * (x - centre)
        recent = np.r_[x, recent[:-1]] if seen else recent
        off = x - profile[time] if days[time] else 0.0
        if days[time]:
            usual = (spread[time] + 0.5 * spread[(time + 1) % DAY] + 0.5 * spread[time - 1]) / 2
            limit = 6 * (usual + 0.1 * level.distance)
            clipped = min(max(off, -limit), limit) if days[time] > 3 else off
            rate = max(0.15, 1 / (days[time] + 1))
            profile[time] += rate * clipped
            spread[time] += rate * (abs(clipped) - spread[time])
        else:
            profile[time] = x
        days[time] += 1
        parts = (
            shapes.judge_and_learn(weights @ ((recent - centre) / scale), seen),
            max(x - high, low - x, 0.0) / scale if seen > 20 else 0.0,
            facts.judge_and_learn(np.array([(x - centre) / scale, step / step_scale, off / scale]), seen),
        )
        rare = [tail.judge_and_learn(part, seen) for tail, part in zip(tails, parts, strict=True)]
        told.append(sqrt(sum(one * one for one in rare) / 3) - 0.5 * log10(max(seen, 100) / 4000))
        low, high = min(low, x), max(high, x)
        if seen:
            level.learn(x)
            steps.learn(step)
    return np.maximum(told, 0.0)


@pytest.mark.parametrize("name", ["realAWSCloudwatch/rds_cpu_utilization_e47b3b", "realTweets/Twitter_volume_UPS"])
def test_the_default_is_what_its_recipe_says(name: str) -> None:
    values = pd.read_csv(NAB / f"{name}.csv.gz")["value"].to_numpy(float)[:1200]
    time_bin = np.arange(len(values), dtype=np.int64) % DAY
    raw_score = judged(default.KERNEL, default.DefaultParams(), DAY, values, time_bin, "python")[0]
    assert np.isnan(raw_score[:50]).all()
    np.testing.assert_allclose(raw_score[50:], recipe(values)[50:], atol=2e-6)
