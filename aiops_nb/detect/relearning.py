"""What is excluded from learning because it was anomalous, and when it is accepted as the new level."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import NS_PER_SECOND, BoolArray

FEWEST_TICKS = 10  # before time alone accepts a level: one value on each side of a long gap is no level


class LearningGate:
    """Counts, for each series, the consecutive anomalous values that were not learned, and the time since the first.

    A level is accepted with the `most_ticks`th of them, or after `most_seconds` with `FEWEST_TICKS` of them at least,
    whichever comes first; from then on it is learned until the caller finds the series normal again.

    Attributes
    ----------
    accepted
        (n,) which series had their new level accepted by the last call of `to_learn`.

    Examples
    --------
    >>> excluded, known, anomalous = LearningGate(most_ticks=2, most_seconds=3600), np.array([True]), np.array([False])
    >>> [excluded.to_learn(known, anomalous, second * 10**9).tolist() for second in range(2)]
    [[False], [True]]
    >>> excluded.accepted.tolist()
    [True]
    """

    def __init__(self, most_ticks: int, most_seconds: float) -> None:
        self._most_ticks = most_ticks
        self._most_ns = round(most_seconds * NS_PER_SECOND)
        self._ticks = np.zeros(16, np.int32)
        self._since_ns = np.zeros(16, np.int64)
        self._accepting = np.zeros(16, np.bool_)
        self._is_counting = False
        self.accepted: BoolArray = np.zeros(0, np.bool_)

    @property
    def is_counting(self) -> bool:
        """Whether there is a series with an anomalous value that was not learned, or whose new level is accepted."""
        return self._is_counting

    def to_learn(self, known: BoolArray, normal: BoolArray, end_ns: int) -> BoolArray:
        """Which of the n series to learn: those known that the caller found normal, or whose new level is accepted."""
        self._make_room(len(known))
        ticks, since_ns = self._ticks[: len(known)], self._since_ns[: len(known)]
        accepting = self._accepting[: len(known)]
        anomalous = known & ~normal
        if not (self._is_counting or anomalous.any()):  # as nearly always
            self.accepted = anomalous
            return known & normal
        since_ns[anomalous & (ticks == 0)] = end_ns
        in_time = (ticks + 1 >= FEWEST_TICKS) & (end_ns - since_ns >= self._most_ns)
        over = anomalous & ((ticks + 1 >= self._most_ticks) | in_time)
        self.accepted = over & ~accepting
        accepting[known] = over[known]
        ticks[:] = np.where(known & normal, 0, ticks + (anomalous & ~over))
        self._is_counting = bool(ticks.any() or accepting.any())
        return (known & normal) | over

    def _make_room(self, count: int) -> None:
        capacity = capacity_near(count, len(self._ticks))
        if capacity > len(self._ticks):
            self._ticks, self._since_ns = widened(self._ticks, capacity), widened(self._since_ns, capacity)
            self._accepting = widened(self._accepting, capacity)
