"""Breakdown of a value by its parts: the phase of a latency that grew most against its own baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.quantities import format_duration, without_unit
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, Int32Array, IntArray
from aiops_nb.rules.feature.sentences import PHASE_NAMES

WARMUP_TICKS, SLOW_TICKS = 30, 300
SMALLEST_GROWTH_RATIO = 0.1  # of the baseline: less is how parts vary


@dataclass(frozen=True, slots=True)
class PhaseChange:
    """The part that grew most, its baseline and its value now, and the share of each part in all growth."""

    part: str
    baseline: float
    now: float
    shares: Mapping[str, float]


NOTHING = np.empty((0, 0))


@dataclass(frozen=True, slots=True)
class PhaseBreakdown:
    """The parts of m series: the baseline of each and its value now; (parts, m), NaN where not known."""

    parts: tuple[str, ...] = ()
    baseline: FloatArray = field(default_factory=lambda: NOTHING)
    now: FloatArray = field(default_factory=lambda: NOTHING)

    def of(self, number: int) -> PhaseChange | None:
        """The part of one series that grew most; None if none did, or nothing is known of them.

        Examples
        --------
        >>> PhaseBreakdown(("tls", "wait"), np.array([[0.01], [0.2]]), np.array([[0.05], [0.2]])).of(0).part
        'tls'
        """
        if not self.parts:
            return None
        one = slice(number, number + 1)
        return PhaseBreakdown(self.parts, self.baseline[:, one], self.now[:, one]).each()[0]

    def each(self) -> list[PhaseChange | None]:
        """The parts that grew most of all m series."""
        baseline, now = self.baseline, self.now
        growth = np.nan_to_num(np.where(now - baseline > SMALLEST_GROWTH_RATIO * baseline, now - baseline, 0.0))
        with np.errstate(over="ignore"):
            total = np.add.accumulate(growth)[-1]  # part after part, so that a series alone has the same
        most, places = np.argmax(growth, axis=0), np.arange(growth.shape[1])
        columns = most, baseline[most, places], now[most, places], total
        rows = zip(growth.T.tolist(), *(column.tolist() for column in columns), strict=True)
        return [self._phase_change(*row) if any(row[0]) else None for row in rows]

    def _phase_change(self, growth: list[float], most: int, baseline: float, now: float, total: float) -> PhaseChange:
        shares = {name: part / total for name, part in zip(self.parts, growth, strict=True) if part > 0}
        return PhaseChange(self.parts[most], baseline, now, shares)


class PhaseChanges:
    """Baseline of each part of each series: a slow exponential mean of what was not anomalous.

    Cost O(n k) a tick, memory 20 bytes a part and series.
    """

    def __init__(self, features: tuple[str, ...]) -> None:
        self._features = features
        shape = len(features), 64
        self._baseline, self._now = np.full(shape, np.nan), np.full(shape, np.nan)
        self._learned = np.zeros(shape, np.int32)

    def take(self, table: FeatureTable) -> None:
        """Remember what is known now; a part without a new value keeps its last."""
        if not self._features:
            return
        self._make_room(len(table.series))
        now = self._now[:, : len(table.series)]
        for row, name in zip(now, self._features, strict=True):
            np.copyto(row, table.column(name), where=~np.isnan(table.column(name)))

    def compiled(
        self, names: tuple[str, ...], count: int
    ) -> tuple[IntArray, FloatArray, FloatArray, Int32Array] | None:
        """Rows of the parts in a table and their state, as the compiled kernel takes and learns them; None without."""
        if not self._features:
            return None
        self._make_room(count)
        rows = np.array([names.index(name) for name in self._features], np.int64)
        return rows, self._now, self._baseline, self._learned

    def of(self, series: IntArray) -> PhaseBreakdown:
        """What is known of the parts of these series, of which there may be none."""
        if not self._features:
            return PhaseBreakdown()
        warm = self._learned[:, series] >= WARMUP_TICKS
        baseline, now = np.where(warm, self._baseline[:, series], np.nan), self._now[:, series]
        return PhaseBreakdown(tuple(feature.partition("_")[0] for feature in self._features), baseline, now)

    def learn(self, table: FeatureTable, rows: BoolArray) -> None:
        """Let the baselines of the series in `rows` follow; the others stay."""
        count = len(table.series)
        for part, name in enumerate(self._features):
            value = table.column(name)
            known = rows & ~np.isnan(value)
            if not known.any():
                continue
            baseline, learned = self._baseline[part, :count], self._learned[part, :count]
            learned += known
            start = np.where(learned == 1, value, baseline)
            rate = 1.0 / np.clip(learned, 1, SLOW_TICKS)
            # What is found anomalous in a moment must not have moved the baseline by then.
            learnable = np.where(learned > WARMUP_TICKS, np.minimum(value, 2 * start), value)
            np.copyto(baseline, start + rate * (learnable - start), where=known)

    def _make_room(self, count: int) -> None:
        capacity = capacity_for(count, self._baseline.shape[1])
        if capacity > self._baseline.shape[1]:
            self._baseline, self._now = widened(self._baseline, capacity, np.nan), widened(self._now, capacity, np.nan)
            self._learned = widened(self._learned, capacity)


def phase_sentence(change: PhaseChange | None) -> str:
    """The part that grew, and how far.

    Examples
    --------
    >>> phase_sentence(PhaseChange("tls", 0.012, 0.06, {"tls": 1.0}))
    'TLS handshake 5x slower: 12 -> 60 ms'
    """
    if change is None:
        return ""
    known = 0 < change.now < 1000 * change.baseline
    times = f" {change.now / change.baseline:.2g}x slower" if known else ""
    before, now = format_duration(change.baseline), format_duration(change.now)
    return f"{PHASE_NAMES.get(change.part, change.part)}{times}: {without_unit(before, now)} -> {now}"
