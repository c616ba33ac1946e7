"""Features against a plain computation over the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.requests.histogram import BINS, RELATIVE_ERROR, SlidingHistogram
from tests.property.streams import START_NS


def request_ticks(batch, source="web"):
    pipeline = Pipeline()
    steps = [pipeline.push(Item(0, "requests", source, batch))]
    stop = control_batch("monitor", "command", 0, '{"type": "stop"}')
    steps.append(pipeline.push(Item(1, "control", "monitor", stop)))
    return [t.features for s in steps for t in s.ticks if t.features.table == "requests"], pipeline.counters


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    count = 20_000
    return {
        "time": START_NS + np.sort(rng.integers(0, 100 * NS_PER_SECOND, count)),
        "target": rng.integers(0, 7, count),
        "status": rng.choice([200, 404, 503, 0], count, p=[0.9, 0.04, 0.03, 0.03]),
        "duration": rng.lognormal(-3, 1, count),
    }


@pytest.fixture(scope="module")
def ticks(rows):
    batch = make_batch(
        "requests",
        "web",
        {
            "time": rows["time"],
            "origin": "traffic",
            "target": [f"t{i}" for i in rows["target"]],
            "status_code": [int(s) or None for s in rows["status"]],
            "error_type": ["timeout" if s == 0 else None for s in rows["status"]],
            "duration_seconds": rows["duration"],
        },
    )
    return request_ticks(batch)[0]


@pytest.mark.parametrize("second", [5, 59, 60, 83, 100])
def test_request_features_equal_a_plain_computation(rows, ticks, second):
    tick = next(t for t in ticks if t.end_ns == START_NS + second * NS_PER_SECOND)
    for place, key in enumerate(tick.series):
        age = tick.end_ns - rows["time"]
        mine = rows["target"] == int(key.target[1:])
        span = mine & (age > 0) & (age <= 60 * NS_PER_SECOND)
        status, timed = rows["status"][span], rows["duration"][span & (rows["status"] > 0)]
        feature = {name: tick.values[i, place] for i, name in enumerate(tick.names)}
        assert feature["count"] == (mine & (age > 0) & (age <= NS_PER_SECOND)).sum()
        assert feature["rate_hz"] == pytest.approx(span.sum() / min(second + 1, 60))
        assert feature["error_ratio"] == pytest.approx(((status == 0) | (status >= 500)).mean())
        assert feature["status_4xx_ratio"] == pytest.approx((status == 404).mean())
        assert feature["failed_ratio"] == pytest.approx((status == 0).mean())
        assert feature["duration_mean_seconds"] == pytest.approx(timed.mean(), rel=1e-4)
        assert feature["duration_std_seconds"] == pytest.approx(timed.std(), rel=1e-3)
        for name, ratio in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            exact = np.quantile(timed, ratio, method="lower")
            assert feature[f"duration_{name}_seconds"] == pytest.approx(exact, rel=RELATIVE_ERROR)


@given(values=st.lists(st.floats(2e-4, 60.0), min_size=1, max_size=60), ratio=st.floats(0.01, 1.0))
def test_quantiles_are_within_the_stated_error(values, ratio):
    histogram = SlidingHistogram(span_ticks=1, capacity=1)
    histogram.add(0, np.zeros(len(values), np.int64), np.array(values))
    histogram.close(0)
    exact = np.quantile(values, ratio, method="lower")
    assert histogram.quantiles((ratio,), 1)[0, 0] == pytest.approx(exact, rel=RELATIVE_ERROR + 1e-9)


def test_a_histogram_that_grows_goes_on_counting_what_it_held():
    rng = np.random.default_rng(7)
    series, values = rng.integers(0, 90, 2000), rng.lognormal(-3, 1, 2000)
    early = series < 50
    histogram = SlidingHistogram(span_ticks=3, capacity=50)
    for window, rows in enumerate((early, ~early)):
        histogram.grow(50 + 40 * window)
        histogram.add(window, series[rows], values[rows])
        histogram.close(window)
    exact = [[np.quantile(values[series == one], ratio, method="lower") for one in range(90)] for ratio in (0.5, 0.95)]
    assert histogram.quantiles((0.5, 0.95), 90) == pytest.approx(np.array(exact), rel=RELATIVE_ERROR + 1e-9)


def test_the_histogram_forgets():
    histogram = SlidingHistogram(span_ticks=2, capacity=4)
    for window in range(5):
        if window == 0:
            histogram.add(0, np.array([1]), np.array([0.5]))
        histogram.close(window)
    assert np.isnan(histogram.quantiles((0.5,), 4)).all() and BINS == 304


def test_samples_are_averaged_and_gaps_are_nan():
    seconds = [0.1, 0.6, 1.5, 3.5]
    batch = make_batch(
        "samples",
        "host",
        {
            "time": [START_NS + int(s * 1e9) for s in seconds],
            "target": ["h"] * 4,
            "metric": ["cpu_ratio"] * 4,
            "value": [0.2, 0.4, float("nan"), 0.9],
        },
    )
    pipeline = Pipeline()
    steps = [pipeline.push(Item(0, "samples", "host", batch))]
    steps.append(pipeline.push(Item(1, "control", "x", control_batch("x", "command", 0, '{"type": "stop"}'))))
    values = {t.features.end_ns: t.features.column("value")[0] for s in steps for t in s.ticks}
    told = [values[START_NS + n * NS_PER_SECOND] for n in (1, 2, 3, 4)]
    assert told == pytest.approx([0.3, np.nan, np.nan, 0.9], nan_ok=True)


def test_more_series_than_allowed_share_one():
    from aiops_nb.engine.params import PipelineParams
    from aiops_nb.features.params import WindowParams

    pipeline = Pipeline(PipelineParams(window=WindowParams(max_series=3)))
    columns = {"time": [START_NS] * 9 + [START_NS + 5 * NS_PER_SECOND], "origin": "traffic"}
    batch = make_batch("requests", "web", {**columns, "target": [f"t{i}" for i in range(9)] + ["t0"]})
    ticks = pipeline.push(Item(0, "requests", "web", batch)).ticks
    tick = [tick.features for tick in ticks if tick.features.table == "requests"][-1]
    counts = dict(zip([key.target for key in tick.series], tick.column("rate_hz") * 5, strict=True))
    assert counts == pytest.approx({"t0": 1, "t1": 1, "t2": 1, "__other__": 6})
