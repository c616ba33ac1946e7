"""Preprocessing of a stream: noise removal, smoothing, clipping and scaling of n growing series, a tick at a time.

The rules that every step keeps: a value that is not finite gives NaN and changes nothing; nothing is known of the
future; a series may appear at any time, and what becomes of it does not depend on the others, to the bit.
By hand: scipy.signal and pandas filter a series that is complete, and look ahead or depend on its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import numpy as np

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import NS_PER_SECOND, FloatArray
from aiops_nb.preprocess import arithmetic as clean_judge
from aiops_nb.preprocess.check import check
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
from aiops_nb.preprocess.window import Past, Window

Judge = Callable[[FloatArray, Past], FloatArray]


class PreprocessStep(Protocol):
    """One step, or a chain of them."""

    def apply(self, values: FloatArray) -> FloatArray:
        """What becomes of this tick's value of each series, (n,) -> (n,); then the step learns the values."""


class ByPast:
    """A value is judged by the window of known values before it, then enters that window as it came.

    Memory: 8 * window + 8 bytes a series. Cost: O(n window log window) a tick.
    """

    def __init__(self, window_values: int, warmup_values: int, judge: Judge) -> None:
        self._window, self._warmup_values, self._judge = Window(window_values), warmup_values, judge

    def apply(self, values: FloatArray) -> FloatArray:
        """Judge, then learn."""
        cleaned = _judged(self._judge, values, self._window, self._warmup_values)
        self._window.learn(values, np.isfinite(values))
        return cleaned


class WithNow:
    """A value enters the window of known values, and is smoothed by it.

    Memory: 8 * window + 8 bytes a series. Cost: O(n window log window) a tick.
    """

    def __init__(self, window_values: int, warmup_values: int, judge: Judge) -> None:
        self._window, self._warmup_values, self._judge = Window(window_values), warmup_values, judge

    def apply(self, values: FloatArray) -> FloatArray:
        """Learn, then smooth."""
        self._window.learn(values, np.isfinite(values))
        return _judged(self._judge, values, self._window, self._warmup_values)


def _judged(judge: Judge, values: FloatArray, window: Window, warmup_values: int) -> FloatArray:
    past = window.past(len(values))
    cleaned = np.full(len(values), np.nan)
    ready = np.flatnonzero(np.isfinite(values) & (past.known >= warmup_values))
    if len(ready):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # values near the largest float
            cleaned[ready] = judge(values[ready], Past(past.rows[ready], past.known[ready]))
    return np.where(np.isfinite(cleaned), cleaned, np.nan)


class Ema:
    """Exponential moving mean, this value included. Memory: 8 bytes a series. Cost: O(n) a tick.

    Examples
    --------
    >>> ema = Ema(EmaParams(half_life_values=1))
    >>> [ema.apply(np.array([value])).item() for value in (0.0, 8.0, np.nan, 8.0)]
    [0.0, 4.0, nan, 6.0]
    """

    def __init__(self, params: EmaParams) -> None:
        self._weight = 1 - 0.5 ** (1 / params.half_life_values)
        self._mean = np.full(1, np.nan)

    def apply(self, values: FloatArray) -> FloatArray:
        """Move the means, and give them where there is a value."""
        self._mean = widened(self._mean, capacity_for(len(values), len(self._mean)), np.nan)
        mean = self._mean[: len(values)]
        with np.errstate(over="ignore", invalid="ignore"):
            moved = np.where(np.isnan(mean), values, mean + self._weight * (values - mean))
        known = np.isfinite(values) & np.isfinite(moved)
        mean[known] = moved[known]
        return np.where(known, moved, np.nan)


class Hold:
    """The last known value of each series, for as long as the gap may be. Memory: 16 bytes a series. Cost: O(n).

    Examples
    --------
    >>> hold = Hold(ResampleParams(interval_seconds=1, max_gap_seconds=1))
    >>> [hold.apply(np.array([value])).item() for value in (7.0, np.nan, np.nan)]
    [7.0, 7.0, nan]
    """

    def __init__(self, params: ResampleParams) -> None:
        every_ns, max_gap_ns = (round(s * NS_PER_SECOND) for s in (params.interval_seconds, params.max_gap_seconds))
        self._most_ticks = max_gap_ns // every_ns
        self._last, self._age_ticks = np.full(1, np.nan), np.zeros(1, np.int64)

    def apply(self, values: FloatArray) -> FloatArray:
        """Remember the values, and fill what is missing."""
        capacity = capacity_for(len(values), len(self._last))
        self._last, self._age_ticks = widened(self._last, capacity, np.nan), widened(self._age_ticks, capacity)
        last, age, known = self._last[: len(values)], self._age_ticks[: len(values)], np.isfinite(values)
        last[known] = values[known]
        age[:] = np.where(known, 0, age + 1)
        return np.where(age <= self._most_ticks, last, np.nan)


class Chain:
    """Steps one after the other. Memory and cost: those of its steps."""

    def __init__(self, steps: Sequence[PreprocessStep]) -> None:
        self._steps = tuple(steps)

    def apply(self, values: FloatArray) -> FloatArray:
        """Each step gets what the one before made of the values; they themselves stay as they are."""
        cleaned = np.array(values, np.float64)
        for step in self._steps:
            cleaned = step.apply(cleaned)
        return cleaned


def build_step(params: StepParams) -> PreprocessStep:
    """The step that these parameters describe, with nothing learned yet.

    Raises
    ------
    ConfigError
        If parameters are out of range or contradict each other.

    Examples
    --------
    >>> step = build_step(HampelParams(window_values=5, warmup_values=3))
    >>> [step.apply(np.array([value])).item() for value in (10.0, 11.0, 9.0, 500.0, 10.5)]
    [nan, nan, nan, 10.0, 10.5]
    """
    check(params)
    if isinstance(params, EmaParams):
        return Ema(params)
    if isinstance(params, ResampleParams):
        return Hold(params)
    if isinstance(params, SavitzkyGolayParams):
        fit = partial(clean_judge.savitzky_golay, clean_judge.end_coefficients(params))
        return WithNow(params.window_values, params.window_values, fit)
    if isinstance(params, MovingMedianParams):
        return WithNow(params.window_values, params.warmup_values, partial(clean_judge.moving_median, params))
    return ByPast(params.window_values, params.warmup_values, _judge_of(params))


def _judge_of(params: HampelParams | ClipMadParams | ClipQuantileParams | ScaleParams) -> Judge:
    if isinstance(params, HampelParams):
        return partial(clean_judge.hampel, params)
    if isinstance(params, ClipMadParams):
        return partial(clean_judge.clip_mad, params)
    if isinstance(params, ClipQuantileParams):
        return partial(clean_judge.clip_quantile, params)
    return partial(clean_judge.scale, params)


def chain(steps: Sequence[StepParams]) -> Chain:
    """The steps, one after the other; none of them leaves the values as they are.

    Raises
    ------
    ConfigError
        If a step is wrong, or resampling is not the first.
    """
    for place, params in enumerate(steps):
        if place and isinstance(params, ResampleParams):
            raise ConfigError.at(f"steps[{place}]", "resample as the first step only", "resample")
    return Chain([build_step(params) for params in steps])
