"""Alerts on rows: consecutive hits of a series, judged within the batch; they end with a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aiops_nb import kernel
from aiops_nb.alert.lifecycle import (
    FIRING,
    INACTIVE,
    NEVER,
    PENDING,
    Episodes,
    IndexArray,
    TickLength,
    Transition,
    ended_transition,
    nanoseconds,
    no_data,
)
from aiops_nb.core.growing import widened
from aiops_nb.core.types import NS_PER_SECOND, AlertState, BoolArray, IntArray
from aiops_nb.rules.row.params import RowRuleParams

KEPT_CAUSES = 5  # of a run, for its summary


@dataclass(frozen=True, slots=True)
class RowTransition(Transition):
    """A transition that a row made: the length of its run of hits, and the latest causes, the last at the end."""

    hits: int = 0
    causes: tuple[int, ...] = ()


class RowRule:
    """Counts consecutive hits of each series.

    A series fires after as many consecutive hits as it needs (`for_rows`, or more by `need`), and is pending after half
    of them, each stamped by its row. A pending series whose last row of a window is not a hit becomes inactive; a
    firing one is resolved when `keep_firing_for_seconds` have passed since the first row without a hit. Without rows
    nothing changes for `close_after_seconds`; then the alert is closed.
    """

    def __init__(self, params: RowRuleParams) -> None:
        self.params = params
        self._episodes = Episodes()
        self._streak = np.zeros(64, np.int64)
        self._causes = np.zeros((KEPT_CAUSES, 64), np.int64)  # of the run of each series, the latest first
        self._needed = np.full(64, params.for_rows)
        self._needed_later: Callable[[], IntArray] | None = None
        self._watched = np.zeros(64, np.bool_)  # in a run of hits, or not inactive
        self._watching = False
        self._keep_ns = round(params.keep_firing_for_seconds * NS_PER_SECOND)
        self._close_after_ns = nanoseconds(params.close_after_seconds)
        self._ticks = TickLength()

    def rows(self, series: IntArray, hit: BoolArray, cause: IntArray, time_ns: IntArray) -> list[RowTransition]:
        """Take rows in stream order, each (rows,); `cause` is a number that says what a hit was, such as its status."""
        if not self._watching and not hit.any():
            return []
        self._look_up_needed()
        self._make_room(int(series.max()) + 1)
        if self._take_quietly(series, hit, cause):
            return []
        order = self._rows_that_matter(series, hit)
        if not len(order):
            return []
        return self._judge(_Runs(series[order], hit[order], cause[order], self._streak), order, time_ns)

    def _take_quietly(self, series: IntArray, hit: BoolArray, cause: IntArray) -> bool:
        """Take rows in by the compiled kernel if no state can change within them; else nothing is changed."""
        if kernel.compiled is None:
            return False
        watching: int = kernel.compiled.row_runs(
            series,
            hit,
            cause,
            self._streak,
            self._causes,
            self._needed,
            self._watched,
            self._episodes.state[: len(self._streak)],
        )
        if watching >= 0:
            self._watching = bool(watching)
        return watching >= 0

    def _make_room(self, count: int) -> None:
        self._episodes.make_room(count)
        if len(self._streak) < len(self._episodes.state):
            self._streak = widened(self._streak, len(self._episodes.state))
            self._causes = widened(self._causes, len(self._episodes.state))
            self._needed = widened(self._needed, len(self._episodes.state), self.params.for_rows)
            self._watched = widened(self._watched, len(self._episodes.state))

    @property
    def is_watching(self) -> bool:
        """Whether a series is in a run of hits, or not inactive."""
        return self._watching

    @property
    def is_active(self) -> bool:
        """Whether a series is pending or fires."""
        return self._episodes.active > 0

    def need(self, count: int, rows: Callable[[], IntArray]) -> None:
        """From here on the first `count` series need so many consecutive hits, (n,); the others `for_rows`.

        `rows` is asked when there is a hit, and not after the end of the next window with hits to remember.
        """
        self._make_room(count)
        self._needed_later = rows

    def _look_up_needed(self) -> None:
        if self._needed_later is not None:
            rows, self._needed_later = self._needed_later(), None
            self._make_room(len(rows))
            self._needed[: len(rows)] = rows

    def needed(self, series: int) -> int:
        """How many consecutive hits a series needs."""
        self._look_up_needed()
        return int(self._needed[series])

    def quiet(self) -> BoolArray:
        """Series without a run of hits and without an alert that fires, (capacity,)."""
        if not self._episodes.active:
            without_run: BoolArray = self._streak == 0
            return without_run
        quiet: BoolArray = (self._streak == 0) & (self._episodes.state[: len(self._streak)] != FIRING)
        return quiet

    def firing_since(self, moment_ns: int) -> BoolArray:
        """Series that have fired since that moment or before it, time asleep left out, (capacity,)."""
        if not self._episodes.active:
            return np.zeros(len(self._streak), np.bool_)
        firing: BoolArray = (self._episodes.state == FIRING) & (self._episodes.held_since <= moment_ns)
        return firing[: len(self._streak)]

    def _rows_that_matter(self, series: IntArray, hit: BoolArray) -> IndexArray:
        self._watched[series[hit]] = True
        rows = np.flatnonzero(self._watched[series])
        return rows[np.argsort(series[rows], kind="stable")]

    def _watch(self, series: IndexArray) -> None:
        """Look again whether these series are in a run of hits, or not inactive."""
        self._watched[series] = (self._streak[series] > 0) | (self._episodes.state[series] != INACTIVE)
        self._watching = bool(self._watched.any())

    def _judge(self, runs: _Runs, order: IndexArray, time_ns: IntArray) -> list[RowTransition]:
        changes = self._moves(runs, order, time_ns)
        self._streak[runs.names] = runs.streak[runs.last]
        self._causes[:, runs.names] = runs.latest_causes(self._causes[:, runs.names])
        self._episodes.unheard_ns[runs.names] = 0
        self._note_clear(runs, order, time_ns)
        self._watch(runs.names)
        return changes

    def _moves(self, runs: _Runs, order: IndexArray, time_ns: IntArray) -> list[RowTransition]:
        needed = self._needed[runs.series]
        begins = runs.streak >= (needed + 1) // 2
        if not begins.any():
            return []
        pending = self._begin(runs.first_where(begins), runs, order, time_ns)
        firing = self._fire(runs.first_where(runs.streak >= needed), runs, order, time_ns)
        return sorted([*pending, *firing], key=lambda change: (change.row, change.state == "firing"))

    def _begin(self, first: IndexArray, runs: _Runs, order: IndexArray, time_ns: IntArray) -> list[RowTransition]:
        first = first[self._episodes.state[runs.series[first]] == INACTIVE]
        series, rows = runs.series[first], order[first]
        self._episodes.begin_pending(series, time_ns[rows])
        if self.params.for_rows == 1:
            return []
        moments = zip(first.tolist(), series.tolist(), time_ns[rows].tolist(), rows.tolist(), strict=True)
        return [
            RowTransition(one, "pending", at, at, row=row, hits=int(runs.streak[place]), causes=self._run(runs, place))
            for place, one, at, row in moments
        ]

    def _run(self, runs: _Runs, place: int) -> tuple[int, ...]:
        return runs.causes_until(place, self._causes[:, runs.series[place]])

    def _fire(self, first: IndexArray, runs: _Runs, order: IndexArray, time_ns: IntArray) -> list[RowTransition]:
        first = first[self._episodes.state[runs.series[first]] == PENDING]
        series, rows = runs.series[first], order[first]
        self._episodes.begin_firing(series, time_ns[rows])
        pending_at = self._episodes.pending_at[series].tolist()
        moments = zip(first.tolist(), series.tolist(), time_ns[rows].tolist(), pending_at, rows.tolist(), strict=True)
        return [
            RowTransition(
                one, "firing", at, since, at, row=row, hits=int(runs.streak[place]), causes=self._run(runs, place)
            )
            for place, one, at, since, row in moments
        ]

    def _note_clear(self, runs: _Runs, order: IndexArray, time_ns: IntArray) -> None:
        names, clear_since = runs.names, self._episodes.clear_since
        firing = self._episodes.state[names] == FIRING
        if not firing.any():  # of others it is never noted
            return
        last_hit, first_clear = runs.last_hit_and_clear_after()
        clear_since[names[last_hit >= 0]] = NEVER
        fresh = (first_clear >= 0) & (clear_since[names] == NEVER) & firing
        clear_since[names[fresh]] = time_ns[order[first_clear[fresh]]]

    def tick(self, end_ns: int) -> list[Transition]:
        """End of a window: pending series without a streak become inactive, clear ones are resolved."""
        episodes = self._episodes
        elapsed_ns = self._ticks.move(end_ns)
        if not episodes.active:
            return []
        self._make_room(1)
        count = len(episodes.state)
        gone = np.flatnonzero((episodes.state == PENDING) & (self._streak == 0))
        over = np.flatnonzero(episodes.due_to_resolve(count, end_ns, self._keep_ns))
        changes = [*self._ended(gone, "inactive", end_ns), *self._ended(over, "resolved", end_ns)]
        episodes.end(gone)
        episodes.end(over)
        self._watch(np.concatenate([gone, over]))
        return [*changes, *self.pass_silence(elapsed_ns, end_ns)]

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        if self._episodes.active:
            self._episodes.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[Transition]:
        """So much time has passed; a row of a series begins its count again."""
        episodes = self._episodes
        if not episodes.active:
            return []
        everywhere = np.ones(len(episodes.state), np.bool_)
        due = episodes.without_data(everywhere, elapsed_ns, self._close_after_ns)
        return self._close(due, end_ns, no_data(self.params.close_after_seconds)) if len(due) else []

    def close(self, end_ns: int, outcome: str, is_chosen: Callable[[int], bool] | None = None) -> list[Transition]:
        """End all episodes, or those of the chosen series."""
        series = self._episodes.active_series()
        if is_chosen is not None:
            series = np.array([one for one in series.tolist() if is_chosen(one)], np.intp)
        return self._close(series, end_ns, outcome)

    def _close(self, series: IndexArray, end_ns: int, outcome: str) -> list[Transition]:
        self._make_room(1)
        self._streak[series] = 0
        closed = self._episodes.close(series, end_ns, outcome)
        self._watch(series)
        return closed

    def _ended(self, series: IndexArray, state: AlertState, end_ns: int) -> list[Transition]:
        return [ended_transition(self._episodes, i, state, end_ns) for i in series.tolist()]


def _begins(series: IntArray) -> BoolArray:
    """Which rows have another series than the row before, (rows,)."""
    begins = np.ones(len(series), np.bool_)
    np.not_equal(series[1:], series[:-1], out=begins[1:])
    return begins


class _Runs:
    """Rows grouped by series, each group in stream order, with the streak of hits after every row."""

    def __init__(self, series: IntArray, hit: BoolArray, cause: IntArray, carried: IntArray) -> None:
        self.series, self.hit, self._cause = series, hit, cause
        begins = _begins(series)
        self.starts = starts = np.flatnonzero(begins)
        self.last = np.empty_like(starts)
        self.last[:-1], self.last[-1] = starts[1:] - 1, len(series) - 1
        self.names = series[starts]
        self._group = np.cumsum(begins) - 1
        place = np.arange(len(series))
        miss = np.maximum.accumulate(np.where(hit, -1, place))
        start = starts[self._group]
        unbroken = miss < start
        self.streak: IntArray = np.where(unbroken, place - start + 1 + carried[series], place - miss)

    def causes_until(self, place: int, carried: IntArray) -> tuple[int, ...]:
        """Causes of the run that a row is in, the last at the end; `carried` is (kept,), the latest before first."""
        kept = min(int(self.streak[place]), len(carried))
        first = max(place - kept + 1, int(self.starts[self._group[place]]))
        here: list[int] = self._cause[first : place + 1].tolist()
        before: list[int] = carried[: kept - len(here)][::-1].tolist()
        return (*before, *here)

    def latest_causes(self, carried: IntArray) -> IntArray:
        """Causes of the last rows of each series, the latest first, (kept, series); `carried` are those before them."""
        latest = np.empty_like(carried)
        rows, columns = self.last - self.starts + 1, np.arange(len(self.names))
        for back in range(len(carried)):
            before = carried[np.clip(back - rows, 0, None), columns]
            latest[back] = np.where(back < rows, self._cause[np.maximum(self.last - back, 0)], before)
        return latest

    def first_where(self, mask: BoolArray) -> IndexArray:
        """Place of the first row of each series where the mask holds, for the series that have one."""
        places = np.flatnonzero(mask)
        first: IndexArray = places[_begins(self.series[places])]
        return first

    def last_hit_and_clear_after(self) -> tuple[IndexArray, IndexArray]:
        """Of each series: place of its last hit (-1: none), and of the first row without one after that (-1: none)."""
        last_hit = np.full(len(self.names), -1, np.intp)
        places = np.flatnonzero(self.hit)
        last_hit[self._group[places]] = places
        after = np.arange(len(self.series)) > last_hit[self._group]
        first_clear = np.full(len(self.names), -1, np.intp)
        clear = np.flatnonzero(after)[::-1]
        first_clear[self._group[clear]] = clear
        return last_hit, first_clear
