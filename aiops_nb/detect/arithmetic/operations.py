"""The operations that detectors are written in: here for many series, in `offline/scalar_operations.py` for one.

A kernel is a function of these, of + - * / and of comparisons, without branches on values. Run with `series` an array
of indices it judges many series in numpy; the same source, bound to those scalar operations, judges one series in
plain Python or compiled by numba. All three give equal results to the last bit, because sums are left folds and the
logarithm is our own: those of numpy, of the C library and of a compiler differ in the last digit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from aiops_nb import kernel
from aiops_nb.core.types import BoolArray, FloatArray

Numbers = npt.NDArray[Any]
Indices = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.float32]

LN2 = 0.6931471805599453
LOG10_E = 0.4342944819032518
SQRT_HALF = 0.7071067811865476
LN2_HIGH = 0.693147180369123816490  # LN2 in two parts (fdlibm): the first times a whole number is exact
LN2_LOW = 1.90821492927058770002e-10
EXP_TERMS = 14
NAN = float("nan")


def where(condition: BoolArray, yes: Numbers | float, no: Numbers | float) -> Numbers:
    """`yes` where the condition holds, else `no`."""
    return np.where(condition, yes, no)


def larger(a: Numbers, b: Numbers | float) -> Numbers:
    """The larger of two, element by element."""
    return np.maximum(a, b)


def smaller(a: Numbers, b: Numbers | float) -> Numbers:
    """The smaller of two, element by element."""
    return np.minimum(a, b)


def size_of(a: Numbers) -> Numbers:
    """The absolute value."""
    magnitude: Numbers = np.abs(a)
    return magnitude


def root(a: Numbers) -> Numbers:
    """The square root."""
    square_root: Numbers = np.sqrt(a)
    return square_root


def whole(a: FloatArray) -> Indices:
    """The integer towards 0."""
    return a.astype(np.int64)


def wide(a: Weights | Bytes) -> FloatArray:
    """As float64, in which all arithmetic is done."""
    return a.astype(np.float64)


def mantissa_exponent(a: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split into m in [0.5, 1) and an exponent of two."""
    mantissa, exponent = np.frexp(a)
    return mantissa, exponent.astype(np.float64)


def bin_of(edges: FloatArray, a: FloatArray) -> Indices:
    """Number of edges that are at most `a`."""
    return np.searchsorted(edges, a, side="right")


def upper_tail(
    weights: Weights, first: Indices, size: int, bin_at: Indices, mass: FloatArray
) -> tuple[Indices, FloatArray, FloatArray, FloatArray]:
    """Of a histogram of `size` bins from `first` on, seen from above; not looked at, so all 0, where `bin_at` is 0.

    Returns
    -------
    tuple
        The highest bin at and above which there is at least `mass`; the mass above it; the sum over the bins above it
        of the mass at and above each; the mass at and above `bin_at`.
    """
    if kernel.compiled is not None and weights.flags.c_contiguous:
        top, rest = np.empty(len(bin_at), np.int64), np.empty((3, len(bin_at)))
        kernel.compiled.upper_tail(weights, first, size, bin_at, mass, top, rest)
        return top, rest[0], rest[1], rest[2]
    looked = np.flatnonzero(bin_at)
    if len(looked) < len(bin_at):
        some = upper_tail(weights, first[looked], size, bin_at[looked], mass[looked]) if len(looked) else ()
        return _spread(len(bin_at), looked, some)
    from_top = weights.reshape(-1, size)[first // size].T[::-1].astype(np.float64, order="C")
    mass_from_top = np.add.accumulate(from_top, axis=0)
    rank = np.add.reduce(mass_from_top < mass, axis=0)  # of the highest bin with that mass, from the top
    beyond = np.where(np.arange(size)[:, None] < rank, mass_from_top, 0.0)
    series = np.arange(len(rank))
    above = np.where(rank > 0, mass_from_top[rank - 1, series], 0.0)
    return size - 1 - rank, above, np.add.reduce(beyond, axis=0), mass_from_top[size - 1 - bin_at, series]


def _spread(
    count: int, indices: Indices, some: tuple[Numbers, ...]
) -> tuple[Indices, FloatArray, FloatArray, FloatArray]:
    top, rest = np.zeros(count, np.int64), np.zeros((3, count))
    if some:
        top[indices], rest[:, indices] = some[0], np.stack(some[1:])
    return top, rest[0], rest[1], rest[2]


def shrink(weights: Weights, first: Indices, size: int, weight: FloatArray, limit: float) -> FloatArray:
    """Divide histograms whose unit of weight has passed `limit` by that unit; returns the divisors (1: untouched)."""
    divisor = np.where(weight > limit, weight, 1.0)
    for row in np.flatnonzero(weight > limit):
        block = slice(first[row], first[row] + size)
        weights[block] = weights[block].astype(np.float64) / divisor[row]
    return divisor


def log(a: Numbers) -> FloatArray:
    """Natural logarithm of a positive number, to about 1e-16, by arithmetic alone.

    The series of 2 artanh((m - 1) / (m + 1)) after the exponent of two is taken out.

    Examples
    --------
    >>> [round(float(value), 12) for value in log(np.array([1.0, 2.0, 1e-6]))]
    [0.0, 0.69314718056, -13.815510557964]
    """
    mantissa, exponent = mantissa_exponent(a)
    low = mantissa < SQRT_HALF
    mantissa = where(low, mantissa + mantissa, mantissa)
    exponent = where(low, exponent - 1.0, exponent)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    q = s * s
    tail = 1 / 11 + q * (1 / 13 + q * (1 / 15 + q * (1 / 17 + q * (1 / 19))))
    series = q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * tail))))
    return exponent * LN2 + 2.0 * (s + s * series)


def exp(a: Numbers) -> FloatArray:
    """E to the power of numbers from -700 to 700, to about 1e-15, by arithmetic alone; below, 0.

    numpy's differs in the last digit between processors (it has other code for AVX-512), so that a replay on another
    machine would differ.

    Examples
    --------
    >>> [float(value) for value in exp(np.array([0.0, 1.0, -700.0])).round(12)]
    [1.0, 2.718281828459, 0.0]
    """
    bounded = np.minimum(np.maximum(a, -745.0), 709.0)
    halves = np.floor(bounded / LN2 + 0.5)
    rest = (bounded - halves * LN2_HIGH) - halves * LN2_LOW
    series = np.ones_like(rest)
    for number in range(EXP_TERMS, 0, -1):
        series = 1.0 + series * rest / number
    scaled: FloatArray = np.ldexp(series, np.where(np.isnan(halves), 0.0, halves).astype(np.int64))
    return scaled
