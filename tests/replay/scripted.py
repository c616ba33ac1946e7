"""Collectors that emit a random script from real threads, on a clock that follows the script."""

from __future__ import annotations

import threading

import numpy as np

from aiops_nb.core.schemas import empty_batch, table_of
from aiops_nb.core.types import NS_PER_SECOND
from tests.property.streams import START_NS

LARGEST_LEAD_SECONDS = 4.0


class ScriptClock:
    """Wall time is as far as the scripts have got; none may run far ahead of the slowest."""

    def __init__(self, names):
        self._progress = dict.fromkeys(names, 0.0)
        self._furthest = 0.0

    def may_emit(self, name, seconds):
        return seconds <= min(self._progress.values()) + LARGEST_LEAD_SECONDS

    def advance(self, name, seconds):
        self._progress[name] = seconds
        self._furthest = max(self._furthest, seconds)

    def finish(self, name):
        self._progress[name] = float("inf")

    def now_ns(self):
        return START_NS + int(self._furthest * NS_PER_SECOND)

    def monotonic_seconds(self):
        return self.now_ns() / NS_PER_SECOND


class ScriptedCollector:
    """Emits (seconds, batch) pairs, at moments that differ from run to run."""

    def __init__(self, name, script, clock, seed):
        self.name = name
        self._script, self._clock = list(script)[::-1], clock
        self._rng = np.random.default_rng(seed)
        self._closed = threading.Event()

    def poll(self, timeout_seconds):
        self._closed.wait(self._rng.uniform(0, 0.0005))  # lets the threads interleave differently each time
        if not self._script or self._closed.is_set():
            self._clock.finish(self.name)
            return None
        if not self._clock.may_emit(self.name, self._script[-1][0]):
            return empty_batch("requests")
        seconds, batch = self._script.pop()
        self._clock.advance(self.name, seconds)
        return empty_batch("requests") if table_of(batch) == "control" else batch

    def close(self):
        self._closed.set()
