"""The line through a window of many series: its slope by the median of all pairs, and how sure it is."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray

SECTIONS = 12
FEWEST_SECTIONS = 9
DOUBT = 0.1  # so many of the pairs may rise less steeply than is held for sure
_LEFT, _RIGHT = np.triu_indices(SECTIONS, 1)


class Trend:
    """A window in 12 sections, whose means are joined by a Theil-Sen line (Theil 1950, Sen 1968).

    The line follows when a section ends. It is NaN for series with less than 9 sections known. Memory 170 bytes a
    series; cost O(n) a tick, and 66 slopes a series to sort when a section ends.

    Attributes
    ----------
    window_seconds
        Length of the window.
    slope
        (capacity,) the feature's unit a second.
    steadiness
        (capacity,) 0 to 1: the slope that 90 % of the pairs of sections reach, as a share of the median one. 1 is a
        straight line; a step or a short climb has 0.
    past_high, past_low
        (capacity,) extremes of the sections that have left the window, NaN before there is one. They are forgotten
        slowly: in `forget_windows` windows by two thirds.
    """

    def __init__(self, window_seconds: float, forget_windows: float = 100.0) -> None:
        self.window_seconds = window_seconds
        self._fade = 1.0 / (SECTIONS * forget_windows)
        self._section_ns = round(window_seconds / SECTIONS * NS_PER_SECOND)
        self._ring = np.full((SECTIONS, 64), np.nan)
        self._sum, self._count = np.zeros((2, 64))
        self.slope, self.steadiness, self._last_level = np.full((3, 64), np.nan)
        self.past_high, self.past_low = np.full((2, 64), np.nan)
        self._section: int | None = None

    def make_room(self, count: int) -> None:
        """Hold at least `count` series."""
        capacity = capacity_for(count, len(self._sum))
        if capacity == len(self._sum):
            return
        self._sum, self._count = widened(self._sum, capacity), widened(self._count, capacity)
        for name in ("_ring", "slope", "steadiness", "_last_level", "past_high", "past_low"):
            setattr(self, name, widened(getattr(self, name), capacity, np.nan))

    @np.errstate(over="ignore", invalid="ignore")  # of the largest floats
    def add(self, end_ns: int, value: FloatArray) -> None:
        """Take the (n,) values of the tick that ends at `end_ns`; NaN is not known."""
        self.make_room(len(value))
        self._turn_to((end_ns - 1) // self._section_ns)
        known: BoolArray = np.isfinite(value)
        self._sum[: len(value)] += np.where(known, value, 0.0)
        self._count[: len(value)] += known

    def level_at(self, end_ns: int) -> FloatArray:
        """The line's value at a time, (capacity,)."""
        if self._section is None:
            return self._last_level
        ahead_ns = end_ns - self._section * self._section_ns + self._section_ns / 2
        level: FloatArray = self._last_level + self.slope * (ahead_ns / NS_PER_SECOND)
        return level

    def _turn_to(self, section: int) -> None:
        if section == self._section:
            return
        if self._section is not None:
            self._pass(self._ring[self._section % SECTIONS])
            with np.errstate(invalid="ignore", divide="ignore"):
                self._ring[self._section % SECTIONS] = self._sum / self._count
            passed = range(self._section + 1, section)[-SECTIONS:]
            self._ring[[one % SECTIONS for one in passed]] = np.nan
        self._section = section
        self._sum[:], self._count[:] = 0.0, 0.0
        self._fit(self._ring[(section + np.arange(SECTIONS)) % SECTIONS])

    def _pass(self, leaving: FloatArray) -> None:
        """Remember a section that leaves the window; one that is not known says nothing."""
        high = np.fmax(leaving, self.past_high - self._fade * (self.past_high - leaving))
        low = np.fmin(leaving, self.past_low + self._fade * (leaving - self.past_low))
        known = np.isfinite(leaving)
        np.copyto(self.past_high, high, where=known)
        np.copyto(self.past_low, low, where=known)

    def _fit(self, means: FloatArray) -> None:
        slopes = (means[_RIGHT] - means[_LEFT]) / (_RIGHT - _LEFT)[:, None]
        slopes.sort(axis=0)
        enough = np.isfinite(means).sum(axis=0) >= FEWEST_SECTIONS
        slope = np.where(enough, _quantile(slopes, 0.5), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.minimum(_quantile(slopes, DOUBT) / slope, _quantile(slopes, 1 - DOUBT) / slope)
        self.steadiness = np.where(slope == 0, 0.0, np.clip(share, 0.0, 1.0))
        self.slope = slope / self._section_ns * NS_PER_SECOND
        levels = means + slope * np.arange(SECTIONS - 1, -1, -1)[:, None]
        levels.sort(axis=0)
        self._last_level = _quantile(levels, 0.5)


def _quantile(in_order: FloatArray, share: float) -> FloatArray:
    """A quantile of the known values of each column, which are sorted, NaN last: the mean of its two neighbours."""
    place = np.maximum(np.isfinite(in_order).sum(axis=0) - 1, 0) * share
    low, high = np.floor(place).astype(np.intp), np.ceil(place).astype(np.intp)
    columns = np.arange(in_order.shape[1])
    quantile: FloatArray = (in_order[low, columns] + in_order[high, columns]) / 2
    return quantile
