"""Rules on the times of a source's rows: late rows, and timestamps in the future."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from msgspec import Meta, Struct

from aiops_nb.alert.identity import bare_change, labels_of
from aiops_nb.alert.lifecycle import HoldParams, TickRule, Transition
from aiops_nb.core.growing import capacity_near, widened
from aiops_nb.core.quantities import format_duration, format_share
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, BoolArray, FloatArray, IntArray, SeriesKey, Severity
from aiops_nb.rules.sentences import ended

if TYPE_CHECKING:
    import pandas as pd

SOURCE_RULE_DETECTOR = "source_rule"
NEVER_SECONDS = 1e9
SPAN_TICKS, MOST_SOURCES = 5, 1024
ROWS, LATE, LATE_MS, FUTURE, FUTURE_MS = range(5)
COUNTED = {"late": LATE, "future": FUTURE}
WHY = {
    "late": "late and were not analysed: its clock is slow, one of several clocks is fast, or rows were delayed",
    "future": "ahead of this host's clock: one of the two clocks is wrong",
}


class SourceJudge:
    """Counts each source's rows, the late ones and those with timestamps in the future, over the last 5 closed windows.

    Whole numbers, moved when a window closes: it does not depend on how the stream is cut. Cost: O(sources) a window;
    memory: 240 bytes a source, of at most 1,024.
    """

    def __init__(self, rules: Iterable[SourceRuleParams]) -> None:
        self._rules = [(rule, TickRule(rule.hold)) for rule in rules]
        self._names: dict[str, int] = {}
        self._open = np.zeros((16, 5), np.int64)
        self._closed = np.zeros((SPAN_TICKS, 16, 5), np.int64)
        self._ticks = 0
        self._plain_ticks = 0  # windows in a row without a row that is late or of the future
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
        if late.rows or future.rows:
            self._plain_ticks = 0

    def tick(self, end_ns: int) -> list[AlertChange]:
        """Move on by one window."""
        self._closed[self._ticks % SPAN_TICKS] = self._open
        self._ticks += 1
        self._open[:] = 0
        self._plain_ticks += 1
        if not self._names:
            return []
        if self._plain_ticks > SPAN_TICKS and not any(hold.is_active for _, hold in self._rules):
            for _, hold in self._rules:
                hold.pass_tick(end_ns)
            return []
        counts = self._closed.sum(axis=0)[: len(self._names)]
        made = [(rule, t) for rule, hold in self._rules for t in hold.tick(*_verdict(rule, counts), end_ns)]
        return [self._change(rule, counts, transition) for rule, transition in made]

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        for _, hold in self._rules:
            hold.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing came at all for so long."""
        made = [(rule, t) for rule, hold in self._rules for t in hold.pass_silence(elapsed_ns, end_ns)]
        return self._closings(made)

    def close(self, end_ns: int, outcome: str, source: str | None = None) -> list[AlertChange]:
        """Changes that end all episodes, or those of one source."""
        names = list(self._names)

        def is_one(place: int) -> bool:
            return source is None or names[place] == source

        return self._closings([(rule, t) for rule, hold in self._rules for t in hold.close(end_ns, outcome, is_one)])

    def _closings(self, made: list[tuple[SourceRuleParams, Transition]]) -> list[AlertChange]:
        counts = self._closed.sum(axis=0)[: len(self._names)]
        return [self._change(rule, counts, transition) for rule, transition in made]

    def _change(self, rule: SourceRuleParams, counts: IntArray, transition: Transition) -> AlertChange:
        source = list(self._names)[transition.series]
        labels = labels_of(rule.alertname, rule.severity, SOURCE_RULE_DETECTOR, SeriesKey(source))
        own = counts[transition.series]
        over = ended(transition)
        return replace(
            bare_change(transition, labels),
            value=float(_ratio(rule, counts)[transition.series]),
            threshold=rule.min_ratio,
            summary=f"{source}: {over}" if over else _sentence(source, rule, own),
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
    amount = f"{format_share(share)} of {own[ROWS]:,} rows"
    return f"{source}: {amount} were {format_duration(round(mean_seconds))} {WHY[rule.condition]}"


SourceCondition = Literal["late", "future"]


class SourceRuleParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Most rows of one source have times at which they cannot be judged, or which have not come yet.

    Attributes
    ----------
    alertname
        Identity of the rule.
    condition
        What a row must be to count: `late`, of a window that is closed, so that it is recorded and judged by nothing;
        or from the `future`, `future_seconds` ahead of the recorded clock at least.
    severity
        info, warning, error or critical.
    min_rows
        So many such rows of the source there must be in the last 5 closed windows.
    min_ratio
        Their share in all rows of the source in that time, 0 to 1.
    future_seconds
        How far ahead is the future; the smallest of all rules counts. Other machines' clocks differ a little.
    hold
        How long it must hold.
    """

    alertname: str
    condition: SourceCondition
    severity: Severity = "warning"
    min_rows: Annotated[int, Meta(ge=1)] = 10
    min_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.1
    future_seconds: Annotated[float, Meta(gt=0)] = 5.0
    hold: HoldParams = HoldParams(for_seconds=10.0, keep_firing_for_seconds=30.0)


SOON = HoldParams(for_seconds=3.0, keep_firing_for_seconds=30.0)
DEFAULT_SOURCE_RULES = (
    SourceRuleParams(alertname="late_rows", condition="late"),
    SourceRuleParams(alertname="future_rows", condition="future", min_ratio=0.03, hold=SOON),
)

NS_PER_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Rows whose time is not where it should be, and by how much all of them together."""

    rows: int = 0
    milliseconds: int = 0

    @classmethod
    def of(cls, off_ns: IntArray) -> Misplaced:
        """Of rows that are so far off, (rows,).

        Examples
        --------
        >>> Misplaced.of(np.array([2_000_000, 3_999_999]))
        Misplaced(rows=2, milliseconds=5)
        """
        return cls(len(off_ns), int((off_ns // NS_PER_MILLISECOND).sum()))


NONE = Misplaced()
Count = Callable[[int, Misplaced, Misplaced], None]


class Arrivals:
    """Counts the rows of a batch in their order, part by part.

    Rows too far ahead to be used travel with the used row before them, so that the counts do not depend on the cut.

    Parameters
    ----------
    count
        Takes rows, those late, those of the future.
    unused
        Which rows of the whole batch are not used, (all rows,); None: all are.
    future_ns
        How far each row of the whole batch lies in the future, <= 0 if it does not, (all rows,); None: none does.
    """

    def __init__(self, count: Count, unused: BoolArray | None, future_ns: IntArray | None) -> None:
        self._count, self._future_ns = count, future_ns
        self._used: IntArray | None = None if unused is None else np.cumsum(~unused)
        if self._used is not None:
            self._add(0, int(np.searchsorted(self._used, 1)), NONE)

    def take(self, first: int, last: int, late_ns: IntArray | None) -> None:
        """Count the used rows [first, last); `late_ns` is of those that are late."""
        late = NONE if late_ns is None else Misplaced.of(late_ns)
        if self._used is not None:
            first, last = np.searchsorted(self._used, (first + 1, last + 1)).tolist()
        self._add(first, last, late)

    def _add(self, first: int, last: int, late: Misplaced) -> None:
        future = NONE
        if self._future_ns is not None:
            off = self._future_ns[first:last]
            future = Misplaced.of(off[off > 0])
        if last > first:
            self._count(last - first, late, future)


class SourceEvidence:
    """The requests of the alert's source."""

    def rows(
        self,
        alert: Mapping[str, Any] | pd.Series,
        requests: Callable[[], pd.DataFrame],
        scores: Callable[[], pd.DataFrame],
    ) -> pd.DataFrame:
        """See `aiops_nb.rules.evidence.Evidence.rows`."""
        rows = requests()
        own: pd.DataFrame = rows[rows["source"] == alert["target"]]
        return own
