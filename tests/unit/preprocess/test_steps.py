"""Each step of preprocessing on small literal series, and against scipy where both mean the same."""

from __future__ import annotations

import pickle

import msgspec
import numpy as np
import pytest
from scipy.signal import savgol_coeffs, savgol_filter

from aiops_nb.core.errors import ConfigError
from aiops_nb.preprocess.arithmetic import end_coefficients
from aiops_nb.preprocess.params import (
    ClipMadParams,
    ClipQuantileParams,
    EmaParams,
    HampelParams,
    MovingMedianParams,
    ResampleParams,
    SavitzkyGolayParams,
    ScaleParams,
    StepParams,
)
from aiops_nb.preprocess.steps import build_step, chain

NAN = float("nan")


def streamed(params: StepParams, values: list[float]) -> list[float]:
    """One series through one step."""
    step = build_step(params)
    return [step.apply(np.array([value])).item() for value in values]


CASES = [
    (HampelParams(window_values=5, warmup_values=3), [10, 11, 9, 500, 10.5, -500], [NAN, NAN, NAN, 10, 10.5, 10.5]),
    (HampelParams(window_values=3, warmup_values=3), [0, 0, 0, 5, 0], [NAN, NAN, NAN, 5, 0]),
    (HampelParams(window_values=3, warmup_values=3, min_deviation=1), [0, 0, 0, 5, 2], [NAN, NAN, NAN, 0, 2]),
    (HampelParams(window_values=3, warmup_values=3, min_deviation_ratio=0.1), [9, 9, 9, 12, 11], [NAN] * 3 + [9, 11]),
    (EmaParams(half_life_values=1), [0, 8, NAN, 8], [0, 4, NAN, 6]),
    (EmaParams(half_life_values=1), [float("inf"), 8, float("-inf"), 4], [NAN, 8, NAN, 6]),
    (MovingMedianParams(window_values=3), [1, 50, 3, NAN, 4], [1, 25.5, 3, NAN, 4]),
    (MovingMedianParams(window_values=3, warmup_values=3), [1, 50, 3], [NAN, NAN, 3]),
    (SavitzkyGolayParams(window_values=3, degree=1), [1, 2, 3, 4, NAN, 5], [NAN, NAN, 3, 4, NAN, 5]),
    (
        ClipQuantileParams(window_values=4, warmup_values=3, lower_quantile=0, upper_quantile=1),
        [1, 2, 3, 9, -9],
        [NAN, NAN, NAN, 3, 1],
    ),
    (ClipQuantileParams(window_values=3, warmup_values=3), [4, 4, 4, 5], [NAN, NAN, NAN, 5]),
    (
        ClipMadParams(window_values=3, warmup_values=3, deviations=0.6745),
        [1, 2, 3, 9, -9],
        [NAN, NAN, NAN, 3, 2],
    ),
    (ScaleParams(method="min_max", window_values=3, warmup_values=2), [2, 4, 3, 6, NAN], [NAN, NAN, 0.5, 2, NAN]),
    (ScaleParams(method="robust", window_values=5, warmup_values=5), [1, 2, 3, 4, 5, 7], [NAN] * 5 + [2]),
    (ScaleParams(method="standard", window_values=4, warmup_values=4), [1, 3, 1, 3, 5], [NAN] * 4 + [3]),
    (ScaleParams(window_values=3, warmup_values=3), [0.1, 0.1, 0.1, 0.1, 7], [NAN] * 3 + [0, NAN]),
    (ScaleParams(window_values=3, warmup_values=3, min_spread=2), [1, 1, 1, 1, 7], [NAN] * 3 + [0, 3]),
    (ResampleParams(interval_seconds=2, max_gap_seconds=5), [NAN, 7, NAN, NAN, NAN, 1], [NAN, 7, 7, 7, NAN, 1]),
    (ResampleParams(interval_seconds=1, max_gap_seconds=0), [7, NAN, 1], [7, NAN, 1]),
]


