"""The vectorised state machines against plain ones that look at one row, or one series, at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.alert.lifecycle import HoldParams, TickRule
from aiops_nb.core.types import NS_PER_SECOND as SECOND
from aiops_nb.rules.row.params import RowRuleParams
from aiops_nb.rules.row.streaks import RowRule


class PlainRowRule:
    """One row at a time."""

    def __init__(self, params):
        self.params, self.series = params, {}

    def rows(self, series, hit, time_ns):
        return [change for one in zip(series, hit, time_ns, strict=True) for change in self.row(*one)]

    def row(self, name, hit, at):
        own = self.series.setdefault(name, {"state": "inactive", "streak": 0, "clear": None})
        own["streak"] = own["streak"] + 1 if hit else 0
        if hit:
            own["clear"] = None
        elif own["state"] == "firing" and own["clear"] is None:
            own["clear"] = at
        if own["state"] == "inactive" and own["streak"] >= (self.params.for_rows + 1) // 2:
            own["state"] = "pending"
            if self.params.for_rows > 1:
                yield name, "pending", at
        if own["state"] == "pending" and own["streak"] >= self.params.for_rows:
            own["state"] = "firing"
            yield name, "firing", at

    def tick(self, end):
        keep_ns = self.params.keep_firing_for_seconds * SECOND
        for name, own in sorted(self.series.items()):
            if own["state"] == "pending" and own["streak"] == 0:
                own["state"] = "inactive"
                yield name, "inactive", end
            elif own["state"] == "firing" and own["clear"] is not None and end - own["clear"] >= keep_ns:
                own["state"] = "inactive"
                yield name, "resolved", end


def told(changes):
    return [(change.series, change.state, change.time_ns) for change in changes]


rows = st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=12)


@given(windows=st.lists(st.lists(rows, max_size=3), max_size=12), for_rows=st.integers(1, 5), keep=st.integers(0, 4))
def test_row_rules_equal_a_plain_machine(windows, for_rows, keep):
    params = RowRuleParams(alertname="a", condition="failed", for_rows=for_rows, keep_firing_for_seconds=keep)
    fast, plain, at = RowRule(params), PlainRowRule(params), 0
    for second, batches in enumerate(windows, 1):
        for batch in batches:
            series, hit = (np.array(column) for column in zip(*batch, strict=True))
            time_ns = np.arange(at, at + len(batch))
            at += len(batch)
            changes = fast.rows(series.astype(np.int64), hit.astype(bool), np.zeros(len(batch), np.int64), time_ns)
            assert told(changes) == list(plain.rows(series.tolist(), hit.tolist(), time_ns.tolist()))
            assert all(change.time_ns == time_ns[change.row] for change in changes)
        assert sorted(told(fast.tick(second * SECOND))) == sorted(plain.tick(second * SECOND))


class PlainTickRule:
    """One series."""

    def __init__(self, hold):
        self.hold, self.state, self.since, self.clear = hold, "inactive", 0, None

    def tick(self, hit, known, end):
        if hit and self.state == "inactive":
            self.state, self.since = "pending", end
            if self.hold.for_seconds:
                yield "pending"
        if hit and self.state == "pending" and end - self.since >= self.hold.for_seconds * SECOND:
            self.state, self.clear = "firing", None
            yield "firing"
        if hit or not known:
            self.clear = None if hit else self.clear
            return
        if self.state == "pending":
            self.state = "inactive"
            yield "inactive"
        elif self.state == "firing":
            self.clear = end if self.clear is None else self.clear
            if end - self.clear >= self.hold.keep_firing_for_seconds * SECOND:
                self.state, self.clear = "inactive", None
                yield "resolved"


@given(
    verdicts=st.lists(st.lists(st.sampled_from([None, False, True]), min_size=3, max_size=3), max_size=40),
    for_seconds=st.integers(0, 3),
    keep=st.integers(0, 4),
)
def test_tick_rules_equal_a_plain_machine(verdicts, for_seconds, keep):
    hold = HoldParams(for_seconds=for_seconds, keep_firing_for_seconds=keep)
    fast, plain = TickRule(hold), [PlainTickRule(hold) for _ in range(3)]
    for second, row in enumerate(verdicts, 1):
        hit, known = np.array([v is True for v in row]), np.array([v is not None for v in row])
        changes = sorted((c.series, c.state) for c in fast.tick(hit, known, second * SECOND))
        expected = [(i, s) for i, one in enumerate(plain) for s in one.tick(hit[i], known[i], second * SECOND)]
        assert changes == sorted(expected)
