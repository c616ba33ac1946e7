"""`score_series`: the twin of the live detectors, at any interval and scale, that never sees the future."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pandas as pd
import pytest

import aiops_nb
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import FeatureTable, SeriesKey
from aiops_nb.detect.kernels.ewma import EwmaParams
from aiops_nb.detect.kernels.facts import FactsParams
from aiops_nb.detect.kernels.faults import FaultsParams
from aiops_nb.detect.limits.robust_z import RobustZParams
from aiops_nb.detect.registry import STREAMING, DetectorParams, build_detector
from aiops_nb.detect.streaming import StreamingDetector
from aiops_nb.offline.score import score_frame, score_series
from aiops_nb.offline.walk import explained

NAMES = sorted(STREAMING)
OF_SIZE = sorted(set(STREAMING) - {"stuck"})  # those to which a value can be too large or too small
COLUMNS = ["value", "score", "expected", "lower", "upper", "is_anomaly"]


def daily(points: int, interval: str = "5min", seed: int = 0, zone: str | None = "UTC") -> pd.Series:
    times = pd.date_range("2026-03-01", periods=points, freq=interval, tz=zone)
    hours = np.arange(points) * (times[1] - times[0]).total_seconds() / 3600
    noise = np.random.default_rng(seed).normal(size=points)
    return pd.Series(100.0 + 20.0 * np.sin(hours * np.pi / 12) + noise, index=times)


@pytest.mark.parametrize("name", NAMES)
def test_the_scores_of_a_beginning_are_the_beginning_of_the_scores(name: str) -> None:
    series = daily(900)
    series.iloc[[70, 71, 400]] = [np.nan, 900.0, np.inf]
    whole = score_series(series, name)
    for points in (1, 21, 60, 500):
        pd.testing.assert_frame_equal(whole.iloc[:points], score_series(series.iloc[:points], name), check_freq=False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("interval", ["1s", "7s", "1min", "5min", "1h"])
def test_any_interval_is_scored_after_a_short_warm_up(name: str, interval: str) -> None:
    scores = score_series(daily(200, interval), name)
    assert list(scores.columns) == COLUMNS
    assert str(scores.index.tz) == "UTC"
    assert scores.score.iloc[:50].isna().all()
    assert scores.score.iloc[60:].between(0, 100).all()
    assert scores.expected.iloc[60:].notna().all()
    assert not (scores.lower > scores.upper).any()  # neither, where an anomaly lies inside


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("doublings", [-80, -30, 40, 200])
def test_the_unit_of_the_values_does_not_matter(name: str, doublings: int) -> None:
    series = daily(500)
    series.iloc[400] = 300.0
    scale = 2.0**doublings
    scores, scaled = score_series(series, name), score_series(series * scale, name)
    np.testing.assert_array_equal(scores.score, scaled.score)
    np.testing.assert_array_equal(scores.upper * scale, scaled.upper)


@pytest.mark.parametrize("name", OF_SIZE)
@pytest.mark.parametrize("constant", [0, 7, 0.1, -1e-9, 1e12])
def test_a_constant_never_alarms_and_its_end_does(name: str, constant: float) -> None:
    times = pd.date_range("2026-01-01", periods=3000, freq="1min", tz="UTC")
    series = pd.Series(constant, index=times)
    assert not score_series(series, name).is_anomaly.any()
    series.iloc[2500] = constant + 1 + abs(constant)
    scores = score_series(series, name)
    assert scores.is_anomaly.iloc[2500]
    assert scores.is_anomaly.sum() == 1


@pytest.mark.parametrize("name", NAMES)
def test_gaps_irregular_times_and_duplicates_are_taken_as_they_are(name: str) -> None:
    series = daily(2000)
    kept = np.sort(np.random.default_rng(1).choice(2000, 1200, replace=True))
    kept = np.concatenate([kept[:600], kept[900:]])
    scores = score_series(series.iloc[kept], name)
    assert len(scores) == len(kept)
    assert scores.score.iloc[60:].notna().all()


def test_rows_out_of_order_are_judged_in_order_of_time() -> None:
    series = daily(400)
    shuffled = series.sample(frac=1.0, random_state=3)
    scores = score_series(shuffled)
    assert scores.index.equals(shuffled.index)
    pd.testing.assert_frame_equal(scores.sort_index(), score_series(series), check_freq=False)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_scores_nan_and_leaves_no_trace(name: str) -> None:
    series = daily(400)
    holed = series.copy()
    holed.iloc[[100, 101, 250]] = [np.nan, np.inf, -np.inf]
    scores = score_series(holed, name)
    assert scores.score.iloc[[100, 101, 250]].isna().all()
    without = score_series(series.drop(series.index[[100, 101, 250]]), name)
    pd.testing.assert_frame_equal(scores.drop(scores.index[[100, 101, 250]]), without, check_freq=False)


def test_the_local_time_of_day_counts() -> None:
    # The clocks change on the 29th of March.
    times = pd.date_range("2026-03-08", periods=24 * 24 * 12, freq="5min", tz="Europe/Berlin")
    busy = (times.hour >= 8) & (times.hour < 18)
    series = pd.Series(busy * 100.0 + np.random.default_rng(0).normal(size=len(times)), index=times)
    after = slice("2026-03-29 00:00", "2026-03-31 00:00")
    local = score_series(series, "faults").score[after].nlargest(12).mean()
    utc = score_series(series, "faults", timezone="UTC").score[after].nlargest(12).mean()
    assert local < utc
    same = score_series(series.tz_convert("UTC"), "faults", timezone="Europe/Berlin").score[after].nlargest(12).mean()
    assert same == local


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("name", NAMES)
def test_live_and_offline_give_equal_scores(name: str, zone: str) -> None:
    several = [daily(400, seed=seed) for seed in range(3)]
    params = STREAMING[name].params(timezone=zone, interval_seconds=300.0)
    live = build_detector(params, ("x",), 50.0)
    series = tuple(SeriesKey(str(number)) for number in range(3))
    for at, time in enumerate(several[0].index):
        values = np.array([[one.iloc[at] for one in several]])
        table = FeatureTable("requests", time.value, series, ("x",), values)
        scores = live.score(table)
        live.learn(table, np.ones(3, np.bool_))
        if at % 100 == 99:
            offline = [score_series(one.iloc[: at + 1], params).iloc[-1] for one in several]
            band = () if any(one.is_anomaly for one in offline) else ("lower", "upper")  # an anomaly may have none
            shown = ("score", "expected", *band)
            for told in shown:
                np.testing.assert_array_equal(getattr(scores, told), [getattr(one, told) for one in offline])


def test_a_threshold_is_a_rate_of_false_alarms() -> None:
    series = daily(20_000, "1min", seed=5)
    counts = [score_series(series, "faults", false_alarms_per_day=rate).is_anomaly.sum() for rate in (0.1, 1.0, 10.0)]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


def test_an_alarm_is_followed_by_quiet() -> None:
    series = daily(1000)
    series.iloc[500:540] = 1000.0
    assert score_series(series, "faults", cooldown_seconds=0).is_anomaly.iloc[500:540].sum() > 1
    assert score_series(series, "faults").is_anomaly.iloc[500:540].sum() == 1


def test_parameters_may_stand_for_the_name() -> None:
    series = daily(400)
    one_sided = score_series(series, FaultsParams(direction="above"))
    assert (one_sided.score[one_sided.value < one_sided.expected] == 0).all()
    assert one_sided.lower.isna().all()


def test_a_detector_that_comes_ready_is_copied_and_shown_a_value_a_tick() -> None:
    series = daily(300)
    series.iloc[250] = 500.0
    ready = build_detector(RobustZParams(direction="both"), ("x",), 6.0)
    scores = score_series(series, ready)
    assert scores.is_anomaly.iloc[250]
    pd.testing.assert_frame_equal(scores, score_series(series, ready))
    params = FaultsParams(interval_seconds=300.0)
    as_live = score_series(series, build_detector(params, ("x",), 50.0))
    parts = ["score", "expected", "lower", "upper"]
    by_name = score_series(series, params)
    calm = ~(as_live.is_anomaly | by_name.is_anomaly)  # an anomaly may have no band, and the thresholds differ
    pd.testing.assert_frame_equal(as_live.loc[calm, parts], by_name.loc[calm, parts])


def test_parameters_come_from_a_config() -> None:
    read = msgspec.convert({"type": "ewma", "half_life_points": 30, "timezone": "Europe/Berlin"}, DetectorParams)
    assert read == EwmaParams(half_life_points=30, timezone="Europe/Berlin")
    assert build_detector(read, ("rate_hz",), 50.0).features == ("rate_hz",)
    assert all(msgspec.convert({"type": name}, DetectorParams) == one.params() for name, one in STREAMING.items())
    with pytest.raises(msgspec.ValidationError, match="half_live"):
        msgspec.convert({"type": "ewma", "half_live": 30}, DetectorParams)


def test_a_frame_is_scored_column_by_column() -> None:
    frame = pd.DataFrame({"a": daily(100), "b": daily(100, seed=1), "name": "x"})
    scores = score_frame(frame, "faults")
    pd.testing.assert_frame_equal(scores.loc["b"], score_series(frame["b"], "faults"), check_names=False)


TIMES = pd.date_range("2026-01-01", periods=3, freq="1min", tz="UTC")


@pytest.mark.parametrize(
    ("series", "kwargs", "message"),
    [
        ([1.0, 2.0], {}, "series: expected a pandas Series of numbers by time (DatetimeIndex), got 'list'"),
        (pd.Series([1.0]), {}, "got 'Series by RangeIndex'"),
        (pd.Series(["a", "b", "c"], index=TIMES), {}, "series: expected numbers"),
        (pd.Series([1.0, 2.0], index=pd.DatetimeIndex(["2026-01-01", None])), {}, "none in row 1"),
        (pd.Series(1.0, index=TIMES), {"detector": "magic"}, "detector: expected one of"),
        (pd.Series(1.0, index=TIMES), {"detector": "robust_z"}, "robust_z, which is for alert rules only"),
        (
            pd.Series(1.0, index=TIMES),
            {"detector": 3},
            "or a detector of one feature, got 3",
        ),
        (pd.Series(1.0, index=TIMES), {"timezone": "Mars"}, "timezone: expected a name"),
        (pd.Series(1.0, index=TIMES), {"false_alarms_per_day": 0}, "false_alarms_per_day: expected a number > 0"),
    ],
)
def test_a_mistake_is_named(series: object, kwargs: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        score_series(series, **kwargs)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_series_gives_an_empty_frame(name: str) -> None:
    scores = score_series(pd.Series([], dtype=float, index=pd.DatetimeIndex([], tz="UTC")), name)
    assert list(scores.columns) == COLUMNS
    assert scores.empty


def test_the_public_names_are_these() -> None:
    assert aiops_nb.score_series is score_series
    assert "default" in aiops_nb.detectors().index


def with_faults(points: int = 1200) -> pd.Series:
    values = 0.1 + 0.005 * np.random.default_rng(4).normal(size=points)
    values[[700, 900, 1100]] = 0.3
    values[[3, 700 - 5]] = np.nan
    times = pd.date_range("2026-01-01", periods=points, freq="1min", tz="UTC")
    return pd.Series(values, times, name="wait_seconds")


@pytest.mark.parametrize("detector", ["default", "faults", "extremes", "hybrid", "half_space_trees", "ewma"])
def test_an_alarm_says_why_as_it_would_live(detector: str) -> None:
    series = with_faults()
    told = score_series(series, detector, explain=True)
    assert list(told.columns) == [*COLUMNS, "detector", "contributions", "summary"]
    pd.testing.assert_frame_equal(told[COLUMNS], score_series(series, detector))
    alarms = told[told.is_anomaly]
    assert len(alarms) and told[~told.is_anomaly][["contributions", "summary"]].isna().all(axis=None)
    assert alarms.summary.str.startswith("wait_seconds ").all() and set(told.detector) == {detector}
    params = STREAMING[detector].params(interval_seconds=60.0)
    live, key, every = build_detector(params, ("value",), 50.0), (SeriesKey("a"),), np.ones(1, np.bool_)
    assert isinstance(live, StreamingDetector)
    for time, value in zip(series.index, series, strict=True):
        table = FeatureTable("samples", time.value, key, ("value",), np.array([[value]]))
        live.score(table)
        if time in alarms.index:
            parts = {name: float(share[0]) for name, share in live.contributions(table, every).items()}
            assert json.loads(alarms.contributions[time]) == (parts or {"wait_seconds": 1.0})
        live.learn(table, every)


def test_a_frame_says_why_in_any_order() -> None:
    df = pd.DataFrame({"wait_seconds": with_faults(), "cpu_ratio": 0.5})
    told = score_frame(df, "faults", explain=True)
    shuffled = score_frame(df.sample(frac=1.0, random_state=3), "faults", explain=True)
    pd.testing.assert_frame_equal(shuffled.sort_index(), told.sort_index())


def test_compiled_or_not_the_reasons_are_equal() -> None:
    pytest.importorskip("numba")
    kernel, values = STREAMING["facts"].kernel, with_faults().to_numpy()
    places, bins = np.array([700, 702, 1100]), np.zeros(len(values), np.int64)
    plain, compiled = (explained(kernel, FactsParams(), 288, values, bins, places, way) for way in ("python", "numba"))
    assert list(plain) == ["value", "change", "time of day"]
    assert all(np.array_equal(plain[name], compiled[name]) for name in plain)
