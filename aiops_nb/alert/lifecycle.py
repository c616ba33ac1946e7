"""The state of one rule over all its series: inactive, pending, firing; vectorised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.quantities import exact_duration
from aiops_nb.core.types import NS_PER_SECOND, AlertState, BoolArray, IntArray

IndexArray = npt.NDArray[np.intp]
INACTIVE, PENDING, FIRING = 0, 1, 2
NEVER = np.iinfo(np.int64).min


class Episodes:
    """State arrays over the series of one rule, each (capacity,).

    `pending_at`, `starts_at` and `clear_since` are UTC ns; `clear_since` is when the series was first seen without the
    condition after it last had it, `NEVER` while it has it. `held_since` is since when its present state has held.
    `unheard_ns` is how long an active series had no data. Time in which the monitor slept moves `held_since` and
    `clear_since` on, and counts in none of these durations.
    """

    __slots__ = ("active", "clear_since", "held_since", "pending_at", "starts_at", "state", "unheard_ns")

    def __init__(self) -> None:
        self.state = np.zeros(64, np.int8)
        self.pending_at, self.starts_at = np.full(64, NEVER), np.full(64, NEVER)
        self.held_since, self.clear_since = np.full(64, NEVER), np.full(64, NEVER)
        self.unheard_ns = np.zeros(64, np.int64)
        self.active = 0

    def make_room(self, count: int) -> None:
        """Hold at least `count` series."""
        capacity = capacity_for(count, len(self.state))
        if capacity > len(self.state):
            self.state = widened(self.state, capacity)
            self.unheard_ns = widened(self.unheard_ns, capacity)
            for name in ("pending_at", "starts_at", "held_since", "clear_since"):
                setattr(self, name, widened(getattr(self, name), capacity, NEVER))

    def begin_pending(self, series: npt.NDArray[np.integer], at_ns: IntArray | int) -> None:
        """The condition was seen for the first time."""
        self.state[series] = PENDING
        self.pending_at[series] = at_ns
        self.held_since[series] = at_ns
        self.unheard_ns[series] = 0
        self.active += len(series)

    def begin_firing(self, series: npt.NDArray[np.integer], at_ns: IntArray | int) -> None:
        """The condition has held long enough."""
        self.state[series] = FIRING
        self.starts_at[series] = at_ns
        self.held_since[series] = at_ns
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

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        active = self.state != INACTIVE
        self.held_since[active] += slept_ns
        self.clear_since[active & (self.clear_since != NEVER)] += slept_ns
        self.unheard_ns[active] -= slept_ns

    def without_data(self, unheard: BoolArray, elapsed_ns: int, close_after_ns: int | None) -> IndexArray:
        """Active series without data for long enough, after `elapsed_ns` more for those in `unheard`, (n,)."""
        active = unheard & (self.state[: len(unheard)] != INACTIVE)
        waited = self.unheard_ns[: len(unheard)]
        waited[active] += elapsed_ns
        waited[~unheard] = 0
        if close_after_ns is None:
            return np.empty(0, np.intp)
        return np.flatnonzero(active & (waited >= close_after_ns))

    def close(self, series: npt.NDArray[np.integer], end_ns: int, outcome: str) -> list[Transition]:
        """End the episodes of these series, whatever their condition is."""
        firing = self.state[series] == FIRING
        states: list[AlertState] = ["resolved" if one else "inactive" for one in firing.tolist()]
        closed = [
            ended_transition(self, one, state, end_ns, outcome)
            for one, state in zip(series.tolist(), states, strict=True)
        ]
        self.end(series)
        return closed

    def active_series(self) -> IndexArray:
        """Series that are pending or firing."""
        return np.flatnonzero(self.state != INACTIVE) if self.active else np.empty(0, np.intp)


CLOSE_AFTER_SECONDS = 900.0
STOPPED = "monitoring stopped"  # the outcome of what still fires when the run ends


def no_data(close_after_seconds: float | None) -> str:
    """The outcome of an alert whose series has no data any more.

    Examples
    --------
    >>> no_data(900.0)
    'no data for 15 min'
    """
    return f"no data for {exact_duration(close_after_seconds or 0.0)}"


Seconds = Annotated[float, Meta(ge=0)]


class HoldParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a condition on windows must hold.

    Attributes
    ----------
    for_seconds
        Event time from the first anomalous window to firing; 0 fires at once.
    keep_firing_for_seconds
        Event time without an anomaly, with values to prove it, before the alert is resolved.
    close_after_seconds
        An alert whose series has no values for so long is closed, "no data for 15 min"; None: never.

    Notes
    -----
    Time in which the monitor itself was stopped or asleep counts in none of them.
    """

    for_seconds: Seconds = 3.0
    keep_firing_for_seconds: Seconds = 10.0
    close_after_seconds: Annotated[float, Meta(gt=0)] | None = CLOSE_AFTER_SECONDS


@dataclass(frozen=True, slots=True)
class Transition:
    """One series of a rule changed its state; times are UTC ns, None where they do not apply.

    `held_ns` is how long the condition had held when the series fired, without time that the monitor slept.
    """

    series: int
    state: AlertState
    time_ns: int
    pending_at_ns: int
    starts_at_ns: int | None = None
    ends_at_ns: int | None = None
    row: int = -1
    outcome: str = ""
    held_ns: int = 0


