"""Work that blocks, done every so often on a thread of its own, so that `poll` and `close` never wait for a peer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from aiops_nb.core.clock import Clock
from aiops_nb.core.errors import ConfigError

Result = TypeVar("Result")
LONGEST_CLOSE_SECONDS = 5.0


class Rounds(Generic[Result]):
    """Runs `work` at once and then every `interval_seconds`; a round that takes longer skips the next ones.

    Parameters
    ----------
    name
        Of the thread.
    interval_seconds
        From the start of one round to the start of the next.
    work
        One round. It may block; what it raises is raised by `take`.
    abort
        Called by `close` from another thread: makes a round that is running end soon.
    clock
        The schedule.

    Raises
    ------
    ConfigError
        If the interval is not above 0.

    Examples
    --------
    >>> from aiops_nb.core.clock import SystemClock
    >>> rounds = Rounds("demo", 60.0, lambda: 7, lambda: None, SystemClock())
    >>> rounds.take(timeout_seconds=5.0)
    7
    >>> rounds.close()
    """

    def __init__(
        self,
        name: str,
        interval_seconds: float,
        work: Callable[[], Result],
        abort: Callable[[], None],
        clock: Clock,
    ) -> None:
        if not interval_seconds > 0:
            raise ConfigError.at("interval_seconds", "a number > 0", interval_seconds)
        self._name = name
        self._interval_seconds = interval_seconds
        self._work, self._abort, self._clock = work, abort, clock
        self._changed = threading.Condition()
        self._results: list[Result | BaseException] = []
        self._is_closed = False
        self._thread: threading.Thread | None = None

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._is_closed

    def take(self, timeout_seconds: float) -> Result | None:
        """The result of the oldest finished round that was not taken yet; None if there is none in time."""
        with self._changed:
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name=f"aiops-{self._name}", daemon=True)
                self._thread.start()
            self._changed.wait_for(lambda: self._results or self._is_closed, timeout_seconds)
            if self._is_closed or not self._results:
                return None
            result = self._results.pop(0)
            self._changed.notify_all()
        if isinstance(result, BaseException):
            raise result
        return result

    def close(self) -> None:
        """End the thread; ends a waiting `take`."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None:
            self._abort()
            thread.join(LONGEST_CLOSE_SECONDS)

    def _run(self) -> None:
        due_seconds = self._clock.monotonic_seconds()
        while not self._is_closed:
            try:
                result: Result | BaseException = self._work()
            except BaseException as problem:  # raised again where it is taken
                result = problem
            now = self._clock.monotonic_seconds()
            due_seconds += (max(0.0, now - due_seconds) // self._interval_seconds + 1) * self._interval_seconds
            with self._changed:
                self._results.append(result)
                self._changed.notify_all()
                # Nobody polls a collector that backs off or whose queue is full: what was not taken is not piled up.
                self._changed.wait_for(lambda: not self._results or self._is_closed)
                self._changed.wait_for(lambda: self._is_closed, max(0.0, due_seconds - self._clock.monotonic_seconds()))
