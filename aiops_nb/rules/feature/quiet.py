"""Rules that find nothing anomalous, as nearly all do at nearly every tick: the kernel judges all of them in one call.

What the kernel cannot do, and every rule that has something to say, is judged by Python: it has the one definition of
what an alert is. Both give the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import numpy as np

from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, IntArray, ScoredFeature, SeriesKey
from aiops_nb.detect.limits.burn_rate import BurnRate
from aiops_nb.detect.limits.compiled import Compiled
from aiops_nb.detect.limits.level import Level
from aiops_nb.detect.limits.robust_z import RobustZ
from aiops_nb.detect.limits.silence import Silence

MOST_RULES = 64  # of one call: it answers with a bit for each


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

    def quiet(self, table: FeatureTable) -> Quiet | None:
        """The rule as the kernel judges it; None if Python has to."""
        ...

    def judged_quiet(self, table: FeatureTable, scores: FloatArray) -> ScoredFeature:
        """What the kernel found."""
        ...


def judge_quiet(compiled: ModuleType, judges: Iterable[QuietJudge], table: FeatureTable) -> dict[int, ScoredFeature]:
    """Verdicts of all rules that have nothing to say, by their place; Python judges the others."""
    quiet = {}
    for place, judge in enumerate(judges):
        if place < MOST_RULES and (one := judge.quiet(table)) is not None:
            quiet[place] = judge, one.rule
    if not quiet:
        return {}
    scores = np.empty((len(quiet), 4, len(table.series)))
    judged = compiled.judge_rules(table.values, tuple(rule for _, rule in quiet.values()), scores)
    return {
        place: judge.judged_quiet(table, of_rule)
        for number, ((place, (judge, _)), of_rule) in enumerate(zip(quiet.items(), scores, strict=True))
        if judged >> number & 1
    }
