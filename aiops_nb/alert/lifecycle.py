"""The state of one rule over all its series: inactive, pending, firing; vectorised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import NS_PER_SECOND, AlertState, BoolArray, IntArray

IndexArray = npt.NDArray[np.intp]
INACTIVE, PENDING, FIRING = 0, 1, 2
NEVER = np.iinfo(np.int64).min


class Episodes:
    """State arrays over the series of one rule, each (capacity,).

    `pending_at`, `starts_at` and `clear_since` are UTC ns; `clear_since` is when the series was first seen without the
    condition after it last had it, `NEVER` while it has it.
    """

    __slots__ = ("active", "clear_since", "pending_at", "starts_at", "state")

    def __init__(self) -> None:
        self.state = np.zeros(64, np.int8)
        self.pending_at, self.starts_at, self.clear_since = (np.full(64, NEVER) for _ in range(3))
        self.active = 0

    def make_room(self, count: int) -> None:
        """Hold at least `count` series."""
        capacity = capacity_for(count, len(self.state))
        if capacity > len(self.state):
            self.state = widened(self.state, capacity)
            for name in ("pending_at", "starts_at", "clear_since"):
                setattr(self, name, widened(getattr(self, name), capacity, NEVER))

    def begin_pending(self, series: npt.NDArray[np.integer], at_ns: IntArray | int) -> None:
        """The condition was seen for the first time."""
        self.state[series] = PENDING
        self.pending_at[series] = at_ns
        self.active += len(series)

    def begin_firing(self, series: npt.NDArray[np.integer], at_ns: IntArray | int) -> None:
        """The condition has held long enough."""
        self.state[series] = FIRING
        self.starts_at[series] = at_ns
        self.clear_since[series] = NEVER

    def end(self, series: npt.NDArray[np.integer]) -> None:
        """The episode is over."""
        self.state[series] = INACTIVE
        self.clear_since[series] = NEVER
        self.active -= len(series)

    def due_to_resolve(self, count: int, now_ns: int, keep_firing_for_ns: int) -> BoolArray:
        """Firing series that have been clear for long enough, (count,)."""
        clear_since = self.clear_since[:count]
        clear = (self.state[:count] == FIRING) & (clear_since != NEVER)
        due: BoolArray = clear & (now_ns - np.where(clear, clear_since, now_ns) >= keep_firing_for_ns)
        return due


Seconds = Annotated[float, Meta(ge=0)]


class HoldParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a condition on windows must hold.

    Attributes
    ----------
    for_seconds
        Event time from the first anomalous window to firing; 0 fires at once.
    keep_firing_for_seconds
        Event time without an anomaly, with values to prove it, before the alert is resolved.
    """

    for_seconds: Seconds = 3.0
    keep_firing_for_seconds: Seconds = 10.0


@dataclass(frozen=True, slots=True)
class Transition:
    """One series of a rule changed its state; times are UTC ns, None where they do not apply."""

    series: int
    state: AlertState
    time_ns: int
    pending_at_ns: int
    starts_at_ns: int | None = None
    ends_at_ns: int | None = None
    row: int = -1


class TickRule:
    """State machine over all series, moved once a tick. A missing verdict neither resolves nor resets anything."""

    def __init__(self, hold: HoldParams) -> None:
        self._for_ns = round(hold.for_seconds * NS_PER_SECOND)
        self._keep_ns = round(hold.keep_firing_for_seconds * NS_PER_SECOND)
        self._episodes = Episodes()

    def firing(self, count: int) -> BoolArray:
        """Which of the first `count` series fire now, (count,)."""
        self._episodes.make_room(count)
        firing: BoolArray = self._episodes.state[:count] == FIRING
        return firing

    def tick(self, hit: BoolArray, known: BoolArray, end_ns: int) -> list[Transition]:
        """Move on by one window; `hit` and `known` are (n,), `known` is false where there is no verdict."""
        episodes = self._episodes
        episodes.make_room(len(hit))
        if not episodes.active and not hit.any():
            return []
        return [*self._begin(hit, end_ns), *self._fire(hit, end_ns), *self._clear(hit, known, end_ns)]

    def _begin(self, hit: BoolArray, end_ns: int) -> list[Transition]:
        fresh = np.flatnonzero(hit & (self._episodes.state[: len(hit)] == INACTIVE))
        self._episodes.begin_pending(fresh, end_ns)
        return [Transition(i, "pending", end_ns, end_ns) for i in fresh.tolist()] if self._for_ns else []

    def _fire(self, hit: BoolArray, end_ns: int) -> list[Transition]:
        episodes, count = self._episodes, len(hit)
        pending = hit & (episodes.state[:count] == PENDING)
        held = end_ns - np.where(pending, episodes.pending_at[:count], end_ns)
        due = np.flatnonzero(pending & (held >= self._for_ns))
        episodes.begin_firing(due, end_ns)
        return [Transition(i, "firing", end_ns, int(episodes.pending_at[i]), end_ns) for i in due.tolist()]

    def _clear(self, hit: BoolArray, known: BoolArray, end_ns: int) -> list[Transition]:
        episodes, count = self._episodes, len(hit)
        state, clear_since = episodes.state[:count], episodes.clear_since[:count]
        gone = np.flatnonzero(known & ~hit & (state == PENDING))
        clear_since[hit] = NEVER
        clear_since[known & ~hit & (state == FIRING) & (clear_since == NEVER)] = end_ns
        over = np.flatnonzero(episodes.due_to_resolve(count, end_ns, self._keep_ns) & known)
        ended = [*self._ended(gone, "inactive", end_ns), *self._ended(over, "resolved", end_ns)]
        episodes.end(gone)
        episodes.end(over)
        return ended

    def _ended(self, series: IndexArray, state: AlertState, end_ns: int) -> list[Transition]:
        return [ended_transition(self._episodes, i, state, end_ns) for i in series.tolist()]


def ended_transition(episodes: Episodes, series: int, state: AlertState, end_ns: int) -> Transition:
    """The transition that ends an episode: resolved if it had fired, else inactive."""
    starts_at = int(episodes.starts_at[series]) if state == "resolved" else None
    return Transition(series, state, end_ns, int(episodes.pending_at[series]), starts_at, end_ns)
