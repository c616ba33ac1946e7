"""Local clocks of named zones, live as in pandas: offsets of either sign, half hours, daylight saving."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aiops_nb.core.types import FeatureTable, SeriesKey
from aiops_nb.detect.registry import STREAMING, build_detector
from aiops_nb.detect.time_of_day import local_ns, week_bin, zone
from aiops_nb.offline.score import score_series

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu", "UTC")


@pytest.mark.parametrize("name", ZONES)
def test_local_times_are_those_of_pandas(name: str) -> None:
    times = pd.date_range("2026-03-01", "2026-11-15", freq="7h13min", tz="UTC")
    expected = times.tz_convert(name).tz_localize(None).as_unit("ns").asi8
    assert [local_ns(int(one), zone(name)) for one in times.as_unit("ns").asi8] == expected.tolist()


def test_a_bin_is_a_part_of_the_week_from_monday() -> None:
    times = pd.date_range("2026-01-05", periods=14 * 24, freq="1h")  # from a Monday on
    assert week_bin(times.as_unit("ns").asi8, 24).tolist() == [*range(168), *range(168)]
    assert week_bin(np.array([-1]), 24).tolist() == [3 * 24 - 1]  # the last hour of Wednesday before 1970


@pytest.mark.parametrize("name", [one for one in ZONES if one != "UTC"])
@pytest.mark.parametrize("detector", ["seasonal", "faults", "default"])
def test_a_live_detector_knows_its_zone(name: str, detector: str) -> None:
    times = pd.date_range("2026-03-20", periods=24 * 14, freq="1h", tz="UTC")
    local = times.tz_convert(name)
    noise = np.random.default_rng(0).normal(size=len(times))
    busy = np.where((local.hour >= 8) & (local.hour < 18), 100.0, 10.0) + noise
    params = STREAMING[detector].params(timezone=name, interval_seconds=3600.0)
    live = build_detector(params, ("value",), 101.0)
    seen = []
    for time, value in zip(times.as_unit("ns").asi8, busy, strict=True):
        table = FeatureTable("samples", int(time), (SeriesKey("a"),), ("value",), np.array([[value]]))
        seen.append(live.score(table).expected.item())
        live.learn(table, np.ones(1, np.bool_))
    series = pd.Series(busy, times)
    known = score_series(series, params, false_alarms_per_day=0.01).expected.to_numpy()
    np.testing.assert_array_equal(seen, known)
