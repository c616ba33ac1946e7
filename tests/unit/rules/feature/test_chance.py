"""When so many bad ones of a window are more than chance, from the first minutes of a series on."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, SeriesKey
from aiops_nb.rules.feature.chance import ChanceParams, SignificanceTest

USUAL, SOME, NONE = np.ones(1, np.bool_), np.zeros(0, np.bool_), np.zeros(1, np.bool_)


def window(second, bad, of=120.0):
    names, values = ("span_error_count", "span_count"), np.array([[bad], [of]])
    return FeatureTable("requests", second * NS_PER_SECOND, (SeriesKey("a"),), names, values)


def after(seconds, bad):
    chance = SignificanceTest(ChanceParams())
    for second in range(seconds):
        chance.learn(window(second, bad), USUAL, SOME)
    return chance


@pytest.mark.parametrize("seconds", [50, 110, 130, 1000])
def test_what_is_usual_is_known_from_the_first_minute_on(seconds):
    of_three_percent, of_none = after(seconds, 3.6), after(seconds, 0.0)
    assert not of_three_percent.holds(window(seconds, 13.0))[0] and of_none.holds(window(seconds, 13.0))[0]
    assert of_three_percent.holds(window(seconds, 30.0))[0]


def test_windows_that_are_anomalous_from_the_start_do_not_become_usual():
    chance = SignificanceTest(ChanceParams())
    for second in range(100):
        chance.learn(window(second, 60.0), NONE, SOME)
        assert chance.holds(window(second, 60.0))[0]
