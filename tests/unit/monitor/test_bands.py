"""In a live run no value counts as anomalous while it lies inside the band that is shown with it."""

from __future__ import annotations

from collections import Counter

import numpy as np

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, Step
from aiops_nb.detect.limits.ceiling import CeilingParams
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.detect.registry import DETECTORS
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.record.tap import NullTap
from aiops_nb.rules.feature.params import FeatureRuleParams
from tests.property.streams import START_NS
from tests.replay.scripted import ScriptClock, ScriptedCollector

SECONDS = 330
JUDGES = ("default", "median", "ewma", "iqr", "robust_z", "level", "ceiling")
WITH_ARGUMENTS = {"level": LevelParams(limit=26.0), "ceiling": CeilingParams(min_deviation=1.0)}
THRESHOLDS = {"deviations": 6.0, "multiples": 1.0, "score": 35.0}


def faulty(seed):
    """(second, batch) pairs of six series, each with a fault of its own."""
    rng, now = np.random.default_rng(seed), np.arange(SECONDS)
    noise = rng.normal(0, 1, (6, SECONDS))
    series = {
        "spike": 20 + noise[0] + 15 * np.isin(now % 37, (0, 1)) * (now > 250),
        "step": 20 + noise[1] + 6 * (now > 260),
        "noisy": 20 + noise[2] * np.where(now > 260, 5, 1),
        "stuck": np.where(now > 260, 21.0, 20 + noise[3]),
        "drift": 20 + noise[4] + np.maximum(0, now - 250) * 0.05,
        "period": 20 + 5 * np.sin(now / 8) * (now < 270) + 0.1 * noise[5],
    }
    for second in range(SECONDS):
        columns = {"time": [START_NS + second * NS_PER_SECOND] * 6, "target": ["host"] * 6, "metric": list(series)}
        yield (
            float(second),
            make_batch("samples", "host", columns | {"value": [one[second] for one in series.values()]}),
        )


def test_an_anomalous_value_lies_outside_of_its_band_or_has_none():
    rules = []
    for name in JUDGES:
        params = WITH_ARGUMENTS.get(name) or DETECTORS[name].params()
        threshold = THRESHOLDS[DETECTORS[name].threshold_unit]
        rules.append(
            FeatureRuleParams(alertname=name, table="samples", feature="value", detector=params, threshold=threshold)
        )
    found: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    banded: Counter[str] = Counter()

    def deliver(step: Step) -> None:
        for verdict in (scored for tick in step.ticks for scored in tick.scored):
            value, scores, hit = verdict.value, verdict.scores, verdict.is_anomaly
            found[verdict.alertname] += int(hit.sum())
            inside[verdict.alertname] += int((hit & (value >= scores.lower) & (value <= scores.upper)).sum())
            banded[verdict.alertname] += int((~np.isnan(scores.upper) | ~np.isnan(scores.lower)).sum())

    clock = ScriptClock(["host"])
    run = LiveRun(
        [ScriptedCollector("host", faulty(3), clock, 3)],
        NullTap(),
        PipelineParams(feature_rules=tuple(rules), row_rules=(), client_rules=()),
        deliver,
        clock,
    )
    run.start()
    assert run.wait(60) and not run.problems()
    assert {name: count for name, count in inside.items() if count} == {}
    assert {name for name, count in found.items() if count} >= {"default", "ewma", "robust_z", "iqr", "level"}
    assert banded["default"] > 1000
