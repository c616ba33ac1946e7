"""A collector whose polls fail is reported in the stream, once, without what its library said."""

from __future__ import annotations

import random
import threading

import pyarrow as pa

from aiops_nb.collect.backoff import Backoff
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.schemas import empty_batch
from aiops_nb.monitor.poller import Poller


class Sometimes:
    """Fails for so many seconds of a clock that its polls move, works once, and ends."""

    name = "sometimes"

    def __init__(self, clock: ManualClock, failing_seconds: float) -> None:
        self._clock, self._until = clock, clock.monotonic_seconds() + failing_seconds
        self._has_worked = False
        self.backoff = Backoff(clock, first_seconds=0.001, longest_seconds=0.001)  # polls move the clock

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        self._clock.advance(4.0)
        if self._clock.monotonic_seconds() <= self._until:
            self.backoff.failed()
            raise ConnectionError("http://user:secret@db/?token=secret")
        if self._has_worked:
            return None
        self._has_worked = True
        return empty_batch("samples")

    def close(self) -> None:
        """Nothing is open."""


def reports(failing_seconds: float) -> list[tuple[int | None, str]]:
    clock, said, stopping = ManualClock(0), [], threading.Event()
    collector = Sometimes(clock, failing_seconds)
    poller = Poller(
        collector, lambda _: None, stopping, clock, {}, random.Random(1), failing=lambda *what: said.append(what)
    )
    poller.run()
    return said


def test_it_is_reported_once_after_ten_seconds_and_when_it_works_again():
    first, second = reports(failing_seconds=40.0)
    assert first == (4_000_000_000, "ConnectionError") and second == (None, "")


def test_a_short_failure_is_not_reported():
    assert reports(failing_seconds=8.0) == []
