"""Whether this host is connected at all, told by targets that are probed only for that."""

from __future__ import annotations

import numpy as np

from aiops_nb.alert.connectivity_params import ConnectivityParams
from aiops_nb.alert.tick_rule import Transition
from aiops_nb.core.types import NS_PER_SECOND, AlertState, BoolArray, IntArray

NOBODY = -1


class Connectivity:
    """Offline when the last rows of every reference failed.

    Pending as soon as each reference's last row failed, firing when the last `for_rows` of each did; stamped by the row
    that makes it so. One reference that answers ends a pending state at once, and a firing one after
    `keep_firing_for_seconds`. A reference that was never heard of is not taken as failing. Cost: O(rows) for finding
    the references' rows, and a step for each of these.
    """

    def __init__(self, params: ConnectivityParams) -> None:
        self._for_rows = params.for_rows
        self._keep_ns = round(params.keep_firing_for_seconds * NS_PER_SECOND)
        self._failures = [0] * len(params.targets)
        self._state: AlertState = "inactive"
        self._pending_at_ns = self._starts_at_ns = 0
        self._answered_ns: int | None = None

    def rows(self, reference: IntArray, failed: BoolArray, time_ns: IntArray) -> list[Transition]:
        """Take rows in stream order; `reference` is the place of each row's target among the references, else -1."""
        places = np.flatnonzero(reference != NOBODY)
        moments = zip(places.tolist(), reference[places].tolist(), failed[places].tolist(), strict=True)
        made = [self._row(row, one, bad, int(time_ns[row])) for row, one, bad in moments]
        return [transition for several in made for transition in several]

    def _row(self, row: int, reference: int, failed: bool, time_ns: int) -> list[Transition]:
        self._failures[reference] = self._failures[reference] + 1 if failed else 0
        if not failed:
            return self._answered(row, time_ns)
        made = []
        fewest = min(self._failures)
        if fewest:
            self._answered_ns = None
        if fewest and self._state in ("inactive", "resolved"):
            self._pending_at_ns = time_ns
            made.append(self._moved("pending", row, time_ns))
        if fewest >= self._for_rows and self._state == "pending":
            self._starts_at_ns = time_ns
            made.append(self._moved("firing", row, time_ns))
        return made

    def _answered(self, row: int, time_ns: int) -> list[Transition]:
        if self._answered_ns is None:
            self._answered_ns = time_ns
        return [self._moved("inactive", row, time_ns)] if self._state == "pending" else []

    def tick(self, end_ns: int) -> list[Transition]:
        """End of a window: connected again for long enough."""
        over = self._answered_ns is not None and end_ns - self._answered_ns >= self._keep_ns
        return [self._moved("resolved", NOBODY, end_ns)] if self._state == "firing" and over else []

    def _moved(self, state: AlertState, row: int, time_ns: int) -> Transition:
        self._state = state
        fired = state in ("firing", "resolved")
        return Transition(
            0,
            state,
            time_ns,
            self._pending_at_ns,
            self._starts_at_ns if fired else None,
            time_ns if state in ("resolved", "inactive") else None,
            row,
        )
