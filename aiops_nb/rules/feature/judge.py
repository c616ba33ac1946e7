"""Judges features by one rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from aiops_nb.alert.identity import bare_change, labels_of
from aiops_nb.alert.lifecycle import TickRule, Transition
from aiops_nb.core.quantities import format_duration, unit_name
from aiops_nb.core.types import (
    NS_PER_SECOND,
    AlertChange,
    BoolArray,
    FeatureTable,
    FloatArray,
    ScoredFeature,
    Scores,
    SeriesKey,
)
from aiops_nb.detect.registry import build_detector
from aiops_nb.detect.score_scale import without_contradiction
from aiops_nb.features.windows import FeatureWindows
from aiops_nb.preprocess.steps import chain
from aiops_nb.rules.feature.background import Background
from aiops_nb.rules.feature.chance import SignificanceTest
from aiops_nb.rules.feature.new_level import Acceptances
from aiops_nb.rules.feature.params import FeatureRuleParams
from aiops_nb.rules.feature.phases import PhaseChanges
from aiops_nb.rules.feature.quiet import Quiet, quiet_detector
from aiops_nb.rules.feature.reasons import RuleReasons, shares_of
from aiops_nb.rules.feature.selection import Selection
from aiops_nb.rules.feature.sentences import joined
from aiops_nb.rules.feature.severities import ValueSeverities
from aiops_nb.rules.own_host import OwnHost
from aiops_nb.rules.sentences import ended

NO_SERIES = np.empty(0, np.intp)
NONE_ACCEPTED: BoolArray = np.zeros(0, np.bool_)
NO_SCORES = Scores(*np.empty((4, 0)))
MANY = 1 << 30
WORTH_SAYING_SECONDS = 30.0  # how long a condition has held before the alert fired


def is_outside(value: FloatArray, scores: Scores, part: FloatArray) -> BoolArray:
    """Whether each value is further from what is expected than that part of the way to either end of the band.

    Examples
    --------
    >>> scores = Scores(*np.array([[7.0, 7.0], [10.0, 10.0], [np.nan, np.nan], [20.0, 20.0]]))
    >>> is_outside(np.array([21.0, 19.0]), scores, np.array([1.0, 1.0])).tolist()
    [True, False]
    """
    distance = value - scores.expected
    outside: BoolArray = distance > part * (scores.upper - scores.expected)
    return outside | (distance < part * (scores.lower - scores.expected))


def without_signed_zeros(scores: Scores) -> Scores:
    """The same with 0 for -0: which of the two comes out depends on the processor.

    Examples
    --------
    >>> zeros = np.array([-0.0])
    >>> np.signbit(without_signed_zeros(Scores(zeros, zeros, zeros, zeros)).score).tolist()
    [False]
    """
    return Scores(scores.score + 0.0, scores.expected + 0.0, scores.lower + 0.0, scores.upper + 0.0)


class FeatureJudge:
    """Scores a feature of the selected series at each tick, decides, then learns."""

    def __init__(self, params: FeatureRuleParams, own_host: OwnHost | None = None) -> None:
        self.params = params
        self._own_host = own_host
        self._selection = Selection(params)
        self._steps = chain(params.preprocess)
        self._detector = build_detector(params.detector, params.judged_features, params.threshold)
        self._phase_changes = PhaseChanges(params.explaining_features)
        self._rule = TickRule(params.hold)
        self._acceptances = Acceptances()
        self._chance = None if params.significance is None else SignificanceTest(params.significance)
        self._threshold = params.threshold
        self._quiet: Quiet | None = None
        self._severities = ValueSeverities(params.severity, params.severities)

    @property
    def problem(self) -> str:
        """What its detector cannot do now, such as one of another library that raises; empty if there is nothing."""
        return str(getattr(self._detector, "problem", ""))

    @property
    def can_fail(self) -> bool:
        """Whether its detector can have a problem."""
        return hasattr(self._detector, "problem")

    def set_threshold(self, threshold: float) -> None:
        """Use another threshold from the next window on."""
        self._threshold = self._detector.threshold = threshold
        self._quiet = None

    def tick(self, table: FeatureTable) -> tuple[ScoredFeature, list[AlertChange]]:
        """Judge the series of a closed window."""
        self._quiet = None
        selected = self._selection.of(table)
        if not selected.series:  # most rules on metrics have none: a tick must cost next to nothing then
            return self._scored(selected, NO_SCORES, NO_SCORES.score > 0), []
        judged = self._preprocessed(selected)
        scored = self._score(selected, judged)
        known = ~np.isnan(scored.scores.score)
        heard = known | ~np.isnan(selected.values[0])
        transitions = self._rule.tick(scored.is_anomaly, known, table.end_ns, heard)
        self._phase_changes.take(selected)
        reasons = self._reasons(judged, scored.is_anomaly, transitions)
        changes = [self._change(scored, reasons, transition) for transition in transitions]
        if self._severities:
            moved = [transition.series for transition in transitions]
            changes = self._severities.apply(changes, moved, scored, self._own_host, table.end_ns)
        self._phase_changes.learn(selected, ~scored.is_anomaly)
        explained = replace(scored, reasons=reasons) if len(reasons.series) else scored
        return self._learned(selected, judged, explained), changes

    def pass_sleep(self, slept_ns: int) -> None:
        """So much of the windows that are about to pass was slept."""
        self._rule.pass_sleep(slept_ns)

    def pass_silence(self, elapsed_ns: int, end_ns: int) -> list[AlertChange]:
        """Changes because nothing came at all for so long."""
        self._quiet = None
        return [self._closing(transition) for transition in self._rule.pass_silence(elapsed_ns, end_ns)]

    def without_series(self, table: FeatureTable) -> ScoredFeature | None:
        """What it says of each window while it selects no series; None if it selects some."""
        series, _ = self._selection.places(table)
        return None if series else self._scored(self._selection.of(table), NO_SCORES, NO_SCORES.score > 0)

    def quiet(self, table: FeatureTable) -> Quiet | None:
        """The rule as the compiled kernel judges it, as long as nothing is anomalous; None if Python has to."""
        if self._quiet is None or self._quiet.known_series != len(table.series):
            self._quiet = self._as_quiet(table)
        return self._quiet

    def _as_quiet(self, table: FeatureTable) -> Quiet | None:
        if self.params.preprocess or self._rule.is_active or self._acceptances.is_counting:
            return None
        series, places = self._selection.places(table)
        state = quiet_detector(self._detector, table.names, len(series)) if series else None
        if state is None:
            return None
        names, count = table.names, len(series)
        none_anomalous = np.zeros(count, np.bool_)
        none_anomalous.setflags(write=False)  # ticks share it
        least = [part for name, value in self.params.min_samples.items() for part in (names.index(name), value)]
        return Quiet(
            row=names.index(self.params.feature),
            known_series=len(table.series),
            series=series,
            places=places,
            none_anomalous=none_anomalous,
            rule=(
                state.kind,
                places,
                names.index(self.params.feature),
                tuple(least),
                self._threshold,
                state.state,
                self._phase_changes.compiled(names, count),
                None if self._chance is None else self._chance.compiled(names, count),
            ),
        )

    @property
    def most_quiet_windows(self) -> int:
        """How many windows in a row the kernel may judge before Python learns something from them."""
        return MANY if self._chance is None else self._chance.most_ticks

    def judged_quiet(self, features: FeatureWindows, first: int, scores: FloatArray) -> list[ScoredFeature]:
        """What the kernel found in windows from the place `first` on, and learned.

        `scores` is (windows, 4, n), those of the selected series first.
        """
        quiet = self._quiet
        assert quiet is not None
        self._rule.pass_ticks(features.end_ns(first), features.tick_ns, len(scores))
        if self._chance is not None:
            self._chance.pass_ticks(len(scores))
        values = features.values[first : first + len(scores), quiet.row]
        if quiet.places is not None:
            values, scores = values[:, quiet.places], scores[:, :, : len(quiet.places)]
        series = features.series if quiet.places is None else quiet.series
        about = self._detector.name, self.params.alertname, self.params.feature, self._threshold, series
        return [
            ScoredFeature(*about, value, Scores(*of_window), quiet.none_anomalous, NONE_ACCEPTED)
            for value, of_window in zip(values, scores, strict=True)
        ]

    def close(
        self, end_ns: int, outcome: str, is_chosen: Callable[[SeriesKey], bool] | None = None
    ) -> list[AlertChange]:
        """Changes that end all episodes, or those of the chosen series."""
        self._quiet = None
        series = self._selection.series

        def is_one(at: int) -> bool:
            return is_chosen is None or is_chosen(series[at])

        return [self._closing(transition) for transition in self._rule.close(end_ns, outcome, is_one)]

    def _closing(self, transition: Transition) -> AlertChange:
        """An end without a verdict."""
        key = self._selection.series[transition.series]
        labels = self._labels(key)
        change = bare_change(transition, labels)
        change = replace(change, threshold=self._threshold, summary=f"{key.target}: {ended(transition)}")
        return self._severities.ended(change, transition.series, self._own_host)

    def _labels(self, key: SeriesKey) -> dict[str, str]:
        labels = labels_of(self.params.alertname, self.params.severity, self._detector.name, key)
        return labels if self._own_host is None else self._own_host.labels(labels)

    def _learned(self, selected: FeatureTable, judged: FeatureTable, scored: ScoredFeature) -> ScoredFeature:
        """Learn what was normal; what was accepted as a new level is added to the verdicts."""
        self._detector.learn(judged, ~scored.is_anomaly)
        accepted: BoolArray = getattr(self._detector, "accepted", scored.accepted)
        known = ~np.isnan(scored.scores.score)
        if self._chance is not None:
            self._chance.learn(selected, ~scored.is_anomaly, accepted)
        values = scored.scores.expected, judged.values[0]
        self._acceptances.note(scored.is_anomaly, known, accepted, *values, judged.end_ns)
        return replace(scored, accepted=accepted) if accepted.any() else scored

    def _preprocessed(self, table: FeatureTable) -> FeatureTable:
        if not self.params.preprocess and not self.params.min_samples:
            return table
        values = table.values.copy()
        for name, least in self.params.min_samples.items():
            values[: len(self.params.judged_features), ~(table.column(name) >= least)] = np.nan
        if self.params.preprocess:
            values[0] = self._steps.apply(values[0])
        return FeatureTable(table.table, table.end_ns, table.series, table.names, values)

    def _score(self, selected: FeatureTable, judged: FeatureTable) -> ScoredFeature:
        scores = without_signed_zeros(self._detector.score(judged))
        firing = self._rule.firing(len(selected.series))
        limit = np.where(firing, self.params.resolves_at(self._threshold), self._threshold)
        hit: BoolArray = scores.score > limit
        for name, least in self.params.min_support.items():
            hit = hit & (selected.column(name) >= least)
        for name in self.params.corroborated_by:
            hit = hit & is_outside(selected.column(name), scores, limit / self._threshold)
        if self._own_host is not None and hit.any():
            own_host = self._own_host
            hit = hit & np.array([not own_host.is_silenced(key.target) for key in selected.series], np.bool_)
        if self._chance is not None and hit.any():
            hit = hit & self._chance.holds(selected)
        return self._scored(selected, without_contradiction(scores, judged.values[0], hit), hit)

    def _scored(self, selected: FeatureTable, scores: Scores, hit: BoolArray) -> ScoredFeature:
        return ScoredFeature(
            detector=self._detector.name,
            alertname=self.params.alertname,
            feature=self.params.feature,
            threshold=self._threshold,
            series=selected.series,
            value=selected.values[0],
            scores=scores,
            is_anomaly=hit,
        )

    def _reasons(self, judged: FeatureTable, anomalous: BoolArray, transitions: list[Transition]) -> RuleReasons:
        """Of series that are anomalous or change their state; without any, nothing is computed."""
        features = self.params.judged_features
        if not transitions and not anomalous.any():
            return RuleReasons(NO_SERIES, features)
        asked = anomalous.copy()
        asked[[transition.series for transition in transitions]] = True
        series = np.flatnonzero(asked)
        return RuleReasons(
            series=series,
            features=features,
            shares=shares_of(self._detector, judged, series),
            phases=self._phase_changes.of(series),
            background=Background.of(self._detector, judged, series, self.params.feature),
        )

    def _change(self, scored: ScoredFeature, reasons: RuleReasons, transition: Transition) -> AlertChange:
        at, scores = transition.series, scored.scores
        number, key = reasons.number_of(at), scored.series[at]
        labels = self._labels(key)
        change = replace(
            bare_change(transition, labels),
            value=float(scored.value[at]),
            expected=float(scores.expected[at]),
            lower=float(scores.lower[at]),
            upper=float(scores.upper[at]),
            score=float(scores.score[at]),
            threshold=scored.threshold,
        )
        if transition.state in ("resolved", "inactive"):
            if transition.outcome:
                return replace(change, summary=f"{key.target}: {ended(transition)}")
            outcome = self._acceptances.over(at, unit_name(scored.feature, key.metric))
            summary = joined(reasons.verdict(scored, number), ended(transition), outcome)
            return replace(change, contributions=reasons.own_shares(number), outcome=outcome, summary=summary)
        parts, phase = reasons.contributions(number), reasons.phase(number)
        summary = reasons.summary(scored, number, _lasting(transition))
        return replace(change, contributions=parts, phase=phase, summary=summary)


def _lasting(transition: Transition) -> str:
    seconds = transition.held_ns / NS_PER_SECOND
    return f"for {format_duration(round(seconds))}" if seconds >= WORTH_SAYING_SECONDS else ""
