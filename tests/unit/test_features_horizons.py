"""Moving statistics: equal to those computed anew, and not led astray by holes, jumps and huge values."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.features.horizons import Horizons, horizon_names

NAMES = horizon_names([40.0])


def walk(values: list[float] | np.ndarray, horizon_seconds: float = 40.0) -> dict[str, np.ndarray]:
    horizons = Horizons([horizon_seconds], tick_seconds=1.0)
    told = [horizons.close(1_780_000_000 + at, np.array([[value]]))[:, 0] for at, value in enumerate(values)]
    return dict(zip(horizon_names([horizon_seconds]), np.array(told).T, strict=True))


def test_moments_are_those_of_the_last_values():
    values = np.random.default_rng(0).normal(5, 1, 203)
    told = walk(values)
    for at in range(45, 203):
        first = ((1_780_000_000 + at) // 2 - 19) * 2 - 1_780_000_000
        window = values[first : at + 1]
        assert 39 <= len(window) <= 40
        assert told["mean_40s"][at] == pytest.approx(window.mean(), rel=1e-12)
        assert told["std_40s"][at] == pytest.approx(window.std(), rel=1e-9)
        assert told["slope_40s"][at] == pytest.approx(np.polyfit(np.arange(len(window)), window, 1)[0], abs=1e-12)


def test_a_constant_is_told_exactly():
    told = walk([0.1] * 90)
    assert set(told["mean_40s"]) == {0.1} and set(told["ema_40s"]) == {0.1}
    assert set(told["std_40s"][1:]) == {0.0} and set(told["slope_40s"][30:]) == {0.0}


def test_a_huge_value_leaves_no_trace():
    told, without = walk([*[0.25, 0.75] * 50, 1e18, 0.75, *[0.25, 0.75] * 50]), walk([0.25, 0.75] * 101)
    assert told["std_40s"][110] > 1e17
    for name in ("mean_40s", "std_40s", "slope_40s"):
        assert told[name][-1] == without[name][-1]


def test_a_hole_changes_nothing_and_an_old_value_goes():
    told = walk([1.0] * 50 + [np.nan] * 60 + [3.0])
    assert told["mean_40s"][60] == 1.0
    assert np.isnan(told["mean_40s"][95]) and np.isnan(told["std_40s"][95]) and np.isnan(told["slope_40s"][95])
    assert told["ema_40s"][109] == 1.0
    assert told["mean_40s"][110] == 3.0 and told["ema_40s"][110] == pytest.approx(1 + 2 * 61 / 81)


def test_windows_may_be_left_out():
    horizons = Horizons([40.0], tick_seconds=1.0)
    for window in range(50):
        horizons.close(window, np.array([[1.0]]))
    assert horizons.close(1000, np.array([[7.0]]))[NAMES.index("mean_40s"), 0] == 7.0


def test_a_slope_waits_for_half_of_the_horizon_and_for_three_values():
    told = walk([float(at) for at in range(30)])
    assert np.isnan(told["slope_40s"][:19]).all() and told["slope_40s"][22:] == pytest.approx(1.0)
    once_a_minute = [float(at // 60) if at % 60 == 0 else np.nan for at in range(400)]
    assert np.isnan(walk(once_a_minute)["slope_40s"]).all()
    assert walk(once_a_minute, 300.0)["slope_300s"][361] == pytest.approx(1 / 60)


def test_a_series_alone_and_among_others_is_told_the_same_to_the_bit():
    values = np.random.default_rng(1).normal(size=(2, 130, 200))
    alone, together = (Horizons([7.0, 60.0], tick_seconds=1.0, features=2) for _ in range(2))
    for window in range(130):
        many = together.close(window, values[:, window, : 3 if window < 20 else 200])
        one = alone.close(window, values[:, window, 2:3])
        assert np.array_equal(many[:, 2:3], one, equal_nan=True)


def test_statistics_stand_in_the_order_of_their_names():
    horizons = Horizons([10.0, 20.0], tick_seconds=1.0, features=2)
    for window in range(40):
        told = horizons.close(window, np.array([[5.0], [3.0 * window]]))[:, 0].round(3).tolist()
    names = [*horizon_names([10.0, 20.0], stem="a_"), *horizon_names([10.0, 20.0], stem="b_")]
    by_name = dict(zip(names, told, strict=True))
    assert by_name["a_mean_10s"] == by_name["a_mean_20s"] == by_name["a_ema_10s"] == 5.0
    assert by_name["b_slope_10s"] == by_name["b_slope_20s"] == 3.0
    assert by_name["b_mean_10s"] == 3 * 34.5 and by_name["b_mean_20s"] == 3 * 29.5


def test_no_horizons_give_no_features():
    assert Horizons([], tick_seconds=1.0).close(0, np.ones((1, 3))).shape == (0, 3)


def test_no_series_give_no_columns():
    assert Horizons([60.0, 300.0], tick_seconds=1.0, features=3).close(0, np.ones((3, 0))).shape == (24, 0)
