"""What holds of every step, on random series with gaps, ties and outliers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.core.types import FloatArray
from aiops_nb.offline.preprocess import preprocess_frame
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
from aiops_nb.preprocess.steps import chain

STEPS: dict[str, list[StepParams]] = {
    "hampel": [HampelParams(window_values=7, warmup_values=3)],
    "ema": [EmaParams()],
    "savitzky_golay": [SavitzkyGolayParams(window_values=9, degree=2)],
    "moving_median": [MovingMedianParams()],
    "clip_quantile": [ClipQuantileParams(window_values=13, warmup_values=4, lower_quantile=0.1, upper_quantile=0.9)],
    "clip_mad": [ClipMadParams(window_values=13, warmup_values=4, deviations=1.5)],
    "standard": [ScaleParams(method="standard", window_values=13, warmup_values=4)],
    "robust": [ScaleParams(method="robust", window_values=13, warmup_values=4)],
    "min_max": [ScaleParams(method="min_max", window_values=13, warmup_values=4)],
    "chain": [HampelParams(), SavitzkyGolayParams(), ScaleParams(warmup_values=4)],
}
GRID = [ResampleParams(interval_seconds=1, max_gap_seconds=2)]
every_step = pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
every_step_and_grid = pytest.mark.parametrize("steps", [*STEPS.values(), GRID], ids=[*STEPS, "resample"])
quickly = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def some_values(seed: int, series: int = 3, ticks: int = 60) -> FloatArray:
    """Random walks, some rounded so that values repeat, with outliers and gaps."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(ticks, series)).cumsum(axis=0).round(int(rng.integers(0, 12)))
    values[rng.random(values.shape) < 0.05] *= 100
    values[rng.random(values.shape) < 0.15] = np.nan
    return values


def streamed(steps: Sequence[StepParams], values: FloatArray) -> FloatArray:
    """Each row a tick."""
    step = chain(steps)
    return np.array([step.apply(row) for row in values])


@every_step_and_grid
@given(seed=seeds, end=st.integers(1, 59))
@quickly
def test_the_results_of_a_beginning_are_the_beginning_of_the_results(
    steps: list[StepParams], seed: int, end: int
) -> None:
    values = some_values(seed)
    np.testing.assert_array_equal(streamed(steps, values[:end]), streamed(steps, values)[:end])


@every_step_and_grid
@given(seed=seeds)
@quickly
def test_a_series_among_others_that_appear_midway_is_what_it_is_alone(steps: list[StepParams], seed: int) -> None:
    values, step = some_values(seed, series=9), chain(steps)
    together = [step.apply(row[: 1 + tick // 7]) for tick, row in enumerate(values)]
    for series in range(9):
        alone = streamed(steps, values[7 * series :, series : series + 1])[:, 0]
        np.testing.assert_array_equal([row[series] for row in together[7 * series :]], alone)


@every_step
@given(seed=seeds)
@quickly
def test_an_unknown_value_stays_unknown_and_changes_nothing(steps: list[StepParams], seed: int) -> None:
    values = some_values(seed, series=1)
    known = np.isfinite(values[:, 0])
    cleaned = streamed(steps, values)
    assert np.isnan(cleaned[~known]).all()
    if known.any():
        np.testing.assert_array_equal(cleaned[known], streamed(steps, values[known]))


@every_step
@given(value=st.floats(-1e12, 1e12))
@quickly
def test_a_constant_series_stays_constant_or_scales_to_nothing(steps: list[StepParams], value: float) -> None:
    cleaned = streamed(steps, np.full((60, 1), value))
    known = cleaned[np.isfinite(cleaned)]
    scaled = isinstance(steps[-1], ScaleParams)
    assert len(known) > 20
    assert (known == (0.0 if scaled else value)).all()


@every_step
@given(seed=seeds, exponent=st.integers(-20, 20))
@quickly
def test_another_unit_scales_the_result_along_or_not_at_all(steps: list[StepParams], seed: int, exponent: int) -> None:
    values, factor = some_values(seed), 2.0**exponent  # powers of two: exact, whatever was rounded on the way
    scaled = isinstance(steps[-1], ScaleParams)
    expected = streamed(steps, values) * (1 if scaled else factor)
    np.testing.assert_array_equal(streamed(steps, values * factor), expected)


@every_step
@given(seed=seeds)
@quickly
def test_a_frame_gives_what_the_stream_gives(steps: list[StepParams], seed: int) -> None:
    values = some_values(seed)
    cleaned = preprocess_frame(pd.DataFrame(values, columns=list("abc")), steps)
    np.testing.assert_array_equal(cleaned.to_numpy(), streamed(steps, values))


@given(seed=seeds, gap=st.sampled_from([0.0, 1.0, 2.5, 7.0]))
@quickly
def test_on_an_even_grid_resampling_a_frame_gives_what_the_stream_gives(seed: int, gap: float) -> None:
    values = some_values(seed)
    index = pd.date_range("2026-01-01", periods=len(values), freq="s", tz="UTC")
    steps = [ResampleParams(interval_seconds=1, max_gap_seconds=gap), EmaParams()]
    cleaned = preprocess_frame(pd.DataFrame(values, index), steps)
    assert cleaned.index.equals(index)
    np.testing.assert_array_equal(cleaned.to_numpy(), streamed(steps, values))


@given(seed=seeds, end=st.integers(1, 59))
@quickly
def test_the_grid_of_a_beginning_is_the_beginning_of_the_grid(seed: int, end: int) -> None:
    seconds = np.sort(np.random.default_rng(seed).random(60) * 40)
    frame = pd.DataFrame(some_values(seed), pd.Timestamp("2026-01-01") + pd.to_timedelta(seconds, unit="s"))
    beginning, whole = preprocess_frame(frame[:end], GRID), preprocess_frame(frame, GRID)
    pd.testing.assert_frame_equal(beginning, whole[: len(beginning)], check_freq=False)


@given(seed=seeds)
@quickly
def test_what_is_to_come_changes_nothing(seed: int) -> None:
    values = some_values(seed)
    for steps in STEPS.values():
        other = np.vstack([values[:30], 1e6 - values[30:]])
        np.testing.assert_array_equal(streamed(steps, other)[:30], streamed(steps, values)[:30])
