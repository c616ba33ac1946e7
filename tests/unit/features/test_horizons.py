"""Moving statistics: equal to those computed anew, and not led astray by holes, jumps and huge values."""

from __future__ import annotations

import tracemalloc

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
        first = ((1_780_000_000 + at) // 4 - 9) * 4 - 1_780_000_000
        window = values[first : at + 1]
        assert 37 <= len(window) <= 40
        assert told["mean_40s"][at] == pytest.approx(window.mean(), rel=1e-12)
        assert told["std_40s"][at] == pytest.approx(window.std(), rel=1e-9)
        assert told["slope_40s"][at] == pytest.approx(np.polyfit(np.arange(len(window)), window, 1)[0], abs=0.01)


def test_a_slope_is_that_of_the_line_through_the_means_of_blocks():
    values = np.random.default_rng(0).normal(5, 1, 20)
    told = walk(values, 10.0)  # blocks of one value
    assert told["slope_10s"][-1] == pytest.approx(np.polyfit(np.arange(10), values[-10:], 1)[0], abs=1e-12)


def test_a_line_is_told_with_its_own_slope_also_where_values_are_missing():
    horizons = Horizons([100.0], tick_seconds=2.0, features=2)
    for window in range(400, 520):
        line = 3.0 + 0.25 * 2.0 * (window - 400)
        told = horizons.close(window, np.array([[line, np.nan if window % 3 else line], [5.0, np.nan]]))
    ema, slope, mean, std = told.reshape(4, 2, 2)
    assert slope[0] == pytest.approx([0.25, 0.25]) and slope[1, 0] == 0 and np.isnan(slope[1, 1])
    assert mean[0, 0] == pytest.approx(line - 0.25 * 49) and mean[1, 0] == 5.0 and np.isnan(ema[1, 1])
    assert std[0, 0] == pytest.approx(np.std(0.5 * np.arange(50))) and std[1, 0] == 0
    assert line - 15 < ema[0, 0] < line - 10


def test_a_constant_is_told_exactly():
    told = walk([0.1] * 90)
    assert set(told["mean_40s"]) == {0.1} and set(told["ema_40s"]) == {0.1}
    assert set(told["std_40s"][1:]) == {0.0} and set(told["slope_40s"][30:]) == {0.0}


@pytest.mark.parametrize("huge", [1e18, -1e200])
@pytest.mark.parametrize("before", [0, 50])
def test_a_huge_value_leaves_no_trace(huge, before):
    told, without = walk([*[0.25, 0.75] * before, huge, 0.75, *[0.25, 0.75] * 50]), walk([0.25, 0.75] * (before + 51))
    assert not told["std_40s"][2 * before + 10] < 1e17
    for name in ("mean_40s", "std_40s", "slope_40s"):
        assert told[name][-1] == without[name][-1]


def test_a_hole_changes_nothing_and_an_old_value_goes():
    told = walk([1.0] * 50 + [np.nan] * 60 + [3.0])
    assert told["mean_40s"][60] == 1.0
    assert np.isnan(told["mean_40s"][95]) and np.isnan(told["std_40s"][95]) and np.isnan(told["slope_40s"][95])
    assert told["ema_40s"][60] == 1.0 and np.isnan(told["ema_40s"][95])
    assert told["mean_40s"][110] == 3.0 and told["ema_40s"][110] == pytest.approx(1 + 2 * 61 / 81)


def test_windows_may_be_left_out():
    horizons = Horizons([40.0], tick_seconds=1.0)
    for window in range(50):
        horizons.close(window, np.array([[1.0]]))
    assert horizons.close(1000, np.array([[7.0]]))[NAMES.index("mean_40s"), 0] == 7.0


def test_a_slope_waits_for_half_of_the_horizon_and_for_three_values():
    told = walk([float(at) for at in range(30)])
    assert np.isnan(told["slope_40s"][:19]).all() and told["slope_40s"][24:] == pytest.approx(1.0)
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
    names = horizon_names([10.0, 20.0], ["a", "b"])
    by_name = dict(zip(names, told, strict=True))
    assert by_name["a_mean_10s"] == by_name["a_mean_20s"] == by_name["a_ema_10s"] == 5.0
    assert by_name["b_slope_10s"] == by_name["b_slope_20s"] == 3.0
    assert by_name["b_mean_10s"] == 3 * 34.5 and by_name["b_mean_20s"] == 3 * 29.5


def test_no_horizons_give_no_features():
    assert Horizons([], tick_seconds=1.0).close(0, np.ones((1, 3))).shape == (0, 3)


def test_no_series_give_no_columns():
    assert Horizons([60.0, 300.0], tick_seconds=1.0, features=3).close(0, np.ones((3, 0))).shape == (24, 0)


def test_horizons_of_any_length_keep_within_it():
    for seconds in (0.1, 1.0, 3.0, 11.0, 15.0, 47.0):
        told = walk(np.arange(150.0), seconds)
        spans = 2 * (149 - told[f"mean_{seconds:g}s"][-1]) + 1
        assert spans <= max(seconds, 1) and spans >= 0.75 * seconds


def test_memory_is_a_quarter_of_a_kilobyte_a_feature_series_and_horizon():
    horizons = Horizons([300.0], tick_seconds=1.0, features=4)
    tracemalloc.start()
    horizons.close(0, np.ones((4, 1 << 14)))
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept / (1 << 14) / 4 < 300  # the answer, 32 bytes, among it
