"""Each series is judged as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, SeriesKey
from aiops_nb.detect.registry import STREAMING, build_detector

TICKS = 170
VALUES = np.random.default_rng(2).normal(10, 1, (TICKS, 3)) * np.array([1.0, 100.0, 0.01])
VALUES[150:154] *= 3


def scores(name, columns):
    detector = build_detector(STREAMING[name].params(), ("value",), 30.0)
    keys = tuple(SeriesKey(f"host{column}", metric="x") for column in columns)
    found = []
    for tick in range(TICKS):
        table = FeatureTable("samples", tick * NS_PER_SECOND, keys, ("value",), VALUES[tick, columns][np.newaxis])
        found.append(detector.score(table).score)
        detector.learn(table, np.ones(len(columns), np.bool_))
    return np.array(found)


@pytest.mark.parametrize("name", ["faults", "median", "ewma"])
def test_other_series_change_nothing(name):
    joint = scores(name, [0, 1, 2])
    assert np.isfinite(joint[150]).all()
    for column in (1, 2):
        np.testing.assert_array_equal(joint[:, column], scores(name, [column])[:, 0])
