"""Where the time of a request goes: mean seconds of each phase, over the span and over the newest windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from aiops_nb import kernel
from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import FloatArray, IntArray
from aiops_nb.features.accumulate import count_into, sum_into
from aiops_nb.features.requests.rows import PHASES, RequestRows
from aiops_nb.features.requests.totals import WholeArray, micros_of, narrowed

RECENT_TICKS = 5
PHASE_FEATURES = tuple(f"{phase}_mean_seconds" for phase in PHASES)
RECENT_PHASE_FEATURES = tuple(f"{phase}_recent_seconds" for phase in PHASES)


class _Sums:
    """Known values and microseconds of each phase and series, (5, capacity)."""

    __slots__ = ("known", "micros")

    def __init__(self, capacity: int) -> None:
        self.known: WholeArray = np.zeros((len(PHASES), capacity), np.int32)
        self.micros: WholeArray = np.zeros((len(PHASES), capacity), np.int64)

    def grow(self, capacity: int) -> None:
        if capacity > self.known.shape[1]:
            self.known, self.micros = widened(self.known, capacity), widened(self.micros, capacity)

    def trim(self, count: int) -> None:
        self.known, self.micros = narrowed(self.known[:, :count]), narrowed(self.micros[:, :count])

    def move(self, other: _Sums, sign: int) -> None:
        change = np.add if sign > 0 else np.subtract
        part = slice(other.known.shape[1])
        change(self.known[:, part], other.known, out=self.known[:, part])
        change(self.micros[:, part], other.micros, out=self.micros[:, part])

    def means(self, count: int) -> FloatArray:
        known, micros = self.known[:, :count], self.micros[:, :count]
        # not 0 / 0, whose sign bit would depend on whether a batch with that phase had arrived
        return np.where(known > 0, micros / np.maximum(known, 1) * 1e-6, np.nan)


class RequestPhases:
    """Mean of each phase of each series, over the span and over the newest `RECENT_TICKS` windows.

    Phases are known of some streams only: nothing is kept until one is. Memory: about 2 KB a series at 60 windows.
    """

    def __init__(self, span_ticks: int) -> None:
        self._span_ticks, self._recent_ticks = span_ticks, min(RECENT_TICKS, span_ticks)
        self._capacity = 64
        self._open: dict[int, _Sums] = {}
        self._closed: dict[int, _Sums] = {}
        self._packed: dict[int, bytes] = {}
        self._span: _Sums | None = None
        self._recent: _Sums | None = None

    def add(self, window: int, series: IntArray, seconds: FloatArray) -> None:
        """Take rows of one open window, `seconds` (5, rows) with NaN where unknown."""
        self._capacity = capacity_for(int(series.max()) + 1, self._capacity)
        sums = self._open.setdefault(window, _Sums(self._capacity))
        sums.grow(self._capacity)
        if kernel.compiled is not None:
            columns = np.ascontiguousarray(series, np.int64), np.ascontiguousarray(seconds)
            kernel.compiled.count_phases(sums.known, sums.micros, *columns)
            return
        known = seconds >= 0
        for phase in np.flatnonzero(known.any(axis=1)).tolist():
            rows = known[phase]
            count_into(sums.known[phase], series[rows])
            sum_into(sums.micros[phase], series[rows], micros_of(seconds[phase, rows]))

    def close(self, window: int, count: int) -> FloatArray:
        """Close the next window: means over the span, then over the newest windows, (10, count)."""
        entering = self._open.pop(window, None)
        if entering is None and self._span is None:
            return np.full((2 * len(PHASES), count), np.nan)
        span, recent = self._make_room(count)
        if entering is not None:
            entering.trim(min(count, entering.known.shape[1]))
            self._closed[window] = entering
            span.move(entering, 1)
            recent.move(entering, 1)
        if window - self._recent_ticks in self._closed:
            recent.move(self._closed[window - self._recent_ticks], -1)
        if window - self._span_ticks in self._closed:
            span.move(self._closed.pop(window - self._span_ticks), -1)
        return np.concatenate([span.means(count), recent.means(count)])

    def move_on(self, window: int, count: int) -> tuple[Any, ...] | None:
        """Close the next window for the compiled kernel, which moves the sums; None if nothing is known yet.

        Its answer is given to `keep`.
        """
        entering = self._open.pop(window, None)
        if entering is None and self._span is None:
            return None
        span, recent = self._make_room(count)
        return (
            (span.known, span.micros),
            (recent.known, recent.micros),
            None if entering is None else (entering.known, entering.micros),
            self._packed.get(window - self._recent_ticks),
            self._packed.pop(window - self._span_ticks, None),
        )

    def move_on_windows(
        self, window: int, windows: int, count: int, answered: RequestRows, place: IntArray
    ) -> tuple[Any, ...] | None:
        """Close windows in a row for the compiled kernel, with the answered rows of them; None if nothing is known yet.

        Its answers are given to `keep`.
        """
        places = range(window, window + windows)
        waiting = [(at, sums) for at, one in enumerate(places) if (sums := self._open.pop(one, None)) is not None]
        seconds = answered.phase_seconds if len(place) else None
        if seconds is None and not waiting and self._span is None:
            return None
        span, recent = self._make_room(count)
        known, micros = (
            np.zeros((len(PHASES), windows * count), np.int32),
            np.zeros((len(PHASES), windows * count), np.int64),
        )
        if seconds is not None:
            assert kernel.compiled is not None
            kernel.compiled.count_phases(known, micros, place * count + answered.series, np.ascontiguousarray(seconds))
        for at, sums in waiting:
            width = min(count, sums.known.shape[1])
            cells = slice(at * count, at * count + width)
            known[:, cells] += sums.known[:, :width]
            micros[:, cells] += sums.micros[:, :width]
        return (
            (span.known, span.micros),
            (recent.known, recent.micros),
            known,
            micros,
            tuple(self._packed.get(one - self._recent_ticks) for one in places),
            tuple(self._packed.pop(one - self._span_ticks, None) for one in places),
            self._recent_ticks,
        )

    def keep(self, window: int, packed: bytes | None) -> None:
        """The sums of a closed window, as the kernel packed them."""
        if packed is not None:
            self._packed[window] = packed

    def _make_room(self, count: int) -> tuple[_Sums, _Sums]:
        self._capacity = capacity_for(count, self._capacity)
        span = self._span = self._span or _Sums(self._capacity)
        recent = self._recent = self._recent or _Sums(self._capacity)
        for sums in (span, recent):
            sums.grow(self._capacity)
        return span, recent
