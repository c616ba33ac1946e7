"""Rules that find nothing anomalous, as nearly all do at nearly every tick: the kernel judges all of them in one call.

What the kernel cannot do, and every rule that has something to say, is judged by Python: it has the one definition of
what an alert is. Both give the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import numpy as np

from aiops_nb.core.types import AlertChange, BoolArray, FeatureTable, FloatArray, IntArray, ScoredFeature, SeriesKey
from aiops_nb.detect.limits.burn_rate import BurnRate
from aiops_nb.detect.limits.compiled import Compiled
from aiops_nb.detect.limits.level import Level
from aiops_nb.detect.limits.robust_z import RobustZ
from aiops_nb.detect.limits.silence import Silence
from aiops_nb.features.windows import FeatureWindows


class Quiet(NamedTuple):
    """A rule as the kernel judges it, for a table of `known_series`; valid until Python judges the rule again.

    `row` is that of the judged feature, `places` are those of the selected series (None: all).
    """

    row: int
    known_series: int
    series: tuple[SeriesKey, ...]
    places: IntArray | None
    none_anomalous: BoolArray
    rule: tuple[Any, ...]


def quiet_detector(detector: object, names: tuple[str, ...], count: int) -> Compiled | None:
    """What the kernel needs of a detector; None if it does not know it, such as one that derives from ours."""
    if type(detector) not in (RobustZ, Silence, Level, BurnRate):
        return None
    assert isinstance(detector, RobustZ | Silence | Level | BurnRate)
    return detector.compiled(names, count)


class QuietJudge(Protocol):
    """A rule on features, as the kernel needs it."""

    @property
    def most_quiet_windows(self) -> int:
        """How many windows in a row the kernel may judge before Python learns something from them."""
        ...

    def quiet(self, table: FeatureTable) -> Quiet | None:
        """The rule as the kernel judges it; None if Python has to."""
        ...

    def judged_quiet(self, features: FeatureWindows, first: int, scores: FloatArray) -> list[ScoredFeature]:
        """What the kernel found in windows from the place `first` on."""
        ...

    def without_series(self, table: FeatureTable) -> ScoredFeature | None:
        """What it says of each window while it selects no series; None if it selects some."""
        ...

    def tick(self, table: FeatureTable) -> tuple[ScoredFeature, list[AlertChange]]:
        """Judge the series of a closed window by Python."""
        ...


Verdicts = list[tuple[list[ScoredFeature], list[AlertChange]]]


def judge_windows(compiled: ModuleType | None, judges: Sequence[QuietJudge], features: FeatureWindows) -> Verdicts:
    """The verdicts and the changes by all rules in each window, in the order of the rules.

    A rule depends on no other one, so each is judged through all windows before the next.
    """
    windows = len(features)
    if compiled is None:
        results = [_Judged(judge, features, None) for judge in judges]
    else:
        scores = np.empty((len(judges), windows, 4, len(features.series)))
        results = [_Judged(judge, features, of_rule) for judge, of_rule in zip(judges, scores, strict=True)]
        _judge_quiet(compiled, results, features, scores, 0)
    for place, result in enumerate(results):
        while len(result.scored) < windows:
            first = len(result.scored)
            if result.may_be_quiet and compiled is not None:
                _judge_quiet(compiled, [result], features, scores[place : place + 1], first)
            if len(result.scored) == first:
                result.judge_next()
    changes = [[change for result in results for change in result.changes.get(at, ())] for at in range(windows)]
    return [([result.scored[at] for result in results], changes[at]) for at in range(windows)]


class _Judged:
    """What one rule has found so far in windows in a row; the kernel writes into `scores`, (windows, 4, n)."""

    def __init__(self, judge: QuietJudge, features: FeatureWindows, scores: FloatArray | None) -> None:
        self.judge, self._features, self._scores = judge, features, scores
        self.scored: list[ScoredFeature] = []
        self.changes: dict[int, list[AlertChange]] = {}
        self.may_be_quiet = True

    def next_rule(self) -> tuple[tuple[Any, ...], int] | None:
        """The rule as the kernel judges it from the next window on, and how many windows at most; None: Python has to.

        A rule that cannot be quiet is asked again once Python has judged it.
        """
        self.may_be_quiet = False
        table = self._features.at(len(self.scored))
        quiet = self.judge.quiet(table)
        if quiet is not None:
            return quiet.rule, self.judge.most_quiet_windows
        nothing = self.judge.without_series(table)
        if nothing is not None:  # which stays so: all windows know the same series
            self.scored += [nothing] * (len(self._features) - len(self.scored))
        return None

    def take_quiet(self, windows: int, most: int) -> None:
        """The kernel has judged so many windows, of at most so many."""
        if windows:
            assert self._scores is not None
            first = len(self.scored)
            self.scored += self.judge.judged_quiet(self._features, first, self._scores[first : first + windows])
        self.may_be_quiet = windows == most

    def judge_next(self) -> None:
        """Judge the next window by Python."""
        at = len(self.scored)
        verdict, made = self.judge.tick(self._features.at(at))
        self.scored.append(verdict)
        if made:
            self.changes[at] = made
        self.may_be_quiet = True


def _judge_quiet(
    compiled: ModuleType, results: Sequence[_Judged], features: FeatureWindows, scores: FloatArray, first: int
) -> None:
    """Let the kernel judge these rules from the window `first` on, which is the next one of all of them."""
    rules = [result.next_rule() for result in results]
    if not any(rules):
        return
    judged = compiled.judge_windows(features.values[first:], tuple(rules), scores[:, first:])
    for result, rule, windows in zip(results, rules, judged, strict=True):
        if rule is not None:
            result.take_quiet(windows, rule[1])
