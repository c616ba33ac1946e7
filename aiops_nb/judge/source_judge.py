"""The rules on the times of a source's rows at work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from aiops_nb.alert.source_params import SourceRuleParams
from aiops_nb.alert.tick_rule import TickRule, Transition
from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, BoolArray, FloatArray, IntArray, SeriesKey
from aiops_nb.judge.arrivals import Misplaced
from aiops_nb.judge.identity import bare_change, labels_of

SOURCE_RULE_DETECTOR = "source_rule"
NEVER_SECONDS = 1e9
SPAN_TICKS, MOST_SOURCES = 5, 1024
ROWS, LATE, LATE_MS, FUTURE, FUTURE_MS = range(5)
COUNTED = {"late": LATE, "future": FUTURE}
WHY = {
    "late": "late and were not judged: its clock is behind, another clock in it ahead, or rows were held up",
    "future": "ahead of this host's clock: a clock in it is wrong, or ours",
}


class SourceJudge:
    """Counts each source's rows, those that come late and those from the future, over the last 5 closed windows.

    Whole numbers, moved when a window closes: it does not depend on how the stream is cut. Cost: O(sources) a window;
    memory: 240 bytes a source, of at most 1,024.
    """

    def __init__(self, rules: Iterable[SourceRuleParams]) -> None:
        self._rules = [(rule, TickRule(rule.hold)) for rule in rules]
        self._names: dict[str, int] = {}
        self._open = np.zeros((16, 5), np.int64)
        self._closed = np.zeros((SPAN_TICKS, 16, 5), np.int64)
        self._ticks = 0
        futures = [rule.future_seconds for rule, _ in self._rules if rule.condition == "future"]
        self.future_ns = round(min(futures, default=NEVER_SECONDS) * NS_PER_SECOND)

    def add(self, source: str, rows: int, late: Misplaced, future: Misplaced) -> None:
        """Count some rows of one source."""
        if source not in self._names and len(self._names) >= MOST_SOURCES:
            return
        place = self._names.setdefault(source, len(self._names))
        capacity = capacity_near(place + 1, len(self._open))
        if capacity > len(self._open):
            self._open = widened(self._open.T, capacity).T.copy()
            self._closed = widened(self._closed.transpose(0, 2, 1), capacity).transpose(0, 2, 1).copy()
        self._open[place] += rows, late.rows, late.milliseconds, future.rows, future.milliseconds

    def tick(self, end_ns: int) -> list[AlertChange]:
        """Move on by one window."""
        self._closed[self._ticks % SPAN_TICKS] = self._open
        self._ticks += 1
        self._open[:] = 0
        if not self._names:
            return []
        counts = self._closed.sum(axis=0)[: len(self._names)]
        made = [(rule, t) for rule, hold in self._rules for t in hold.tick(*_verdict(rule, counts), end_ns)]
        return [self._change(rule, counts, transition) for rule, transition in made]

    def _change(self, rule: SourceRuleParams, counts: IntArray, transition: Transition) -> AlertChange:
        source = list(self._names)[transition.series]
        labels = labels_of(rule.alertname, rule.severity, SOURCE_RULE_DETECTOR, SeriesKey(source))
        own = counts[transition.series]
        over = transition.ends_at_ns is not None
        return replace(
            bare_change(transition, labels),
            value=float(_ratio(rule, counts)[transition.series]),
            threshold=rule.min_ratio,
            summary=f"{source}: {rule.alertname} is over" if over else _sentence(source, rule, own),
        )


def _verdict(rule: SourceRuleParams, counts: IntArray) -> tuple[BoolArray, BoolArray]:
    """Which sources are hit, and of which something is known, (n,) each."""
    hit: BoolArray = (counts[:, COUNTED[rule.condition]] >= rule.min_rows) & (_ratio(rule, counts) >= rule.min_ratio)
    known: BoolArray = counts[:, ROWS] > 0
    return hit, known


def _ratio(rule: SourceRuleParams, counts: IntArray) -> FloatArray:
    ratio: FloatArray = counts[:, COUNTED[rule.condition]] / np.maximum(counts[:, ROWS], 1)
    return ratio


def _sentence(source: str, rule: SourceRuleParams, own: IntArray) -> str:
    of_it = COUNTED[rule.condition]
    mean_seconds = own[of_it + 1] / 1000 / max(own[of_it], 1)
    share = own[of_it] / max(own[ROWS], 1)
    return f"{source}: {share:.0%} of {own[ROWS]} rows came {mean_seconds:.0f} s {WHY[rule.condition]}"
