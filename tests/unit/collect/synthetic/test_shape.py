"""The rhythm of days and weeks, the heavy tail, who is popular, who calls, and hosts that follow the load."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from aiops_nb.collect.synthetic import FLAT, Shape, draw
from aiops_nb.collect.synthetic.rhythm import load
from tests.unit.collect.synthetic.rows import pivoted, timed

MONDAY = 1_767_571_200  # 2026-01-05, 00:00 UTC
HOUR, DAY = 3600, 86_400
NS = 10**9
CALM = Shape(wander_ratio=0.0)


def at(day: float, hour: float) -> int:
    return MONDAY + round(day * DAY + hour * HOUR)


def hour_of(day: int, hour: float, **options: Any) -> pd.DataFrame:
    """A few minutes of requests at that hour, days from a Monday."""
    return draw(300, seed=4, rate_hz=50, start_ns=at(day, hour) * NS, **options).requests()


def test_the_load_is_1_on_the_average_of_a_week() -> None:
    week = np.arange(MONDAY, MONDAY + 7 * DAY, 60)
    assert load(CALM, 0, week).mean() == pytest.approx(1.0, abs=1e-3)
    assert load(Shape(wander_ratio=0.3), 0, np.arange(MONDAY, MONDAY + 70 * DAY, 600)).mean() == pytest.approx(
        1, abs=0.05
    )
    assert (load(Shape(day_swing_ratio=0.9), 0, week) > 0).all()


def test_a_day_has_a_peak_and_a_night() -> None:
    day, night = (len(hour_of(1, hour)) for hour in (14, 2))
    assert day / night == pytest.approx(1.5 / 0.6, rel=0.2)


def test_a_weekend_is_quieter_and_the_way_there_is_no_step() -> None:
    assert len(hour_of(5, 12)) / len(hour_of(3, 12)) == pytest.approx(0.6, rel=0.15)
    minutes = load(CALM, 0, np.arange(MONDAY, MONDAY + 8 * DAY, 60))
    assert np.abs(np.diff(minutes) / minutes[1:]).max() < 0.01


def test_days_are_those_of_the_time_zone_and_move_with_its_clocks() -> None:
    july = 1_783_900_800  # 2026-07-13, a Monday
    shape = Shape(timezone="America/New_York", wander_ratio=0.0)
    peaks = [int(np.argmax(load(shape, 0, np.arange(start + DAY, start + 2 * DAY, HOUR)))) for start in (MONDAY, july)]
    assert peaks == [14 + 5, 14 + 4]


def test_two_days_are_never_quite_the_same_and_the_wandering_is_slow() -> None:
    shape = Shape(wander_ratio=0.2, day_swing_ratio=0.0, weekend_ratio=1.0)
    one, other = (load(shape, 0, np.arange(start, start + DAY, 10)) for start in (MONDAY, MONDAY + DAY))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.5
    assert 0.1 < one.std() < 0.25
    assert np.abs(np.diff(one)).max() < 0.05


def test_latency_rises_with_the_load() -> None:
    shape = Shape(load_ratio=0.5)
    busy, quiet = (hour_of(1, hour, shape=shape)["duration_seconds"].median() for hour in (14, 2))
    assert 1.3 < busy / quiet < 2.5


def test_the_tail_is_that_of_pareto() -> None:
    durations = draw(400, rate_hz=200, seed=2).requests()["duration_seconds"]
    body = draw(400, rate_hz=200, seed=2, shape=Shape(tail_ratio=0.0)).requests()["duration_seconds"]
    assert durations.median() == pytest.approx(body.median(), rel=0.02)
    assert durations.max() > 10 * body.max()
    factor = np.sort((durations / body)[(durations / body) > 1.0 + 1e-9])
    assert len(factor) / len(body) == pytest.approx(0.01, rel=0.1)
    hill_index = 1 / np.log(factor).mean()  # Hill (1975), of all of a pure Pareto
    assert hill_index == pytest.approx(1.5, rel=0.1)
    assert durations.max() <= 60.0


def test_targets_differ_in_popularity_and_speed() -> None:
    requests = draw(120, targets=20, rate_hz=50, seed=6).requests()
    shares = requests["target"].value_counts(normalize=True)
    assert shares["service-0"] / shares["service-9"] == pytest.approx(10, rel=0.2)
    medians = requests.groupby("target", observed=True)["duration_seconds"].median()
    assert np.log(medians).std() == pytest.approx(0.4, abs=0.2)


def test_popularity_moves_traffic_and_adds_none() -> None:
    still = Shape(day_swing_ratio=0.0, weekend_ratio=1.0, wander_ratio=0.0)
    assert len(draw(120, targets=20, rate_hz=50, shape=still).requests()) == pytest.approx(120 * 20 * 50, rel=0.02)


def test_clients_are_regulars_by_zipf_and_newcomers() -> None:
    requests = draw(600, rate_hz=100, seed=8).requests()
    regular = requests["client_ip"].str.startswith("10.")
    newcomer = requests["client_ip"].str.startswith("100.")
    assert (regular | newcomer).all()
    assert newcomer.mean() == pytest.approx(0.03, abs=0.005)
    counts = requests.loc[regular, "client_ip"].value_counts()
    assert len(counts) <= 2000
    assert counts.iloc[0] / counts.iloc[9] == pytest.approx(10**0.8, rel=0.25)
    assert counts.iloc[0] / len(requests) < 0.1


def test_newcomers_pass_and_are_bounded() -> None:
    shape = Shape(newcomer_clients=500, newcomer_ratio=0.5)
    hours = [
        set(draw(60, rate_hz=50, shape=shape, start_ns=at(1, hour) * NS).requests()["client_ip"]) for hour in (1, 2, 12)
    ]
    new = [{client for client in hour if client.startswith("100.")} for hour in hours]
    assert not new[0] & new[2]
    assert all(len(some) <= 500 / 24 + 2 for some in new)
    assert len(new[0] | new[1] | new[2]) <= 500


def test_hosts_follow_the_load_and_keep_their_sums() -> None:
    means = {}
    for hour in (2, 14):
        samples = timed(draw(300, seed=4, rate_hz=30, hosts=2, start_ns=at(1, hour) * NS).samples())
        wide = pivoted(samples)
        means[hour] = wide.groupby("target")[["cpu_ratio", "memory_ratio"]].mean()
        assert (wide["cpu_user_ratio"] + wide["cpu_system_ratio"]).to_numpy() == pytest.approx(
            wide["cpu_ratio"].to_numpy()
        )
        assert wide["cpu_ratio"].between(0, 1).all() and wide["memory_ratio"].between(0, 1).all()
        total = wide["memory_available_bytes"] / (1 - wide["memory_ratio"])
        assert total.round(-6).groupby(wide["target"]).nunique().eq(1).all()
    assert (means[14]["cpu_ratio"] > 1.5 * means[2]["cpu_ratio"]).all()
    assert (means[14]["memory_ratio"] > means[2]["memory_ratio"]).all()


def test_a_host_feels_the_very_requests_of_its_services() -> None:
    flat = {"seed": 3, "rate_hz": 40, "targets": 1, "shape": FLAT, "start_ns": at(1, 12) * NS}
    stretch = draw(600, hosts=1, **flat)
    rate = stretch.requests()["time"].dt.floor("s").value_counts().sort_index().to_numpy()
    samples = stretch.samples()
    cpu = samples.loc[samples["metric"] == "cpu_ratio", "value"].to_numpy()
    fast = cpu - pd.Series(cpu).rolling(60, center=True, min_periods=1).mean()
    assert np.corrcoef(rate, fast)[0, 1] > 0.4
