"""Running a kernel without numpy over many series: one series in plain Python, or compiled by numba.

A kernel's code is kept and its names are rebound: the operations of `operations.py` to scalar ones, other kernels to
themselves rebound, tables to lists. Nothing is written twice but the operations, and a test compares the results.
No library runs one source in numpy, in plain Python and under numba to the same bits.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

import numpy as np

Kernel = Callable[..., Any]


def where(condition: bool, yes: float, no: float) -> float:
    """`yes` if the condition holds, else `no`."""
    return yes if condition else no


def larger(a: float, b: float) -> float:
    """The larger of two."""
    return a if a > b else b


def smaller(a: float, b: float) -> float:
    """The smaller of two."""
    return a if a < b else b


def mantissa_exponent(a: float) -> tuple[float, float]:
    """Split into m in [0.5, 1) and an exponent of two."""
    mantissa, exponent = math.frexp(a)
    return mantissa, float(exponent)


def upper_tail(weights: Any, first: int, size: int, bin_at: int, mass: float) -> tuple[int, float, float, float]:
    """See `operations.upper_tail`."""
    if bin_at == 0:
        return 0, 0.0, 0.0, 0.0
    total = above = excess = 0.0
    top = size - 1
    while top > 0:
        total += float(weights[first + top])
        if total >= mass:
            break
        above, excess, top = total, excess + total, top - 1
    at, here = size, 0.0
    while at > bin_at:
        at -= 1
        here += float(weights[first + at])
    return top, above, excess, here


def shrink(weights: Any, first: int, size: int, weight: float, limit: float) -> float:
    """See `operations.shrink`."""
    if weight <= limit:
        return 1.0
    for at in range(first, first + size):
        weights[at] = float(weights[at]) / weight
    return weight


def bin_of(edges: Any, a: float) -> int:
    """Number of edges that are at most `a`, by bisection."""
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) // 2
        if edges[middle] <= a:
            low = middle + 1
        else:
            high = middle
    return low


ONE_SERIES: dict[str, Any] = {
    "where": where,
    "larger": larger,
    "smaller": smaller,
    "size_of": abs,
    "root": math.sqrt,
    "whole": int,
    "wide": float,
    "mantissa_exponent": mantissa_exponent,
    "bin_of": bisect_right,
    "upper_tail": upper_tail,
    "shrink": shrink,
}
COMPILABLE: dict[str, Any] = {**ONE_SERIES, "bin_of": bin_of}
BUILT_IN = (abs, int, float, math.sqrt)


def in_python(kernel: Kernel, parts: Mapping[str, Kernel]) -> Kernel:
    """The kernel for one series, in plain Python; its state is read through `plain_views`.

    `parts` are kernels that it calls by these names, in the place of what the names mean in its module.
    """
    return _Binder(ONE_SERIES, parts, _as_list, _same).bound(kernel)


def in_numba(kernel: Kernel, parts: Mapping[str, Kernel], compiled: Callable[[Kernel], Kernel]) -> Kernel:
    """The kernel for one series, each function of it compiled."""
    operations = {name: one if one in BUILT_IN else compiled(one) for name, one in COMPILABLE.items()}
    return _Binder(operations, parts, _same, compiled).bound(kernel)


def plain_views(state: Any) -> Any:
    """The same memory of a (nested, named) tuple of arrays, quicker to read one number at a time."""
    if hasattr(state, "dtype"):
        return memoryview(state)
    if not isinstance(state, tuple):
        return state
    views = map(plain_views, state)
    return type(state)(*views) if hasattr(state, "_fields") else tuple(views)


class _Binder:
    """Binds each function that a kernel calls, once."""

    def __init__(
        self, operations: Mapping[str, Any], parts: Mapping[str, Kernel], table: Kernel, finish: Kernel
    ) -> None:
        self._operations, self._parts, self._table, self._finish = operations, parts, table, finish
        self._done: dict[Kernel, Kernel] = {}

    def bound(self, kernel: Kernel) -> Kernel:
        if kernel not in self._done:
            assert isinstance(kernel, FunctionType)
            known = {**kernel.__globals__, **self._parts}
            used = {name: self._value(name, known[name]) for name in _names(kernel.__code__) if name in known}
            names = {"__builtins__": __builtins__, "__name__": kernel.__module__, **used}
            self._done[kernel] = self._finish(FunctionType(kernel.__code__, names, kernel.__name__))
        return self._done[kernel]

    def _value(self, name: str, value: Any) -> Any:
        if name in self._operations:
            return self._operations[name]
        if isinstance(value, FunctionType):
            return self.bound(value)
        return self._table(value) if isinstance(value, np.ndarray) else value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _as_list(table: Any) -> Any:
    return table.tolist()


def _same(value: Any) -> Any:
    return value