@pytest.mark.parametrize(("params", "values", "expected"), CASES)
def test_a_step_makes_of_a_short_series(params: StepParams, values: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(streamed(params, values), expected, rtol=1e-12)


def test_a_new_level_is_no_noise_once_it_is_half_of_the_window() -> None:
    values = [1.0, 2.0] * 5 + [101.0, 102.0] * 5
    cleaned = streamed(HampelParams(window_values=6, warmup_values=6), values)
    assert all(value < 3 for value in cleaned[10:13])
    assert cleaned[14:] == values[14:]


@pytest.mark.parametrize(("window", "degree"), [(5, 0), (5, 2), (11, 3), (12, 2), (101, 4), (1001, 3)])
def test_coefficients_are_those_of_scipy_at_the_end_of_the_window(window: int, degree: int) -> None:
    params = SavitzkyGolayParams(window_values=window, degree=degree)
    theirs = savgol_coeffs(window, degree, pos=window - 1, use="dot")
    np.testing.assert_allclose(end_coefficients(params), theirs, atol=1e-9)


def test_smoothing_equals_the_last_point_of_scipys_filter_of_each_beginning() -> None:
    values = np.random.default_rng(1).normal(size=80).cumsum()
    ours = streamed(SavitzkyGolayParams(window_values=11, degree=3), values.tolist())
    theirs = [savgol_filter(values[:end], 11, 3, mode="interp")[-1] for end in range(11, 81)]
    assert np.isnan(ours[:10]).all()
    np.testing.assert_allclose(ours[10:], theirs, rtol=1e-9, atol=1e-9)


def test_a_chain_applies_its_steps_in_order_and_leaves_the_values_alone() -> None:
    values = np.array([4.0, np.nan])
    steps = chain([ResampleParams(), EmaParams(half_life_values=1)])
    assert steps.apply(values)[0] == 4
    assert steps.apply(np.array([np.nan, 6.0])).tolist() == [4, 6]
    np.testing.assert_array_equal(values, [4.0, np.nan])


def test_an_empty_chain_gives_a_copy() -> None:
    values = np.array([4.0])
    cleaned = chain([]).apply(values)
    assert cleaned.tolist() == [4.0]
    assert cleaned is not values


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (HampelParams(window_values=5, warmup_values=9), "hampel.warmup_values: expected a number <= window_values"),
        (SavitzkyGolayParams(window_values=3, degree=3), "savitzky_golay.degree"),
        (ClipQuantileParams(lower_quantile=0.9, upper_quantile=0.1), "clip_quantile.lower_quantile"),
        (EmaParams(half_life_values=0), r"ema: Expected `float` > 0\.0 - at `\$\.half_life_values`"),
        (ScaleParams(method="log"), "scale: Invalid enum value 'log'"),
        (ResampleParams(interval_seconds=1e-10), "resample.interval_seconds"),
    ],
)
def test_wrong_parameters_are_named(params: StepParams, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        build_step(params)


def test_resampling_comes_first() -> None:
    with pytest.raises(ConfigError, match=r"steps\[1\]: expected resample as the first step only"):
        chain([EmaParams(), ResampleParams()])


def test_steps_are_told_apart_by_their_type() -> None:
    text = b'[{"type": "hampel", "window_values": 7}, {"type": "scale", "method": "robust"}]'
    steps = msgspec.json.decode(text, type=tuple[StepParams, ...])
    assert steps == (HampelParams(window_values=7), ScaleParams(method="robust"))
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'[{"type": "ema", "window": 7}]', type=tuple[StepParams, ...])


@pytest.mark.parametrize("params", sorted({type(case[0]) for case in CASES}, key=str), ids=lambda kind: kind.__name__)
def test_a_step_pickled_midway_goes_on_the_same(params: type[StepParams]) -> None:
    values = np.random.default_rng(2).normal(size=(120, 3))
    step = chain([params()])
    for row in values[:60]:
        step.apply(row)
    again = pickle.loads(pickle.dumps(step))
    for row in values[60:]:
        np.testing.assert_array_equal(step.apply(row), again.apply(row))


@pytest.mark.parametrize("params", sorted({type(case[0]) for case in CASES}, key=str), ids=lambda kind: kind.__name__)
def test_values_near_the_largest_float_give_a_number_or_nan(params: type[StepParams]) -> None:
    step = build_step(params())
    huge = np.where(np.random.default_rng(3).random((400, 2)) < 0.5, 1.7e308, -1.7e308)
    assert not np.isinf([step.apply(row) for row in huge]).any()
