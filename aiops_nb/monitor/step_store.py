"""What the engine made, kept in memory up to a number of bytes; the frames and dashboards are drawn from it."""

from __future__ import annotations

import threading
from collections import deque

from aiops_nb.core.types import AlertChange, ScoredFeature, Step

KEPT_BYTES = 256 << 20
KEPT_CHANGES = 100_000
OVERHEAD_BYTES = 2_000  # of the Python objects around the arrays


class StepStore:
    """A sink that keeps the newest steps; the oldest leave when `kept_bytes` is reached. Alert changes stay longer."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes, self._bytes = kept_bytes, 0
        self._steps: deque[tuple[Step, int]] = deque()
        self._changes: deque[AlertChange] = deque(maxlen=KEPT_CHANGES)
        self._lock = threading.Lock()

    def write(self, step: Step) -> None:
        """Keep a step, unless nothing is in it."""
        if step.item.table == "control" and not step.ticks and not step.changes:
            return
        size = size_bytes(step)
        with self._lock:
            self._changes.extend(step.changes)
            self._steps.append((step, size))
            self._bytes += size
            while self._bytes > self._kept_bytes and len(self._steps) > 1:
                self._bytes -= self._steps.popleft()[1]

    def close(self) -> None:
        """Nothing to release: what was seen can be read after the end."""

    def steps(self) -> list[Step]:
        """The kept steps, oldest first."""
        with self._lock:
            return [step for step, _ in self._steps]

    def changes(self) -> list[AlertChange]:
        """The kept alert changes, oldest first."""
        with self._lock:
            return list(self._changes)


def size_bytes(step: Step) -> int:
    """About how much memory a step holds."""
    size: int = OVERHEAD_BYTES + step.item.batch.nbytes
    for tick in step.ticks:
        size += tick.features.values.nbytes + sum(map(_scored_bytes, tick.scored))
    return size


def _scored_bytes(scored: ScoredFeature) -> int:
    return 6 * scored.value.nbytes + (scored.reasons.nbytes if scored.reasons else 0)
