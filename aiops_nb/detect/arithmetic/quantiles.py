"""Running quantiles by stochastic approximation (Robbins and Monro 1951), O(1) a value.

By hand: the running quantiles of river and scipy keep values or are one object a series.
"""

from __future__ import annotations

from aiops_nb.core.types import FloatArray
from aiops_nb.detect.arithmetic.operations import Indices, larger, size_of, where

TINY = 1e-9


def never_zero(x: FloatArray, level: FloatArray) -> FloatArray:
    """About the rounding of sums of such values."""
    rounding: FloatArray = TINY * larger(size_of(x), size_of(level)) + 1e-300
    return rounding


def step_rate(learned: Indices, slowest: float) -> FloatArray:
    """Large steps at first, so that a wrong first value is soon left."""
    return larger(2.0 / (2.0 + learned), slowest)


def moved(quantile: FloatArray, x: FloatArray, share: float, step: FloatArray) -> FloatArray:
    """The estimate of the quantile below which `share` lie, one value later."""
    nearer = quantile + where(x > quantile, share * step, 0.0)
    return nearer - where(x < quantile, (1.0 - share) * step, 0.0)
