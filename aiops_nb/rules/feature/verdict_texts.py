"""The reasons of many verdicts put into words at once, to the same text as each by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

import numpy as np

from aiops_nb.core.types import FloatArray, IntArray, Reasons, ScoredFeature
from aiops_nb.rules.feature.phases import PhaseBreakdown, PhaseChange, phase_sentence
from aiops_nb.rules.feature.reasons import RuleReasons, contributions_of
from aiops_nb.rules.feature.sentences import Bounds, band_sentence, joined

Why = tuple[ScoredFeature, Reasons, int]
Wording = tuple[str, str | None, str]
OfRule = tuple[ScoredFeature, RuleReasons, int]


def wording_of(why: Why) -> Wording:
    """Contributions as JSON, phase (None if not known) and sentence of one verdict."""
    scored, reasons, number = why
    contributions = json.dumps(dict(reasons.contributions(number)))
    return contributions, reasons.phase(number) or None, reasons.summary(scored, number)


def wordings_of(whys: Sequence[Why]) -> list[Wording]:
    """The same of many verdicts, in their order; `python -m benchmarks.wording` prints what it costs.

    Numbers are taken from the ticks by whole columns, and the phases of all are compared at once; only the strings are
    made one by one.
    """
    wordings: list[Wording] = [("", None, "")] * len(whys)
    for places in _alike(whys):
        for place, one in zip(places, _wordings([whys[place] for place in places]), strict=True):
            wordings[place] = one
    return wordings


def _alike(whys: Sequence[Why]) -> Iterable[list[int]]:
    """Places of verdicts whose columns fit together; those of one tick share their reasons, looked at once."""
    by_reasons: dict[int, list[int]] = {}
    by_make: dict[object, list[int]] = {}
    for place, (_, reasons, _) in enumerate(whys):
        places = by_reasons.get(id(reasons))
        if places is None:
            places = by_reasons[id(reasons)] = by_make.setdefault(_make_of(reasons), [])
        places.append(place)
    return by_make.values()


def _make_of(reasons: Reasons) -> object:
    return (tuple(reasons.shares), reasons.phases.parts) if isinstance(reasons, RuleReasons) else None


def _wordings(alike: Sequence[Why]) -> Iterator[Wording]:
    whys = [(scored, reasons, number) for scored, reasons, number in alike if isinstance(reasons, RuleReasons)]
    if not whys:
        return map(wording_of, alike)
    runs = list(_runs(whys))
    columns = whys, _numbers(runs), _shares(runs), _phase_changes(runs)
    return (_worded(*one) for one in zip(*columns, strict=True))


Run = tuple[ScoredFeature, RuleReasons, IntArray]


def _runs(whys: Sequence[OfRule]) -> Iterator[Run]:
    """Neighbours that share their reasons, with their numbers."""
    begin = 0
    for end in range(1, len(whys) + 1):
        if end == len(whys) or whys[end][1] is not whys[begin][1]:
            yield *whys[begin][:2], np.array([number for _, _, number in whys[begin:end]], np.int64)
            begin = end


Numbers = tuple[int, float, Bounds]


def _numbers(runs: Sequence[Run]) -> Iterator[Numbers]:
    """Place, value and bounds of each verdict."""
    parts = []
    for scored, reasons, numbers in runs:
        at, scores = reasons.series[numbers], scored.scores
        parts.append((at, scored.value[at], scores.expected[at], scores.lower[at], scores.upper[at]))
    at, value, *bounds = (np.concatenate(column).tolist() for column in zip(*parts, strict=True))
    return zip(at, value, zip(*bounds, strict=True), strict=True)


def _shares(runs: Sequence[Run]) -> Iterable[dict[str, float]]:
    """What the detectors say of the parts; empty where they know but one."""
    names = list(runs[0][1].shares)
    if not names:
        return repeat({}, sum(len(numbers) for *_, numbers in runs))
    columns = (np.concatenate([reasons.shares[name][numbers] for _, reasons, numbers in runs]) for name in names)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return ({name: share for name, share in zip(names, row, strict=True) if share == share} for row in rows)


def _phase_changes(runs: Sequence[Run]) -> Iterable[PhaseChange | None]:
    parts = runs[0][1].phases.parts
    if not parts:
        return repeat(None, sum(len(numbers) for *_, numbers in runs))
    baseline, now = (np.concatenate(columns, axis=1) for columns in zip(*map(_values, runs), strict=True))
    return PhaseBreakdown(parts, baseline, now).each()


def _values(run: Run) -> tuple[FloatArray, FloatArray]:
    _, reasons, numbers = run
    return reasons.phases.baseline[:, numbers], reasons.phases.now[:, numbers]


def _worded(why: OfRule, numbers: Numbers, own: dict[str, float], phase_change: PhaseChange | None) -> Wording:
    scored, reasons, number = why
    at, value, bounds = numbers
    background = reasons.background
    verdict = band_sentence(scored.series[at], scored.feature, value, bounds, own, background.detail(number))
    contributions = json.dumps(dict(contributions_of(own, phase_change, reasons.features)))
    summary = joined(verdict, phase_sentence(phase_change), *background.sentences(number))
    return contributions, (phase_change.part or None) if phase_change else None, summary
