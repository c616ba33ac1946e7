"""Values of the warm-up are kept only while a series warms up."""

from __future__ import annotations

import pickle

import numpy as np

from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, SeriesKey
from aiops_nb.detect.limits.robust_z import RobustZ, RobustZParams

TICKS = 10


def shown(detector: RobustZ, ticks: range, series: int, first: int = 0) -> list[bytes]:
    """Scores of ticks in which the series from `first` on have values."""
    keys, scores = tuple(SeriesKey(str(number)) for number in range(series)), []
    for tick in ticks:
        values = 5 + np.random.default_rng(tick).normal(size=(1, series))
        values[0, :first] = np.nan
        table = FeatureTable("requests", tick * NS_PER_SECOND, keys, ("x",), values)
        scores.append(detector.score(table).score.tobytes())
        detector.learn(table, np.ones(series, np.bool_))
    return scores


def test_a_warm_detector_keeps_no_values_of_its_warm_up() -> None:
    detector = RobustZ("x", RobustZParams(warmup_ticks=TICKS), 6.0)
    shown(detector, range(TICKS - 1), 1000)
    warming = len(pickle.dumps(detector))
    shown(detector, range(TICKS - 1, TICKS + 1), 1000)
    assert len(pickle.dumps(detector)) < warming - 1000 * TICKS * 8


def test_series_that_come_later_warm_up_as_if_they_were_alone() -> None:
    later, alone = (RobustZ("x", RobustZParams(warmup_ticks=TICKS), 6.0) for _ in range(2))
    shown(later, range(TICKS + 1), 3)
    parts = shown(later, range(50, 50 + 2 * TICKS), 200, first=3), shown(alone, range(50, 50 + 2 * TICKS), 200, first=3)
    ours, theirs = (np.frombuffer(b"".join(part)).reshape(-1, 200)[:, 3:] for part in parts)
    assert np.isfinite(ours[-1]).all()
    np.testing.assert_array_equal(ours, theirs)
