"""Change points: found, how late, and how often in vain, online (`cusum` and others) and dated afterwards (ruptures).

python -m benchmarks.changepoint [--seed 1] [--series 60] [--write docs/explanation/detector-benchmarks.md]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from aiops_nb.offline.change_points import change_points
from aiops_nb.offline.score import score_series
from benchmarks.detection.markdown import markdown, write

POINTS, CHANGE = 1200, 800
WITHIN = 200  # points in which a change must be found
ONLINE = ("cusum", "default", "faults", "hybrid", "ewma", "median")
FALSE_ALARM_SHARE = 0.1  # of the series, before their change


def step(noise: np.ndarray, at: np.ndarray) -> np.ndarray:
    return noise + 2.0 * (at >= CHANGE)


def slope(noise: np.ndarray, at: np.ndarray) -> np.ndarray:
    return noise + np.clip((at - CHANGE) / 100.0, 0, 4)


def variance(noise: np.ndarray, at: np.ndarray) -> np.ndarray:
    return noise * np.where(at >= CHANGE, 3.0, 1.0)


def none(noise: np.ndarray, at: np.ndarray) -> np.ndarray:
    return noise


KINDS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    kind.__name__: kind for kind in (step, slope, variance, none)
}


def series(kind: str, count: int, seed: int) -> list[pd.Series]:
    random, at = np.random.default_rng(seed), np.arange(POINTS)
    times = pd.date_range("2026-01-01", periods=POINTS, freq="10s", tz="UTC")
    return [pd.Series(10.0 + KINDS[kind](random.normal(size=POINTS), at), index=times) for _ in range(count)]


def online(name: str, count: int, seed: int) -> dict[str, float]:
    """A threshold that FALSE_ALARM_SHARE of the series without a change pass in as long a time; then the changes."""
    quiet = [score_series(one, name).score.to_numpy()[400:] for one in series("none", count, seed + 1)]
    threshold = float(np.quantile([one.max() for one in quiet], 1 - FALSE_ALARM_SHARE))
    reported: dict[str, float] = {}
    for kind in KINDS:
        scores = [score_series(one, name).score.to_numpy() for one in series(kind, count, seed)]
        after = [np.flatnonzero(score[CHANGE : CHANGE + WITHIN] > threshold) for score in scores]
        delays = [one[0] for one in after if len(one)]
        reported[f"{kind} found"] = len(delays) / count
        if kind != "none":
            reported[f"{kind} delay"] = float(np.median(delays)) if delays else float("nan")
    return reported


def offline(count: int, seed: int) -> dict[str, float]:
    """A change counts as found if it is dated to within 20 points."""
    reported: dict[str, float] = {}
    for kind in KINDS:
        positions = [
            one.index.get_indexer(change_points(one.iloc[-600:]).index) - CHANGE for one in series(kind, count, seed)
        ]
        if kind == "none":
            reported["none found"] = float(np.mean([len(one) > 0 for one in positions]))
            continue
        near = [np.abs(one).min() for one in positions if len(one) and np.abs(one).min() <= 20]
        reported[f"{kind} found"] = len(near) / count
        reported[f"{kind} delay"] = float(np.median(near)) if near else float("nan")
    return reported


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--series", type=int, default=60)
    parser.add_argument("--write", type=Path, metavar="FILE")
    args = parser.parse_args()
    rows = {name: online(name, args.series, args.seed) for name in ONLINE}
    rows["ruptures, afterwards"] = offline(args.series, args.seed)
    body = markdown(pd.DataFrame(rows).T, {f"{kind} delay": 0 for kind in KINDS}, 2)
    print(body)
    if args.write:
        write(args.write, {"changepoint": body})


if __name__ == "__main__":
    main()
