"""What is expected: of each slot by its own past, and of a single number over time."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from aiops_nb.core.types import BoolArray, FloatArray, IntArray

REGULAR_RATIO = 2.0
_LARGEST_STEP = math.log(2)


class OwnBaseline:
    """Running mean of each slot, known once it took in `settle_steps` values, or one during warm-up.

    Anomalous values are not learned, nor what exceeds twice the baseline; after `accept_steps` anomalous values in a
    row, they are taken as the baseline.
    """

    def __init__(self, capacity: int, settle_steps: int, accept_steps: int) -> None:
        self._settle_steps, self._accept_steps = settle_steps, accept_steps
        self._mean = np.zeros(capacity)
        self._age, self._anomalous_for = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
        self._was_early = np.zeros(capacity, np.bool_)

    def of(self, slots: IntArray | slice) -> FloatArray:
        """The baseline of these slots, (n,); NaN where none is known yet."""
        known = (self._age[slots] >= self._settle_steps) | self._was_early[slots]
        baseline: FloatArray = np.where(known, self._mean[slots], np.nan)
        return baseline

    def regular(self, values: IntArray, slots: IntArray | slice) -> BoolArray:
        """Which slots are at most twice as busy with these values as is normal for them, (n,)."""
        regular: BoolArray = values <= REGULAR_RATIO * self.of(slots)
        return regular

    def learn(self, values: IntArray, anomalous: IntArray, taken: BoolArray, early: bool) -> None:
        """Take in the values of the first slots, (n,), where they are taken, except for the anomalous slots."""
        first = slice(len(values))
        normal = taken.copy()
        normal[anomalous] = False
        waited = np.where(taken & ~normal, self._anomalous_for[first] + 1, 0)
        accepted = waited >= self._accept_steps
        self._anomalous_for[first] = waited
        self._age[first] = np.where(accepted, self._settle_steps, self._age[first] + normal)
        known = self._was_early[first] | (self._age[first] > self._settle_steps)
        most = np.where(known & normal, REGULAR_RATIO * np.maximum(self._mean[first], 1), np.inf)
        weight = np.where(accepted, 1.0, normal / np.clip(self._age[first], 1, self._settle_steps))
        self._mean[first] += weight * (np.minimum(values, most) - self._mean[first])
        if early:
            self._was_early[first] |= values > 0

    def forget(self, slots: IntArray) -> None:
        """The slots are given up."""
        for array in (self._mean, self._age, self._anomalous_for):
            array[slots] = 0
        self._was_early[slots] = False


class BaselineLevel:
    """Running geometric mean of one number, of 1 and more; NaN before its first value.

    A value moves it as if it were at most twice, and at least half, the mean: what is only beginning is not learned.

    Examples
    --------
    >>> level = BaselineLevel(half_life_steps=100)
    >>> for value in (10, 10, 1_000):
    ...     level.learn(value)
    >>> round(level.value, 1)
    12.9
    """

    def __init__(self, half_life_steps: float) -> None:
        self._least_weight = 1 - 2 ** (-1 / half_life_steps)
        self._learned = 0
        self._log = 0.0

    @property
    def value(self) -> float:
        """The baseline level."""
        return math.expm1(self._log) if self._learned else math.nan

    def learn(self, value: float) -> None:
        """Take in one value."""
        self._learned += 1
        step = math.log1p(value) - self._log
        if self._learned > 1:
            step = min(max(step, -_LARGEST_STEP), _LARGEST_STEP)
        self._log += max(1 / self._learned, self._least_weight) * step


class BaselineRates:
    """Running means of columns of rates of each place, with a cap on how long anomalous values are excluded.

    Parameters
    ----------
    columns
        Number of rates of each place.
    settle_ticks
        Over how many windows the mean runs.
    accept_ticks
        See `OwnBaseline`.
    """

    def __init__(self, columns: int, settle_ticks: int, accept_ticks: int) -> None:
        self._settle_ticks, self._accept_ticks = settle_ticks, accept_ticks
        self._mean = np.zeros((columns, 0))
        self._age, self._anomalous_for = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def of(self, count: int, least_age: int) -> FloatArray:
        """The baseline rates, (columns, count); NaN for places that were learned fewer than `least_age` times."""
        self._make_room(count)
        baseline: FloatArray = np.where(self._age[:count] >= least_age, self._mean[:, :count], np.nan)
        return baseline

    def learn(self, rates: FloatArray, anomalous: BoolArray) -> None:
        """Take in the rates of the first places, (columns, count)."""
        count = len(anomalous)
        self._make_room(count)
        self._anomalous_for[:count] = np.where(anomalous, self._anomalous_for[:count] + 1, 0)
        accepted = self._anomalous_for[:count] >= self._accept_ticks
        learned = ~anomalous | accepted
        self._age[:count] += learned
        weight = np.where(accepted, 1.0, learned / np.clip(self._age[:count], 1, self._settle_ticks))
        self._mean[:, :count] += weight * (rates - self._mean[:, :count])

    def excluded(self, anomalous: Iterable[int]) -> bool:
        """Whether one of these places is anomalous, and not for so long that it is taken as the baseline."""
        return any(self._anomalous_for[place] < self._accept_ticks for place in anomalous)

    def _make_room(self, count: int) -> None:
        missing = count - len(self._age)
        if missing > 0:
            self._mean = np.pad(self._mean, ((0, 0), (0, missing)))
            self._age, self._anomalous_for = np.pad(self._age, (0, missing)), np.pad(self._anomalous_for, (0, missing))
