"""Cost of each detector in a tick of many series, its memory, and how fast it walks one series.

python -m benchmarks.detector_cost
"""

from __future__ import annotations

import pickle
import statistics
import time

import numpy as np

from aiops_nb.core.protocols import Detector
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, SeriesKey
from aiops_nb.detect.estimators.isolation_forest import IsolationForestParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.registry import STREAMING, build_detector
from aiops_nb.detect.time_of_day import day_bins, week_bin
from aiops_nb.offline.walk import Way, judged

SERIES = (1_000, 10_000)
WARM_TICKS, TICKS = 62, 15
FOREST_FEATURES = ("rate_hz", "error_ratio", "duration_p95_seconds", "duration_mean_seconds")
WAYS: tuple[tuple[Way, int], ...] = (("python", 4_000), ("numba", 100_000))


def tables(series: int, features: tuple[str, ...]) -> list[FeatureTable]:
    """Ticks of noise."""
    keys = tuple(SeriesKey(f"target-{number}") for number in range(series))
    random = np.random.default_rng(0)
    return [
        FeatureTable("requests", tick * NS_PER_SECOND, keys, features, 5 + random.normal(size=(len(features), series)))
        for tick in range(WARM_TICKS + TICKS)
    ]


def tick_ms(detector: Detector, ticks: list[FeatureTable]) -> float:
    """Median milliseconds of processor time to score and learn a tick, once warm."""
    costs, every = [], np.ones(len(ticks[0].series), np.bool_)
    for table in ticks:
        began = time.process_time()
        detector.score(table)
        detector.learn(table, every)
        costs.append(time.process_time() - began)
    return statistics.median(costs[WARM_TICKS:]) * 1e3


def live_detectors() -> dict[str, tuple[Detector, ...]]:
    """A new one of each for each number of series."""
    built = {
        name: tuple(build_detector(one.params(), FOREST_FEATURES[:1], 50.0) for _ in SERIES)
        for name, one in STREAMING.items()
    }
    robust = tuple(build_detector(RobustZParams(), FOREST_FEATURES[:1], 6.0) for _ in SERIES)
    forest = tuple(build_detector(IsolationForestParams(), FOREST_FEATURES, 60.0) for _ in SERIES)
    return {**built, "robust_z": robust, "isolation_forest": forest}


def points_per_second(name: str, way: Way, points: int) -> float:
    """Of a walk over one series; what compiling takes is not counted."""
    one, bins = STREAMING[name], day_bins(60.0)
    x = np.random.default_rng(0).normal(size=points)
    time_bin = week_bin(np.arange(points) * 60 * NS_PER_SECOND, bins)
    judged(one.kernel, one.params(), bins, x[:100], time_bin[:100], way)
    began = time.process_time()
    judged(one.kernel, one.params(), bins, x, time_bin, way)
    return points / (time.process_time() - began)


def main() -> None:
    """Print the table."""
    ticks = {count: (tables(count, FOREST_FEATURES[:1]), tables(count, FOREST_FEATURES)) for count in SERIES}
    print("| detector | tick of 1,000 | tick of 10,000 | a series | plain | compiled |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, (few, many) in live_detectors().items():
        several = int(len(many.features) > 1)
        costs = tick_ms(few, ticks[SERIES[0]][several]), tick_ms(many, ticks[SERIES[1]][several])
        size = len(pickle.dumps(many)) / SERIES[1] / 1024
        of_one = name in STREAMING
        speeds = [points_per_second(name, way, points) for way, points in WAYS] if of_one else ()
        reported = " | ".join(f"{speed:,.0f}/s" for speed in speeds) if of_one else "- | -"
        print(f"| {name} | {costs[0]:.1f} ms | {costs[1]:.1f} ms | {size:.1f} KB | {reported} |", flush=True)


if __name__ == "__main__":
    main()
