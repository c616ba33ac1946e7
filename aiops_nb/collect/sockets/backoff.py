"""When to try again: later each time, and not all at once."""

from __future__ import annotations

import random

from aiops_nb.core.clock import Clock
from aiops_nb.core.errors import ConfigError


class Backoff:
    """The wait doubles with every failure up to a limit; each is drawn between its half and its whole.

    Parameters
    ----------
    clock
        Tells how much of the wait has passed.
    rng
        Draws; peers that lost the same server must not come back in the same moment.
    first_seconds, longest_seconds
        The wait after the first failure, and the limit.

    Examples
    --------
    >>> from aiops_nb.core.clock import ManualClock
    >>> clock = ManualClock()
    >>> backoff = Backoff(clock, random.Random(1), first_seconds=1.0)
    >>> backoff.failed()
    >>> 0.5 <= backoff.left_seconds <= 1.0
    True
    >>> clock.advance(1.0)
    >>> backoff.left_seconds
    0.0
    """

    def __init__(
        self, clock: Clock, rng: random.Random, *, first_seconds: float = 0.5, longest_seconds: float = 30.0
    ) -> None:
        if not 0 < first_seconds <= longest_seconds:
            limit = f"a number > 0 and <= longest_backoff_seconds ({longest_seconds:g})"
            raise ConfigError.at("first_backoff_seconds", limit, first_seconds)
        self.failures = 0
        self._clock, self._rng = clock, rng
        self._first_seconds, self._longest_seconds = first_seconds, longest_seconds
        self._until_seconds = 0.0

    @property
    def left_seconds(self) -> float:
        """What is left of the wait."""
        return max(0.0, self._until_seconds - self._clock.monotonic_seconds()) if self.failures else 0.0

    def failed(self) -> None:
        """Begin the next wait."""
        longest = min(self._longest_seconds, self._first_seconds * 2.0 ** min(self.failures, 60))
        self.failures += 1
        self._until_seconds = self._clock.monotonic_seconds() + longest * self._rng.uniform(0.5, 1.0)

    def succeeded(self) -> None:
        """Begin with short waits again."""
        self.failures = 0
