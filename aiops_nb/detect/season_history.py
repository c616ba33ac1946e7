"""How much history the expected value of a series rests on."""

from __future__ import annotations

from dataclasses import dataclass

from aiops_nb.core.types import IntArray

BASES = ("recent values", "time of day", "hour of week")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of the present phase of the day and week of n series; each array is (n,).

    Attributes
    ----------
    days, weeks
        On how many this time of the day, and this hour of the week, was seen before.
    basis
        What is expected by: 0 the slow centre, 1 the time of the day, 2 the hour of the week.
    """

    days: IntArray
    weeks: IntArray
    basis: IntArray

    def sentence(self, at: int) -> str:
        """What the baseline of one series is made of.

        Examples
        --------
        >>> import numpy as np
        >>> history = History(days=np.array([2, 21]), weeks=np.array([0, 3]), basis=np.array([0, 2]))
        >>> history.sentence(0)
        'baseline: recent values (2 days of history at this time of day are too few)'
        >>> history.sentence(1)
        'baseline: hour of week (21 days of history)'
        """
        basis, history = int(self.basis[at]), f"{_count(int(self.days[at]), 'day')} of history"
        rest = f"{history} at this time of day are too few" if basis == 0 else history
        return f"baseline: {BASES[basis]} ({rest})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
