"""Alerts on windows: a series is anomalous at a tick, and stays so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops_nb.alert.episodes import FIRING, INACTIVE, NEVER, PENDING, Episodes, IndexArray
from aiops_nb.alert.params import HoldParams
from aiops_nb.core.types import NS_PER_SECOND, AlertState, BoolArray


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
