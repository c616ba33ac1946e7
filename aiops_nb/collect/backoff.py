"""When to retry: later after each failure, and not all at once.

Hand-written: tenacity and backoff sleep inside a decorator, but a poller must wait on its own stop event.
"""

from __future__ import annotations

import random

from aiops_nb.core.clock import Clock
from aiops_nb.core.errors import ConfigError


class Backoff:
    """The wait doubles with every failure up to a limit; each is drawn between half of that and all of it.

    The poller uses one for every collector. A collector that connects to a server has its own, as its attribute
    `backoff`, and the poller then waits as that one says.

    Parameters
    ----------
    clock
        Measures how much of the wait has passed.
    rng
        Draws the jitter, so that clients that lost the same server do not return in the same moment.
    first_seconds, longest_seconds
        The wait after the first failure, and the limit.

    Raises
    ------
    ConfigError
        If the first wait is not above 0 or longer than the limit.

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
        self,
        clock: Clock,
        rng: random.Random | None = None,
        *,
        first_seconds: float = 0.5,
        longest_seconds: float = 30.0,
    ) -> None:
        if not 0 < first_seconds <= longest_seconds:
            limit = f"a number > 0 and <= longest_backoff_seconds ({longest_seconds:g})"
            raise ConfigError.at("first_backoff_seconds", limit, first_seconds)
        self.failures = 0
        self._clock = clock
        self._rng = rng or random.Random()
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._until_seconds = 0.0

    @property
    def left_seconds(self) -> float:
        """The rest of the wait; 0 before the first failure and after a success."""
        return max(0.0, self._until_seconds - self._clock.monotonic_seconds()) if self.failures else 0.0

    def failed(self) -> None:
        """Begin the next wait."""
        longest = min(self._longest_seconds, self._first_seconds * 2.0 ** min(self.failures, 60))
        self.failures += 1
        self._until_seconds = self._clock.monotonic_seconds() + longest * self._rng.uniform(0.5, 1.0)

    def succeeded(self) -> None:
        """Begin with short waits again."""
        self.failures = 0
