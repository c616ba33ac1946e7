"""A bounded, uniform sample of all that came since it was last thinned."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import FloatArray


class Sample:
    """At most `size` rows of `width` numbers, each of those seen being as likely in it (Vitter 1985, algorithm R).

    Drawn from a seed, so that equal streams keep equal rows. Memory: size x width numbers.

    Examples
    --------
    >>> sample = Sample(size=2, width=1, seed=0)
    >>> sample.add(np.array([[1.0], [2.0], [3.0]]))
    >>> len(sample.rows), sample.seen
    (2, 3)
    """

    def __init__(self, size: int, width: int, seed: int) -> None:
        self._rows = np.zeros((size, width))
        self._random = np.random.RandomState(seed)  # the legacy generator never changes its numbers
        self.seen = 0

    @property
    def rows(self) -> FloatArray:
        """(at most size, width): what was kept."""
        return self._rows[: min(self.seen, len(self._rows))]

    def add(self, rows: FloatArray) -> None:
        """Show rows to the sample."""
        size, number = len(self._rows), self.seen + np.arange(len(rows))
        place = np.where(number < size, number, (self._random.random_sample(len(rows)) * (number + 1)).astype(np.int64))
        kept = place < size
        self._rows[place[kept]] = rows[kept]
        self.seen += len(rows)

    def thin(self) -> None:
        """Take what is kept as all that was seen, so that what comes next replaces it the sooner."""
        self.seen = min(self.seen, len(self._rows))
