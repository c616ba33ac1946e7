"""Why some series of a rule are anomalous at one tick: numbers while they are known, words when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from aiops_nb.core.protocols import Detector, Explaining
from aiops_nb.core.types import BoolArray, FeatureTable, FloatArray, IntArray, ScoredFeature
from aiops_nb.rules.feature.background import Background
from aiops_nb.rules.feature.phases import PhaseBreakdown, PhaseChange, phase_sentence
from aiops_nb.rules.feature.sentences import band_sentence, bounds_of, joined

SENTENCE_BYTES = 150


@dataclass(frozen=True, slots=True)
class RuleReasons:
    """Of m series of one rule, see `core.types.Reasons`; `shares` of each part of the score are (m,)."""

    series: IntArray
    features: tuple[str, ...]
    shares: Mapping[str, FloatArray] = field(default_factory=dict)
    phases: PhaseBreakdown = field(default_factory=PhaseBreakdown)
    background: Background = field(default_factory=Background)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        arrays = (self.series, *self.shares.values(), self.phases.baseline, self.phases.now)
        return sum(array.nbytes for array in arrays) + SENTENCE_BYTES * len(self.background.details)

    def number_of(self, place: int) -> int:
        """Number of the series at this place among the m."""
        return int(np.searchsorted(self.series, place))

    def own_shares(self, number: int) -> dict[str, float]:
        """What the detector says of the parts; empty where it knows but one."""
        return {name: float(share[number]) for name, share in self.shares.items() if share[number] == share[number]}

    def contributions(self, number: int) -> Mapping[str, float]:
        """Shares by the detector's parts, else by the phases that grew; all of it, if there is only one feature."""
        return contributions_of(self.own_shares(number), self.phases.of(number), self.features)

    def phase(self, number: int) -> str:
        """The part that grew most; empty where that is not known."""
        phase_change = self.phases.of(number)
        return phase_change.part if phase_change else ""

    def verdict(self, scored: ScoredFeature, number: int, lasting: str = "") -> str:
        """The value, how long it has been so, its band, and what contributed most."""
        at = int(self.series[number])
        value, bounds = float(scored.value[at]), bounds_of(scored.scores, at)
        shares, detail = self.own_shares(number), self.background.detail(number)
        return band_sentence(scored.series[at], scored.feature, value, bounds, shares, detail, lasting)

    def summary(self, scored: ScoredFeature, number: int, lasting: str = "") -> str:
        """The verdict, the phase that grew most, and what the baseline is made of."""
        notes = phase_sentence(self.phases.of(number)), *self.background.sentences(number)
        return joined(self.verdict(scored, number, lasting), *notes)


def contributions_of(
    own: Mapping[str, float], phase_change: PhaseChange | None, features: tuple[str, ...]
) -> Mapping[str, float]:
    """Shares by the detector's parts, else by the phases that grew; all of it, if there is only one feature."""
    alone = {features[0]: 1.0} if len(features) == 1 else {}
    return own or (phase_change.shares if phase_change else alone)


def shares_of(detector: Detector, table: FeatureTable, series: IntArray) -> dict[str, FloatArray]:
    """What the detector says of the parts of these series; empty if it cannot say, or there is only one part."""
    if not isinstance(detector, Explaining):
        return {}
    rows: BoolArray = np.zeros(len(table.series), np.bool_)
    rows[series] = True
    return {name: share[series] for name, share in detector.contributions(table, rows).items()}