class TickRule:
    """State machine over all series, moved once a tick.

    A missing verdict neither resolves nor resets anything, until the series has had none for `close_after_seconds`.
    """

    def __init__(self, hold: HoldParams) -> None:
        self._hold = hold
        self._close_after_ns = nanoseconds(hold.close_after_seconds)
        self._ticks = TickLength()
        self._for_ns = round(hold.for_seconds * NS_PER_SECOND)
        self._keep_ns = round(hold.keep_firing_for_seconds * NS_PER_SECOND)
        self._episodes = Episodes()

    @property
    def is_active(self) -> bool:
        """Whether a series is pending or fires."""
        return self._episodes.active > 0

    def pass_tick(self, end_ns: int) -> None:
        """A window ends in which nothing was hit, and nothing was active."""
        self._ticks.move(end_ns)

    def pass_ticks(self, first_end_ns: int, tick_ns: int, count: int) -> None:
        """The same of windows in a row."""
        self._ticks.move_many(first_end_ns, tick_ns, count)

    def firing(self, count: int) -> BoolArray:
        """Which of the first `count` series fire now, (count,)."""
        self._episodes.make_room(count)
        firing: BoolArray = self._episodes.state[:count] == FIRING
        return firing

    def tick(self, hit: BoolArray, known: BoolArray, end_ns: int, heard: BoolArray | None = None) -> list[Transition]:
        """Move on by one window; `hit`, `known` and `heard` are (n,).

        `known` is false where there is no verdict, `heard` where there are no data either; None: as `known`.
        """
        episodes = self._episodes
        episodes.make_room(len(hit))
        elapsed_ns = self._ticks.move(end_ns)
        if not episodes.active and not hit.any():
            return []
        moved = [*self._begin(hit, end_ns), *self._fire(hit, end_ns), *self._clear(hit, known, end_ns)]
        return [*moved, *self._close_unheard(~known if heard is None else ~heard, elapsed_ns, end_ns)]

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        if self._episodes.active:
            self._episodes.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[Transition]:
        """Nothing at all came for so long: no window was closed."""
        episodes = self._episodes
        if not episodes.active:
            return []
        return self._close_unheard(np.ones(len(episodes.state), np.bool_), elapsed_ns, end_ns)

    def _close_unheard(self, unheard: BoolArray, elapsed_ns: int, end_ns: int) -> list[Transition]:
        due = self._episodes.without_data(unheard, elapsed_ns, self._close_after_ns)
        return self._episodes.close(due, end_ns, no_data(self._hold.close_after_seconds)) if len(due) else []

    def close(self, end_ns: int, outcome: str, is_chosen: Callable[[int], bool] | None = None) -> list[Transition]:
        """End all episodes, or those of the chosen series."""
        series = self._episodes.active_series()
        if is_chosen is not None:
            series = np.array([one for one in series.tolist() if is_chosen(one)], np.intp)
        return self._episodes.close(series, end_ns, outcome)

    def _begin(self, hit: BoolArray, end_ns: int) -> list[Transition]:
        fresh = np.flatnonzero(hit & (self._episodes.state[: len(hit)] == INACTIVE))
        self._episodes.begin_pending(fresh, end_ns)
        return [Transition(i, "pending", end_ns, end_ns) for i in fresh.tolist()] if self._for_ns else []

    def _fire(self, hit: BoolArray, end_ns: int) -> list[Transition]:
        episodes, count = self._episodes, len(hit)
        pending = hit & (episodes.state[:count] == PENDING)
        held_ns = end_ns - np.where(pending, episodes.held_since[:count], end_ns)
        due = np.flatnonzero(pending & (held_ns >= self._for_ns))
        episodes.begin_firing(due, end_ns)
        return [
            Transition(i, "firing", end_ns, int(episodes.pending_at[i]), end_ns, held_ns=int(held_ns[i]))
            for i in due.tolist()
        ]

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


def ended_transition(episodes: Episodes, series: int, state: AlertState, end_ns: int, outcome: str = "") -> Transition:
    """The transition that ends an episode: resolved if it had fired, else inactive."""
    starts_at = int(episodes.starts_at[series]) if state == "resolved" else None
    pending_at = int(episodes.pending_at[series])
    return Transition(series, state, end_ns, pending_at, starts_at, end_ns, outcome=outcome)


def nanoseconds(seconds: float | None) -> int | None:
    """The same in nanoseconds; None stays None."""
    return None if seconds is None else round(seconds * NS_PER_SECOND)


class TickLength:
    """Time of one closed window: the shortest distance of two; a jump over skipped windows counts as one.

    Examples
    --------
    >>> ticks = TickLength()
    >>> [ticks.move(end_ns) for end_ns in (10, 12, 14, 9000)]
    [0, 2, 2, 2]
    """

    __slots__ = ("_end_ns", "_length_ns")

    def __init__(self) -> None:
        self._end_ns = self._length_ns = 0

    def move(self, end_ns: int) -> int:
        """The next window ends."""
        if self._end_ns:
            passed_ns = end_ns - self._end_ns
            self._length_ns = min(self._length_ns, passed_ns) if self._length_ns else passed_ns
        self._end_ns = end_ns
        return self._length_ns

    def move_many(self, first_end_ns: int, tick_ns: int, count: int) -> None:
        """Windows in a row end, the first of them at `first_end_ns`."""
        for place in range(min(count, 3)):  # the length is known by then, also where the first ends at 0
            self.move(first_end_ns + place * tick_ns)
        self._end_ns = first_end_ns + (count - 1) * tick_ns
