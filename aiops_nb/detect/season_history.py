"""How much history the expected value of a series rests on."""

from __future__ import annotations

from dataclasses import dataclass

from aiops_nb.core.types import IntArray

BASES = ("its slow centre", "the time of day", "the hour of the week")


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
        """What the expectation of one series rests on.

        Examples
        --------
        >>> import numpy as np
        >>> history = History(days=np.array([2, 21]), weeks=np.array([0, 3]), basis=np.array([0, 2]))
        >>> history.sentence(0)
        'by its slow centre: this time of day is known of 2 days only'
        >>> history.sentence(1)
        'by the hour of the week: 21 days and 3 weeks of history'
        """
        days, weeks, basis = int(self.days[at]), int(self.weeks[at]), int(self.basis[at])
        if basis == 0:
            return f"by {BASES[0]}: this time of day is known of {_count(days, 'day')} only"
        of_weeks = f" and {_count(weeks, 'week')}" if basis == 2 else ""
        return f"by {BASES[basis]}: {_count(days, 'day')}{of_weeks} of history"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
