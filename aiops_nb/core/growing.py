"""Arrays over a growing number of series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)
CACHED_SERIES = 1 << 12


def capacity_for(size: int, capacity: int) -> int:
    """The capacity, doubled until `size` fits.

    Examples
    --------
    >>> capacity_for(100, 64), capacity_for(10, 64)
    (128, 64)
    """
    while capacity < size:
        capacity *= 2
    return capacity


def capacity_near(size: int, capacity: int) -> int:
    """The capacity, or more by an eighth at least: for states so large that half of them must not lie idle.

    Examples
    --------
    >>> capacity_near(100, 96), capacity_near(10_000, 96), capacity_near(10, 64)
    (108, 10000, 64)
    """
    return capacity if size <= capacity else max(size, capacity + capacity // 8)


def parts_of(count: int) -> Iterator[slice]:
    """Slices of so few series that what is computed of each of them stays in the processor's cache.

    Examples
    --------
    >>> list(parts_of(5000))
    [slice(0, 4096, None), slice(4096, 5000, None)]
    """
    return (slice(first, min(first + CACHED_SERIES, count)) for first in range(0, count, CACHED_SERIES))


def widened(array: npt.NDArray[Scalar], capacity: int, fill: Any = 0) -> npt.NDArray[Scalar]:
    """A copy whose last axis has `capacity` places, the new ones filled.

    Examples
    --------
    >>> widened(np.array([1.0]), 3, np.nan)
    array([ 1., nan, nan])
    """
    wide = np.full((*array.shape[:-1], capacity), fill, array.dtype)
    wide[..., : array.shape[-1]] = array
    return wide


def grown(state: Any, blank: Any) -> Any:
    """The blank (nested, named) tuple of arrays, with what is known at its beginning.

    Examples
    --------
    >>> grown((np.array([1, 2]),), (np.zeros(3, int),))
    (array([1, 2, 0]),)
    """
    if isinstance(state, np.ndarray):
        blank[: len(state)] = state
        return blank
    if not isinstance(state, tuple):
        return blank
    parts = [grown(old, new) for old, new in zip(state, blank, strict=True)]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
