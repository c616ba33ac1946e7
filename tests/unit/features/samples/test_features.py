"""Sampled metrics: rates of counters, moving statistics, and frames of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.check import check_pipeline
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.features.samples.features import SampleFeatures, SampleRows
from aiops_nb.frames.build import features_frame
from aiops_nb.rules.feature.params import FeatureRuleParams
from tests.property.streams import START_NS


def features(readings, metric="jobs_total", window=None):
    """A frame of features of one series, from (second, value) readings in the order of their coming."""
    seconds, values = zip(*readings, strict=True)
    times = [START_NS + round(second * NS_PER_SECOND) for second in seconds]
    batch = make_batch("samples", "app", {"time": times, "target": "app", "metric": metric, "value": list(values)})
    pipeline = Pipeline(PipelineParams(window=window or WindowParams()))
    steps = [pipeline.push(Item(0, "samples", "app", batch))]
    steps.append(pipeline.push(Item(1, "control", "x", control_batch("x", "command", 0, '{"type": "stop"}'))))
    frame = features_frame("samples", steps).set_index("time")
    frame.index = (frame.index.as_unit("ns").asi8 - START_NS) // NS_PER_SECOND
    return frame


NAN = float("nan")
STREAMS = {
    "steady": ([(0.5, 100), (1.5, 110), (2.5, 120)], {1: NAN, 2: 10, 3: 10}),
    "standing": ([(0.5, 100), (1.5, 100)], {2: 0}),
    "by the times, not the windows": ([(0.9, 0), (1.1, 2), (2.9, 20)], {2: 10, 3: 10}),
    "several in a window": ([(0.5, 0), (1.1, 3), (1.5, 9), (2.5, 9)], {2: 9, 3: 0}),
    "reset": ([(0.5, 500), (1.5, 510), (2.5, 4), (3.5, 14)], {2: 10, 3: NAN, 4: 10}),
    "after a gap the mean over it": ([(0.5, 0), (10.5, 50), (11.5, 60)], {5: NAN, 11: 5, 12: 10}),
    "once a minute": ([(0, 0), (60, 120), (120, 600)], {1: NAN, 61: 2, 100: NAN, 121: 8}),
    "out of order in a window": ([(0.5, 0), (1.8, 18), (1.2, 12), (2.5, 25)], {2: 18 / 1.3, 3: 10}),
    "not known between": ([(0.5, 0), (1.5, NAN), (2.5, 20)], {2: NAN, 3: 10}),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_rate_from_a_counter(name):
    readings, expected = STREAMS[name]
    rates = features(readings)["rate_hz"]
    assert rates.loc[list(expected)].tolist() == pytest.approx(list(expected.values()), nan_ok=True)


def test_what_is_not_named_a_total_has_no_rate():
    frame = features([(0.5, 1), (1.5, 2)], metric="cpu_ratio")
    assert frame["rate_hz"].isna().all()
    assert frame["mean_60s"].loc[[1, 2]].tolist() == [1.0, 1.5]


def test_moving_statistics_of_a_counter_are_of_its_rate():
    frame = features([(second + 0.5, 7 * second) for second in range(80)])
    assert frame["mean_60s"].iloc[-1] == frame["ema_60s"].iloc[-1] == 7 and frame["std_60s"].iloc[-1] == 0
    assert frame["value"].iloc[-1] == 7 * 79


def test_a_counter_among_those_that_share_a_series_has_no_rate():
    times = np.repeat(START_NS + np.arange(5) * NS_PER_SECOND, 3)
    columns = {"target": ["a", "b", "c"] * 5, "metric": "n_total", "value": np.arange(15.0)}
    batch = make_batch("samples", "app", {"time": times, **columns})
    pipeline = Pipeline(PipelineParams(window=WindowParams(max_series=2)))
    frame = features_frame("samples", [pipeline.push(Item(0, "samples", "app", batch))])
    known = frame.groupby("target")["rate_hz"].count()
    assert known["a"] > 0 and known["__other__"] == 0


def test_horizons_can_be_chosen():
    frame = features([(0.5, 1)], metric="x", window=WindowParams(horizons_seconds=(1800.0,)))
    assert list(frame.columns[2:]) == [
        "value",
        "rate_hz",
        "silent_seconds",
        "ema_1800s",
        "slope_1800s",
        "mean_1800s",
        "std_1800s",
    ]


def test_runs_with_other_horizons_share_a_frame():
    steps = []
    for horizons in ((60.0,), (5.0, 60.0)):
        pipeline = Pipeline(PipelineParams(window=WindowParams(horizons_seconds=horizons)))
        batch = make_batch("samples", "a", {"time": [START_NS, START_NS + 9 * NS_PER_SECOND], "value": [1.0, 1.0]})
        steps.append(pipeline.push(Item(0, "samples", "a", batch)))
    frame = features_frame("samples", steps)
    known = frame.notna().sum()
    assert (known["mean_60s"], known["mean_5s"]) == (16, 5)  # not the window before the first row of each run


def test_a_rule_may_judge_the_horizons_that_there_are():
    rule = FeatureRuleParams(alertname="a", table="samples", feature="mean_1800s")
    check_pipeline(PipelineParams(feature_rules=(rule,), window=WindowParams(horizons_seconds=(1800.0,))))
    with pytest.raises(ConfigError, match=r"feature_rules\[0\].feature: expected a feature of samples"):
        check_pipeline(PipelineParams(feature_rules=(rule,)))


def test_values_are_added_one_by_one_wherever_a_batch_is_cut():
    """A sum by batch, added to the total, would differ in the last bits: (a + b) + c is not a + (b + c)."""
    values = [1e16, 1.0, 1.0, -1e16, 0.1, 0.2, 0.3, 1e-3] * 4
    total = 0.0
    for value in values:
        total += value
    expected = total / len(values)
    for cuts in ([], [1], [2, 3], [5, 6, 20], list(range(1, len(values)))):
        made, edges = SampleFeatures(WindowParams(horizons_seconds=())), [0, *cuts, len(values)]
        for first, last in pairwise(edges):
            count = last - first
            rows = SampleRows(
                window=np.zeros(count, np.int64),
                series=np.zeros(count, np.int64),
                time_ns=np.arange(first, last),
                value=np.array(values[first:last]),
                is_counter=np.zeros(count, np.bool_),
            )
            made.add(rows)
        assert made.close(0, 1)[0, 0] == expected
