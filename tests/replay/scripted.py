"""Collectors that emit a random script from real threads, on a clock that follows the script."""

from __future__ import annotations

import threading

import numpy as np

from aiops_nb.core.schemas import empty_batch, table_of
from aiops_nb.core.types import NS_PER_SECOND
from tests.property.streams import START_NS


class ScriptClock:
    """Wall time is as far as the script has got."""

    def __init__(self):
        self._now_ns = START_NS
        self._lock = threading.Lock()

    def advance_to(self, seconds):
        with self._lock:
            self._now_ns = max(self._now_ns, START_NS + int(seconds * NS_PER_SECOND))

    def now_ns(self):
        return self._now_ns

    def monotonic_seconds(self):
        return self._now_ns / NS_PER_SECOND


class ScriptedCollector:
    """Emits (seconds, batch) pairs, at moments that differ from run to run."""

    def __init__(self, name, script, clock, seed):
        self.name = name
        self._script, self._clock = iter(script), clock
        self._rng = np.random.default_rng(seed)
        self._closed = threading.Event()

    def poll(self, timeout_seconds):
        self._closed.wait(self._rng.uniform(0, 0.0005))  # lets the threads interleave differently each time
        step = next(self._script, None)
        if step is None or self._closed.is_set():
            return None
        self._clock.advance_to(step[0])
        return empty_batch("requests") if table_of(step[1]) == "control" else step[1]

    def close(self):
        self._closed.set()
