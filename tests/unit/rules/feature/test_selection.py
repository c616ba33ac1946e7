"""Rules on a part of the series, on cleaned values, and with fixed limits, through the pipeline."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, Item, SeriesKey
from aiops_nb.detect.limits.level import FARTHEST, Level, LevelParams
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.preprocess.params import HampelParams
from aiops_nb.rules.feature.params import FeatureRuleParams
from aiops_nb.rules.feature.selection import Selection

KEYS = tuple(SeriesKey(host, metric=metric) for host in ("a", "b") for metric in ("cpu_ratio", "disk_ratio"))


def table(keys, at=0):
    values = np.arange(2.0 * len(keys)).reshape(2, -1)
    return FeatureTable("samples", at, keys, ("value", "ema"), values)


def test_a_selection_grows_with_the_series():
    selection = Selection(FeatureRuleParams(alertname="x", table="samples", feature="ema", metrics=("disk_ratio",)))
    first, then = selection.of(table(KEYS[:2])), selection.of(table(KEYS))
    assert first.series == (KEYS[1],) and then.series == (KEYS[1], KEYS[3])
    assert then.names == ("ema",) and then.values.tolist() == [[5.0, 7.0]]
    assert selection.of(table(KEYS)).series is then.series


def test_a_rule_without_conditions_shares_the_series():
    selection = Selection(FeatureRuleParams(alertname="x", table="samples", feature="value", features=("ema", "value")))
    whole = selection.of(table(KEYS))
    assert whole.series is KEYS and whole.names == ("value", "ema")


@pytest.mark.parametrize(
    ("direction", "values", "scores"),
    [
        ("above", [0.4, 0.8, 1.2, np.nan, -1.0], [0.5, 1.0, 1.5, np.nan, 0.0]),
        ("below", [1.6, 0.8, 0.4, np.nan, 0.0], [0.5, 1.0, 2.0, np.nan, FARTHEST]),
    ],
)
def test_a_level_scores_multiples_of_its_limit(direction, values, scores):
    level = Level("value", LevelParams(limit=0.8, direction=direction), threshold=1.0)
    keys = tuple(SeriesKey(str(place)) for place in range(5))
    told = level.score(FeatureTable("samples", 0, keys, ("value",), np.array([values])))
    np.testing.assert_allclose(told.score, scores)
    bound = told.upper if direction == "above" else told.lower
    np.testing.assert_allclose(bound, 0.8)


def changes_of(rule, values, metric="disk_ratio"):
    pipeline = Pipeline(PipelineParams(row_rules=(), feature_rules=(rule,)))
    times = np.arange(len(values)) * NS_PER_SECOND
    batch = make_batch("samples", "host", {"time": times, "target": "db", "metric": metric, "value": values})
    return [change for change in pipeline.push(Item(0, "samples", "host", batch)).changes if change.state == "firing"]


def test_a_fixed_limit_fires_without_warm_up_and_names_the_metric():
    detector = LevelParams(limit=0.9)
    rule = FeatureRuleParams(
        alertname="disk_full",
        table="samples",
        feature="value",
        metrics=("disk_ratio",),
        threshold=1.0,
        detector=detector,
    )
    (change,) = changes_of(rule, np.full(12, 0.95))
    assert change.labels["metric"] == "disk_ratio" and change.upper == 0.9
    assert change.summary == "db: disk 95 % (limit 90 %)"
    assert changes_of(rule, np.full(12, 0.95), metric="cpu_ratio") == []


def test_a_rule_judges_cleaned_values_and_tells_the_raw_one():
    spiky = np.full(60, 0.5)
    spiky[30:34] = 0.99
    plain = FeatureRuleParams(
        alertname="cpu", table="samples", feature="value", threshold=1.0, detector=LevelParams(limit=0.9)
    )
    cleaned = FeatureRuleParams(
        alertname="cpu",
        table="samples",
        feature="value",
        threshold=1.0,
        detector=LevelParams(limit=0.9),
        preprocess=(HampelParams(window_values=15, min_deviation=0.05),),
    )
    assert [change.value for change in changes_of(plain, spiky)] == [0.99]
    assert changes_of(cleaned, spiky) == []
