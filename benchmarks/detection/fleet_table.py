"""Faults of one target among several: what detectors of rules find of the kinds that they are made for, and what the
others find in the feature where a kind shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiops_nb.core.types import FeatureTable, SeriesKey
from aiops_nb.detect.estimators.isolation_forest import IsolationForestParams
from aiops_nb.detect.limits.burn_rate import BurnRateParams
from aiops_nb.detect.limits.ceiling import CeilingParams
from aiops_nb.detect.limits.growth import GrowthParams
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.limits.siblings import SiblingsParams
from aiops_nb.detect.limits.silence import SilenceParams
from aiops_nb.detect.registry import STREAMING, DetectorParams, build_detector
from aiops_nb.offline.score import score_series
from benchmarks.detection.events import Trial, days, delays, false_alarms, threshold_at
from benchmarks.detection.fleet import FAULTS, FIRST_FAULT, POINTS, TARGETS, Fleet

RATE = 0.5
SHOWS_IN = {
    "slow": "duration_mean_seconds",
    "errors": "error_ratio",
    "outage": "rate_hz",
    "loss": "rate_hz",
    "busy": "cpu_ratio",
    "leak": "memory_ratio",
    "a little of all": "duration_mean_seconds",
}
TIMES = pd.date_range("2026-01-05", periods=POINTS, freq="1min", tz="UTC")


@dataclass(frozen=True, slots=True)
class Job:
    """A detector on some features, and the kinds of faults that it is made for."""

    params: DetectorParams
    features: tuple[str, ...]
    kinds: tuple[str, ...]
    threshold: float  # from which on it does not learn, as in the ready rules


FOREST = ("rate_hz", "error_ratio", "duration_mean_seconds", "duration_p95_seconds")
BURNS = ("error_ratio_3600s", "error_ratio_300s", "request_count_3600s")
BOTH = SiblingsParams(direction="both", min_deviation=0.05)
JOBS: dict[str, tuple[Job, ...]] = {
    "robust_z": tuple(
        Job(
            RobustZParams(direction="both"),
            (feature,),
            tuple(kind for kind in FAULTS if SHOWS_IN[kind] == feature),
            6.0,
        )
        for feature in dict.fromkeys(SHOWS_IN.values())
    ),
    "level": (
        Job(LevelParams(limit=1.0), ("error_ratio",), ("errors",), 1.0),
        Job(LevelParams(limit=1.0), ("cpu_ratio",), ("busy",), 1.0),
        Job(LevelParams(limit=1.0), ("memory_ratio",), ("leak",), 1.0),
    ),
    "ceiling": (Job(CeilingParams(min_deviation=0.3, accept_seconds=300.0), ("cpu_ratio",), ("busy",), 1.0),),
    "growth": (Job(GrowthParams(), ("memory_ratio",), ("leak",), 60.0),),
    "siblings": (
        Job(SiblingsParams(min_deviation=0.005), ("duration_mean_seconds",), ("slow", "a little of all"), 6.0),
        Job(SiblingsParams(min_deviation=0.02, min_deviation_ratio=0.0), ("error_ratio",), ("errors",), 6.0),
        Job(BOTH, ("rate_hz",), ("outage", "loss"), 6.0),
        Job(BOTH, ("cpu_ratio",), ("busy",), 6.0),
    ),
    "silence": (Job(SilenceParams(), ("silent_seconds",), ("outage",), 1.0),),
    "burn_rate": (Job(BurnRateParams(), BURNS, ("errors",), 14.4),),
    "isolation_forest": (Job(IsolationForestParams(), FOREST, ("slow", "errors", "loss", "a little of all"), 60.0),),
}
JUDGES = (*STREAMING, *JOBS)


def row(tuning: Sequence[Fleet], fresh: Sequence[Fleet], name: str) -> dict[str, float]:
    """The share found of each kind, with thresholds that give RATE false alarms a day and target on `tuning`; NaN for
    what the detector is not made for."""
    reported = dict.fromkeys(FAULTS, float("nan"))
    wrong = lasted = 0.0
    for kinds, tuned, scored in _tried(tuning, fresh, name):
        threshold = threshold_at(tuned, RATE)
        shares = _shares(fresh, scored, threshold)
        reported |= {kind: shares[kind] for kind in kinds}
        wrong, lasted = wrong + false_alarms(scored, threshold), lasted + days(scored)
    return {**reported, "false alarms a day": wrong / lasted}


def _tried(
    tuning: Sequence[Fleet], fresh: Sequence[Fleet], name: str
) -> Iterator[tuple[tuple[str, ...], list[Trial], list[Trial]]]:
    """Kinds, and the trials of the detector that is to find them."""
    if name in JOBS:
        for job in JOBS[name]:
            yield job.kinds, _live(tuning, job), _live(fresh, job)
        return
    for feature in dict.fromkeys(SHOWS_IN.values()):
        kinds = tuple(kind for kind in FAULTS if SHOWS_IN[kind] == feature)
        yield kinds, _walked(tuning, feature, name), _walked(fresh, feature, name)


def _shares(fresh: Sequence[Fleet], scored: Sequence[Trial], threshold: float) -> dict[str, float]:
    kinds = [kind for fleet in fresh for of_target in fleet.kinds for kind in of_target]
    hits: dict[str, list[bool]] = defaultdict(list)
    for kind, delay in zip(kinds, delays(scored, threshold), strict=True):
        hits[kind].append(delay is not None)
    return {kind: float(np.mean(hits[kind])) for kind in FAULTS}


def _trials(fleets: Sequence[Fleet], scores: np.ndarray) -> list[Trial]:
    """Scores are (points, targets of all fleets)."""
    lasted = (POINTS - FIRST_FAULT) / 1440
    spans = [spans for fleet in fleets for spans in fleet.spans]
    return [Trial(score, of_target, FIRST_FAULT, lasted) for score, of_target in zip(scores.T, spans, strict=True)]


def _values(fleets: Sequence[Fleet], feature: str) -> np.ndarray:
    return np.concatenate([fleet.features[feature] for fleet in fleets], axis=1)


def _walked(fleets: Sequence[Fleet], feature: str, name: str) -> list[Trial]:
    columns = _values(fleets, feature).T
    scores = [score_series(pd.Series(column, index=TIMES), name).score.to_numpy() for column in columns]
    return _trials(fleets, np.stack(scores, axis=1))


def _live(fleets: Sequence[Fleet], job: Job) -> list[Trial]:
    """As in a monitor: a table a minute, and what is over the rule's own threshold is not learned."""
    keys = tuple(SeriesKey(str(target), origin=str(fleet)) for fleet in range(len(fleets)) for target in range(TARGETS))
    values = np.stack([_values(fleets, feature) for feature in job.features], axis=1)
    detector = build_detector(job.params, job.features, job.threshold)
    scores = np.empty((POINTS, len(keys)))
    for at, end_ns in enumerate(TIMES.as_unit("ns").asi8.tolist()):
        table = FeatureTable("requests", end_ns, keys, job.features, values[at])
        scores[at] = detector.score(table).score
        detector.learn(table, ~(scores[at] >= job.threshold))
    return _trials(fleets, scores)
