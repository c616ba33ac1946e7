"""Alerts on rows: consecutive hits of a series, judged within the batch; ended at ticks."""

from __future__ import annotations

import numpy as np

from aiops_nb.alert.lifecycle import (
    FIRING,
    INACTIVE,
    NEVER,
    PENDING,
    Episodes,
    IndexArray,
    Transition,
    ended_transition,
)
from aiops_nb.core.growing import widened
from aiops_nb.core.types import NS_PER_SECOND, AlertState, BoolArray, IntArray
from aiops_nb.rules.row.params import RowRuleParams


class RowRule:
    """Counts consecutive hits of each series.

    So many hits on end as a series needs (`for_rows`, or more by `need`) make it fire, half of them make it pending,
    each stamped by its row: in busy traffic a single error among many answers is not worth a state. A pending series
    that ends a window on a row without a hit becomes inactive; a firing one is resolved when `keep_firing_for_seconds`
    have passed since the first row without a hit. No rows at all change nothing.
    """

    def __init__(self, params: RowRuleParams) -> None:
        self.params = params
        self._episodes = Episodes()
        self._streak = np.zeros(64, np.int64)
        self._needed = np.full(64, params.for_rows)
        self._watched = np.zeros(64, np.bool_)  # in a run of hits, or not inactive
        self._watching = False
        self._keep_ns = round(params.keep_firing_for_seconds * NS_PER_SECOND)

    def rows(self, series: IntArray, hit: BoolArray, time_ns: IntArray) -> list[Transition]:
        """Take rows in stream order, each (rows,); the transitions carry the row that made them."""
        if not self._watching and not hit.any():
            return []
        self._make_room(int(series.max()) + 1)
        order = self._rows_that_matter(series, hit)
        if not len(order):
            return []
        return self._judge(_Runs(series[order], hit[order], self._streak), order, time_ns)

    def _make_room(self, count: int) -> None:
        self._episodes.make_room(count)
        if len(self._streak) < len(self._episodes.state):
            self._streak = widened(self._streak, len(self._episodes.state))
            self._needed = widened(self._needed, len(self._episodes.state), self.params.for_rows)
            self._watched = widened(self._watched, len(self._episodes.state))

    def need(self, rows: IntArray) -> None:
        """From here on the first series need so many hits on end, (n,); the others `for_rows`."""
        self._make_room(len(rows))
        self._needed[: len(rows)] = rows

    def needed(self, series: int) -> int:
        """How many hits on end a series needs."""
        return int(self._needed[series])

    def quiet(self) -> BoolArray:
        """Series without a run of hits and without an alert that fires, (capacity,)."""
        quiet: BoolArray = (self._streak == 0) & (self._episodes.state[: len(self._streak)] != FIRING)
        return quiet

    def firing_since(self, moment_ns: int) -> BoolArray:
        """Series that have fired since that moment or before it, (capacity,)."""
        firing: BoolArray = (self._episodes.state == FIRING) & (self._episodes.starts_at <= moment_ns)
        return firing[: len(self._streak)]

    def _rows_that_matter(self, series: IntArray, hit: BoolArray) -> IndexArray:
        self._watched[series[hit]] = True
        rows = np.flatnonzero(self._watched[series])
        return rows[np.argsort(series[rows], kind="stable")]

    def _watch(self, series: IndexArray) -> None:
        """Look again whether these series are in a run of hits, or not inactive."""
        self._watched[series] = (self._streak[series] > 0) | (self._episodes.state[series] != INACTIVE)
        self._watching = bool(self._watched.any())

    def _judge(self, runs: _Runs, order: IndexArray, time_ns: IntArray) -> list[Transition]:
        changes = self._moves(runs, order, time_ns)
        self._streak[runs.names] = runs.streak[runs.last]
        self._note_clear(runs, order, time_ns)
        self._watch(runs.names)
        return changes

    def _moves(self, runs: _Runs, order: IndexArray, time_ns: IntArray) -> list[Transition]:
        needed = self._needed[runs.series]
        begins = runs.streak >= (needed + 1) // 2
        if not begins.any():
            return []
        pending = self._begin(runs.first_where(begins), runs, order, time_ns)
        firing = self._fire(runs.first_where(runs.streak >= needed), runs, order, time_ns)
        return sorted([*pending, *firing], key=lambda change: (change.row, change.state == "firing"))

    def _begin(self, first: IndexArray, runs: _Runs, order: IndexArray, time_ns: IntArray) -> list[Transition]:
        first = first[self._episodes.state[runs.series[first]] == INACTIVE]
        series, rows = runs.series[first], order[first]
        self._episodes.begin_pending(series, time_ns[rows])
        if self.params.for_rows == 1:
            return []
        at = time_ns[rows].tolist()
        return [
            Transition(s, "pending", t, t, row=r) for s, t, r in zip(series.tolist(), at, rows.tolist(), strict=True)
        ]

    def _fire(self, first: IndexArray, runs: _Runs, order: IndexArray, time_ns: IntArray) -> list[Transition]:
        first = first[self._episodes.state[runs.series[first]] == PENDING]
        series, rows = runs.series[first], order[first]
        self._episodes.begin_firing(series, time_ns[rows])
        pending_at = self._episodes.pending_at[series].tolist()
        moments = zip(series.tolist(), time_ns[rows].tolist(), pending_at, rows.tolist(), strict=True)
        return [Transition(one, "firing", at, since, at, row=row) for one, at, since, row in moments]

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
        return changes

    def _ended(self, series: IndexArray, state: AlertState, end_ns: int) -> list[Transition]:
        return [ended_transition(self._episodes, i, state, end_ns) for i in series.tolist()]


def _begins(series: IntArray) -> BoolArray:
    """Which rows have another series than the row before, (rows,)."""
    begins = np.ones(len(series), np.bool_)
    np.not_equal(series[1:], series[:-1], out=begins[1:])
    return begins


class _Runs:
    """Rows grouped by series, each group in stream order, with the streak of hits after every row."""

    def __init__(self, series: IntArray, hit: BoolArray, carried: IntArray) -> None:
        self.series, self.hit = series, hit
        begins = _begins(series)
        starts = np.flatnonzero(begins)
        self.last = np.empty_like(starts)
        self.last[:-1], self.last[-1] = starts[1:] - 1, len(series) - 1
        self.names = series[starts]
        self._group = np.cumsum(begins) - 1
        place = np.arange(len(series))
        miss = np.maximum.accumulate(np.where(hit, -1, place))
        start = starts[self._group]
        unbroken = miss < start
        self.streak: IntArray = np.where(unbroken, place - start + 1 + carried[series], place - miss)

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
