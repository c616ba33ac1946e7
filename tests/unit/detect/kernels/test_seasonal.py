"""The same phase of the day and week, in a named zone, and how much is known of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from aiops_nb.core.types import FeatureTable, SeriesKey
from aiops_nb.detect.kernels.ewma import EwmaParams
from aiops_nb.detect.kernels.seasonal import SeasonalParams
from aiops_nb.detect.registry import build_detector
from aiops_nb.detect.streaming import StreamingDetector
from aiops_nb.offline.score import score_series

BERLIN = "Europe/Berlin"


def seasonal(**params: Any) -> StreamingDetector:
    built = build_detector(SeasonalParams(**params), ("x",), 50.0)
    assert isinstance(built, StreamingDetector)
    return built


def table(time: pd.Timestamp, value: float) -> FeatureTable:
    return FeatureTable("requests", time.value, (SeriesKey("a"),), ("x",), np.array([[value]]))


def shown(detector: StreamingDetector, series: pd.Series) -> StreamingDetector:
    for time, value in series.items():
        one = table(time, value)
        detector.score(one)
        detector.learn(one, np.ones(1, np.bool_))
    return detector


def busy_by_day(start: str, days: int, zone: str, interval: str = "30min") -> pd.Series:
    """100 in the office hours of the zone, 10 else; half of that at weekends."""
    times = pd.date_range(
        start, pd.Timestamp(start) + pd.Timedelta(days=days), freq=interval, tz=zone, inclusive="left"
    )
    level = np.where((times.hour >= 8) & (times.hour < 18), 100.0, 10.0) * np.where(times.dayofweek >= 5, 0.5, 1.0)
    return pd.Series(level + np.random.default_rng(0).normal(size=len(times)) * 0.5, index=times)


@pytest.mark.parametrize(
    ("days", "basis", "sentence"),
    [
        (2, 0, "baseline: recent values (2 days of history at this time of day are too few)"),
        (5, 1, "baseline: time of day (5 days of history)"),
        (21, 2, "baseline: hour of week (21 days of history)"),
    ],
)
def test_it_says_how_much_it_knows_and_what_it_judges_by(days: int, basis: int, sentence: str) -> None:
    series = busy_by_day("2026-01-05", days, "UTC")
    detector = shown(seasonal(interval_seconds=1800.0), series)
    history = detector.history(table(series.index[0] + pd.Timedelta(days=days), 10.0))
    assert history is not None
    assert (history.days[0], history.basis[0]) == (days, basis)
    assert history.sentence(0) == sentence


def test_a_day_counts_once_however_many_values_it_has() -> None:
    noon = pd.Timestamp("2026-01-05 12:00", tz="UTC")
    seconds = pd.date_range(noon, periods=900, freq="1s")
    detector = shown(seasonal(), pd.Series(np.random.default_rng(0).normal(size=900), index=seconds))
    here, tomorrow = (detector.history(table(time, 0.0)) for time in (seconds[-1], noon + pd.Timedelta(days=1)))
    assert here is not None and tomorrow is not None
    assert here.days[0] == 0
    assert tomorrow.days[0] == 1
    assert tomorrow.basis[0] == 0


def test_the_expectation_falls_back_until_there_is_enough() -> None:
    series = busy_by_day("2026-01-05", 28, "UTC")
    expected = score_series(series, "seasonal").expected
    noon = expected[expected.index.hour == 12]
    first, known = noon[noon.index < "2026-01-07"].iloc[2:], noon[noon.index >= "2026-01-08 12:00"]
    assert first.between(10, 60).all()
    assert known[known.index.dayofweek < 5].between(80, 105).all()
    weekend = known[(known.index.dayofweek >= 5) & (known.index >= "2026-01-24")]
    assert weekend.between(40, 62).all()


def test_the_hours_move_with_the_clocks_of_the_named_zone() -> None:
    series = busy_by_day("2026-03-02", 31, BERLIN)
    summer = series.index >= "2026-03-29 03:00"
    local = score_series(series, "seasonal")
    utc = score_series(series.tz_convert("UTC"), "seasonal")
    edges = summer & (series.index.dayofweek < 5) & (series.index.hour == 8)
    assert (local.expected.to_numpy()[edges] > 80).all()
    assert (utc.expected.to_numpy()[edges & (series.index.minute == 0)] < 50).all()
    named = score_series(series.tz_convert("UTC"), SeasonalParams(timezone=BERLIN))
    np.testing.assert_array_equal(named.score, local.score)


@pytest.mark.parametrize(("start", "days"), [("2026-03-27", 4), ("2026-10-23", 4)])
def test_a_missing_or_a_doubled_hour_breaks_nothing(start: str, days: int) -> None:
    times = pd.date_range(start, periods=days * 48, freq="30min", tz="UTC")
    told = score_series(pd.Series(np.sin(np.arange(len(times))), index=times), "seasonal", timezone=BERLIN)
    assert told.score.iloc[60:].notna().all()


def test_one_that_has_no_phases_says_nothing() -> None:
    detector = build_detector(EwmaParams(), ("x",), 50.0)
    assert isinstance(detector, StreamingDetector)
    assert detector.history(table(pd.Timestamp("2026-01-05", tz="UTC"), 1.0)) is None
