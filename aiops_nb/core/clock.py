"""The only place where the package learns what time it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Wall time for stamps, monotonic time for durations."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...

    def monotonic_seconds(self) -> float:
        """Seconds of a clock that never steps."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return time.time_ns()

    def monotonic_seconds(self) -> float:
        """Seconds of a clock that never steps."""
        return time.monotonic()


@dataclass(slots=True)
class ManualClock:
    """A clock that moves only when set: for tests and generators.

    Examples
    --------
    >>> clock = ManualClock(start_ns=0)
    >>> clock.advance(1.5)
    >>> clock.now_ns(), clock.monotonic_seconds()
    (1500000000, 1.5)
    """

    start_ns: int = 1_780_000_000_000_000_000
    elapsed_ns: int = 0

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self.elapsed_ns += round(seconds * 1e9)

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return self.start_ns + self.elapsed_ns

    def monotonic_seconds(self) -> float:
        """Seconds since the clock was made."""
        return self.elapsed_ns / 1e9
