"""How fast recorded time passes: at a speed, paused, step by step, or at once up to a time."""

from __future__ import annotations

import math
import threading

from aiops_nb.core.clock import Clock
from aiops_nb.core.types import NS_PER_SECOND


class Pace:
    """Waits so that recorded time passes `speed` times as fast as the clock on the wall.

    May be changed from any thread, while another one waits. It decides when an item is taken, never which: the results
    are those of every other replay.

    Parameters
    ----------
    speed
        > 0; infinite waits for nothing, unless it is paused.
    clock
        Measures the time that passes.
    stopping
        Ends every wait; call `wake` after setting it.

    Examples
    --------
    >>> from aiops_nb.core.clock import SystemClock
    >>> pace = Pace(1.0, SystemClock(), threading.Event())
    >>> pace.skip_to(10 * NS_PER_SECOND)
    >>> pace.wait_until(1 * NS_PER_SECOND)
    >>> pace.wait_until(9 * NS_PER_SECOND)
    """

    def __init__(self, speed: float, clock: Clock, stopping: threading.Event) -> None:
        self._speed, self._clock, self._stopping = speed, clock, stopping
        self._news = threading.Condition()
        self._paused = False
        self._steps = 0
        self._skip_to_ns = 0
        self._begun = False
        self._recorded_ns = 0  # recorded time at the moment of `_since_seconds`
        self._since_seconds = 0.0

    @property
    def speed(self) -> float:
        """How many times as fast as real time."""
        return self._speed

    @property
    def paused(self) -> bool:
        """Whether recorded time does not pass."""
        return self._paused

    def set_speed(self, speed: float) -> None:
        """Another speed from now on."""
        with self._news:
            self._settle()
            self._speed = speed
            self._news.notify_all()

    def pause(self) -> None:
        """Recorded time passes no more."""
        with self._news:
            self._settle()
            self._paused = True
            self._news.notify_all()

    def resume(self) -> None:
        """Recorded time passes again."""
        with self._news:
            self._settle()
            self._paused = False
            self._news.notify_all()

    def step(self) -> None:
        """While paused: go on to the next recorded heartbeat, about a second later."""
        with self._news:
            self._steps += 1
            self._news.notify_all()

    def skip_to(self, recorded_ns: int) -> None:
        """Wait for nothing before this recorded time."""
        with self._news:
            self._skip_to_ns = recorded_ns
            self._news.notify_all()

    def wake(self) -> None:
        """Look again whether to stop."""
        with self._news:
            self._news.notify_all()

    def wait_until(self, recorded_ns: int) -> None:
        """Return when this recorded time has come, or at the end."""
        with self._news:
            if not self._begun:
                self._begun = True
                self._reach(recorded_ns)
                return
            while not self._stopping.is_set():
                if recorded_ns < self._skip_to_ns:
                    self._reach(recorded_ns)
                    return
                if self._paused:
                    if self._steps:
                        self._steps -= 1
                        self._reach(recorded_ns)
                        return
                    self._news.wait()
                    continue
                if math.isinf(self._speed):
                    self._reach(recorded_ns)
                    return
                left_seconds = (recorded_ns - self._now_ns()) / NS_PER_SECOND / self._speed
                if left_seconds <= 0:
                    return
                self._news.wait(left_seconds)

    def _now_ns(self) -> int:
        if self._paused or math.isinf(self._speed):
            return self._recorded_ns
        passed_seconds = self._clock.monotonic_seconds() - self._since_seconds
        return self._recorded_ns + round(passed_seconds * self._speed * NS_PER_SECOND)

    def _settle(self) -> None:
        """What passed until now, passed at the old speed."""
        self._reach(self._now_ns())

    def _reach(self, recorded_ns: int) -> None:
        self._recorded_ns = recorded_ns
        self._since_seconds = self._clock.monotonic_seconds()
