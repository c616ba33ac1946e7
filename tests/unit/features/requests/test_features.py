"""Phases, certificates, silence, trends, all targets together and long windows, against plain computations."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item, SeriesKey
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.features.requests.histogram import RELATIVE_ERROR
from aiops_nb.features.requests.objectives import LONG_WINDOWS_SECONDS, ObjectiveFeatures

START = 1_780_000_020  # a multiple of a minute
DAY = 86_400


def tables(columns, **window):
    """Feature tables of a run over rows, by their name and the seconds from START at which their window ends."""
    pipeline = Pipeline(PipelineParams(window=WindowParams(**window)))
    steps = [pipeline.push(Item(0, "requests", "web", make_batch("requests", "web", columns)))]
    steps.append(pipeline.push(Item(1, "control", "x", control_batch("x", "command", 0, '{"type": "stop"}'))))
    ticks = [tick.features for step in steps for tick in step.ticks]
    return {(table.table, table.end_ns // NS_PER_SECOND - START): table for table in ticks}


def rows(seconds, **columns):
    count = len(seconds)
    times = [round((START + second) * NS_PER_SECOND) for second in seconds]
    plain = {"origin": "probe", "target": "a", "status_code": [200] * count, "duration_seconds": [0.1] * count}
    return {"time": times, **plain, **columns}


def value(table, name, target="a"):
    place = [key.target for key in table.series].index(target)
    return float(table.column(name)[place])


def test_phases_are_the_means_of_what_is_known_of_answered_requests():
    told = tables(
        rows(
            [0.1, 0.2, 0.3, 1.5, 20.5],
            tls_seconds=[0.010, 0.030, 9.0, None, 0.050],
            wait_seconds=[0.1] * 5,
            error_type=[None, None, "timeout", None, None],
        )
    )
    assert value(told["requests", 1], "tls_mean_seconds") == pytest.approx(0.020)
    assert value(told["requests", 21], "tls_mean_seconds") == pytest.approx(0.030)
    assert value(told["requests", 21], "tls_recent_seconds") == pytest.approx(0.050)
    assert value(told["requests", 21], "wait_mean_seconds") == pytest.approx(0.1)
    assert np.isnan(value(told["requests", 15], "tls_recent_seconds"))
    assert np.isnan(value(told["requests", 21], "connect_mean_seconds"))


def test_rows_that_wait_in_many_parts_count_as_those_of_one():
    count = 3000  # single rows, more than wait in all
    columns = rows([i * 8 / count for i in range(count)], tls_seconds=[None, 0.02, 0.04] * (count // 3))
    expires = [(START + DAY + i) * NS_PER_SECOND if i % 7 == 0 else None for i in range(count)]
    batch = make_batch("requests", "web", {**columns, "certificate_expires": expires})
    whole, single = (Pipeline().push(Item(0, "requests", "web", batch)), Pipeline())
    steps = [single.push(Item(0, "requests", "web", batch.slice(row, 1))) for row in range(count)]
    told = [tick.features.values.tobytes() for step in steps for tick in step.ticks]
    assert len(told) >= 5
    assert told == [tick.features.values.tobytes() for tick in whole.ticks]


def test_phases_leave_with_the_span():
    told = tables(rows([0.5, 1.5, 12.5], tls_seconds=[0.5, None, None]), span_ticks=5)
    assert value(told["requests", 5], "tls_mean_seconds") == 0.5
    assert np.isnan(value(told["requests", 6], "tls_mean_seconds"))


def test_the_newest_certificate_counts_until_another_is_seen():
    expires = [None, (START + 100) * NS_PER_SECOND, None, (START + 1000) * NS_PER_SECOND]
    told = tables(rows([0.5, 1.5, 2.5, 3.5], certificate_expires=expires))
    left = [value(told["requests", end], "certificate_remaining_seconds") for end in (1, 2, 3, 4)]
    assert left == pytest.approx([np.nan, 98, 97, 996], nan_ok=True)


def test_silence_grows_by_windows_and_a_count_of_a_known_target_is_zero():
    told = tables(rows([0.5, 4.5, 9.5], target=["a", "a", "b"]))
    assert [value(told["requests", end], "silent_seconds") for end in (1, 2, 4, 5, 10)] == [0, 1, 3, 0, 5]
    assert value(told["requests", 10], "count") == 0 and value(told["overall", 10], "silent_seconds", "*") == 0


def test_429_is_no_other_4xx_and_a_failed_5xx_is_one_error():
    told = tables(
        rows([0.1, 0.2, 0.3, 0.4], status_code=[429, 404, 503, 503], error_type=[None, None, None, "assertion"])
    )
    names = ("status_4xx_ratio", "status_429_ratio", "status_5xx_ratio", "failed_ratio", "error_ratio")
    assert [value(told["requests", 1], name) for name in names] == [0.25, 0.25, 0.5, 0.25, 0.5]
    assert value(told["requests", 1], "error_count") == 2


@pytest.mark.parametrize("origins", [("probe",), ("probe", "traffic")])
def test_overall_equals_a_plain_computation(origins):
    rng = np.random.default_rng(5)
    count, seconds = 6000, np.sort(rng.uniform(0, 90, 6000))
    status, duration = rng.choice([200, 404, 503, 0], count, p=[0.8, 0.1, 0.05, 0.05]), rng.lognormal(-3, 1, count)
    origin = rng.choice(origins, count)
    columns = rows(
        seconds,
        target=[f"t{i}" for i in rng.integers(0, 7, count)],
        origin=origin.tolist(),
        status_code=[int(one) or None for one in status],
        error_type=["timeout" if one == 0 else None for one in status],
        duration_seconds=duration,
    )
    told = tables(columns)
    for end in (5, 60, 89):
        table = told["overall", end]
        assert {key.origin for key in table.series} == set(origins)
        for place, key in enumerate(table.series):
            assert key == SeriesKey("*", origin=key.origin)
            span = (seconds < end) & (seconds >= end - 60) & (origin == key.origin)
            timed = duration[span & (status > 0)]
            feature = dict(zip(table.names, table.values[:, place], strict=True))
            assert feature["count"] == (span & (seconds >= end - 1)).sum()
            assert feature["error_count"] == (span & (seconds >= end - 1) & ((status == 0) | (status == 503))).sum()
            assert feature["error_ratio"] == pytest.approx(((status == 0) | (status == 503))[span].mean())
            assert feature["duration_mean_seconds"] == pytest.approx(timed.mean(), rel=1e-4)
            exact = np.quantile(timed, 0.95, method="lower")
            assert feature["duration_p95_seconds"] == pytest.approx(exact, rel=RELATIVE_ERROR)


def test_horizons_are_named_and_may_be_none():
    both = tables(rows([0.5, 1.5]), horizons_seconds=(60.0, 300.0))["requests", 1]
    none = tables(rows([0.5, 1.5]), horizons_seconds=())["requests", 1]
    assert {"rate_hz_slope_60s", "duration_p95_seconds_std_300s"} <= set(both.names)
    assert len(both.names) == len(both.values) == len(none.names) + 32


def test_long_windows_equal_a_plain_computation():
    features, rng = ObjectiveFeatures(tick_seconds=60.0), np.random.default_rng(2)
    minutes = 5 * DAY // 60
    requests, errors = rng.integers(0, 50, minutes), rng.integers(0, 3, minutes)
    for minute in range(minutes):
        values = features.close(minute, requests[minute : minute + 1], errors[minute : minute + 1])[:, 0]
    for place, seconds in enumerate(LONG_WINDOWS_SECONDS):
        bucket = 1 if seconds <= 21600 else 15
        first = (minutes - 1) // bucket * bucket - seconds // 60
        assert values[place] == pytest.approx(errors[first:].sum() / requests[first:].sum())
        assert values[place + len(LONG_WINDOWS_SECONDS)] == requests[first:].sum()
    assert values[-1] == 5 * DAY


def test_too_little_history_is_not_known_and_a_gap_ages_out():
    features = ObjectiveFeatures(tick_seconds=1.0)
    none = features.close(100, np.array([0]), np.array([0]))
    assert none[-1, 0] == 0 and np.isnan(none[0, 0])
    first = features.close(101, np.array([10]), np.array([5]))
    assert first[-1, 0] == 1 and np.isnan(first[0, 0])
    later = features.close(101 + 299, np.array([10]), np.array([0]))
    assert later[0, 0] == 0.25 and np.isnan(later[1, 0])
    much_later = features.close(101 + 400_000, np.array([0]), np.array([0]))
    assert np.isnan(much_later[:7, 0]).all() and (much_later[7:14, 0] == 0).all()


def test_targets_with_an_objective_have_long_windows_of_their_own():
    told = tables(rows([0.5] * 3, target=["a", "b", "c"]), objective_targets=("b",))
    assert told["slo", 1].series == (SeriesKey("*", origin="probe"), SeriesKey("b", origin="probe"))
    assert [value(told["slo", 1], "request_count_300s", target) for target in ("*", "b")] == [3, 1]
