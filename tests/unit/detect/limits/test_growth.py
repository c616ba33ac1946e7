"""Steady growth, and ceilings of what jumps about: what each says of tiny streams."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, SeriesKey
from aiops_nb.detect.limits.ceiling import Ceiling, CeilingParams
from aiops_nb.detect.limits.growth import Growth, GrowthParams
from aiops_nb.detect.limits.trend import Trend


def table(second, values):
    keys = tuple(SeriesKey(str(place)) for place in range(len(values)))
    return FeatureTable("samples", second * NS_PER_SECOND, keys, ("value",), np.array([values], float))


def walk(detector, values, interval_seconds=1):
    """Scores of one series, and its last table."""
    scores = []
    for at, value in enumerate(values, start=1):
        last = table(at * interval_seconds, [value])
        scores.append(float(detector.score(last).score[0]))
        detector.learn(last, np.ones(1, np.bool_))
    return np.array(scores), last


def test_growth_says_nothing_before_it_has_seen_three_quarters_of_a_window():
    scores, _ = walk(Growth("value", GrowthParams(windows_seconds=(120.0,)), 50.0), np.linspace(0.5, 0.9, 150))
    assert np.isnan(scores[:91]).all() and np.isfinite(scores[91:]).all() and scores[-1] == pytest.approx(100)


def test_a_line_is_told_by_its_slope_and_the_time_left():
    detector = Growth("value", GrowthParams(windows_seconds=(120.0,)), 50.0)
    _, last = walk(detector, 0.5 + 0.0005 * np.arange(1, 201))
    assert detector.about(last)(0, "memory_ratio") == "rising 180 points an hour, full in 13 min"


def test_what_falls_to_its_end_is_growth_below():
    params = GrowthParams(windows_seconds=(120.0,), limit=0.0, direction="below")
    detector = Growth("value", params, 50.0)
    scores, last = walk(detector, (900 - np.arange(300.0)) * 2**20)
    assert scores[-1] > 50
    assert detector.about(last)(0, "memory_available_bytes") == "falling 3.52 GiB an hour, at 0 B in 10 min"


@pytest.mark.parametrize("direction", ["above", "below"])
def test_growth_away_from_the_limit_is_none(direction):
    away = np.linspace(0.9, 0.5, 300) if direction == "above" else np.linspace(0.5, 0.9, 300)
    params = GrowthParams(windows_seconds=(120.0,), limit=1.0 if direction == "above" else 0.0, direction=direction)
    scores, last = walk(detector := Growth("value", params, 50.0), away)
    assert np.nanmax(scores) == 0 and detector.about(last)(0, "x") == "no longer growing"


def test_a_value_that_fell_back_ends_it_at_once():
    climb = np.linspace(0.5, 0.9, 200)
    scores, _ = walk(Growth("value", GrowthParams(windows_seconds=(120.0,)), 50.0), [*climb, 0.5])
    assert scores[-2] == pytest.approx(100) and scores[-1] == 0


@pytest.mark.parametrize(("forget_windows", "rises_told"), [(100.0, 1), (None, 6)])
def test_a_saw_is_growth_only_the_first_time(forget_windows, rises_told):
    saw = 0.4 + 0.25 * (np.arange(6 * 360) % 360) / 360
    params = GrowthParams(windows_seconds=(120.0,), forget_windows=forget_windows)
    scores, _ = walk(Growth("value", params, 30.0), saw)
    told = [np.nanmax(scores[first : first + 360]) > 30 for first in range(0, len(saw), 360)]
    assert sum(told) == rises_told


def test_growth_beyond_what_was_is_told_after_a_saw():
    saw = 0.4 + 0.1 * (np.arange(3 * 360) % 360) / 360
    scores, _ = walk(Growth("value", GrowthParams(windows_seconds=(120.0,)), 60.0), [*saw, *np.linspace(0.4, 0.9, 360)])
    assert scores[-1] == pytest.approx(100, abs=1)


def test_the_longest_window_sees_what_is_slow_and_the_shortest_what_is_fast():
    params = GrowthParams(windows_seconds=(120.0, 1200.0))
    slow, _ = walk(Growth("value", params, 50.0), np.linspace(0.4, 0.7, 1300))
    fast, _ = walk(Growth("value", params, 50.0), [*np.full(1200, 0.4), *np.linspace(0.4, 0.9, 130)])
    assert [slow[-1], fast[-1]] == pytest.approx([100, 100]) and slow[800] < 60 and fast[1199] == 0


def test_a_step_a_spike_and_noise_are_not_steady():
    rng = np.random.default_rng(4)
    streams = {
        "step": np.repeat([0.2, 0.9], 120),
        "spike": np.where(np.arange(240) % 60 == 30, 1.0, 0.5),
        "noise": rng.normal(0.5, 0.05, 240),
    }
    for values in streams.values():
        trend = Trend(120.0)
        for second, value in enumerate(values, start=1):
            trend.add(second * NS_PER_SECOND, np.array([value]))
            assert not trend.steadiness[0] > 0.3


def test_one_odd_section_does_not_bend_the_line():
    trend = Trend(120.0)
    for second in range(1, 122):
        value = 0.001 * second + (5.0 if 60 < second <= 70 else 0.0)
        trend.add(second * NS_PER_SECOND, np.array([value]))
    assert trend.slope[0] == pytest.approx(0.001, rel=0.05)


def test_a_gap_leaves_what_is_known_and_a_long_one_forgets():
    line = [0.001 * second for second in range(120)]
    trend, gone = Trend(120.0), Trend(120.0)
    for second, value in enumerate(line, start=1):
        trend.add(second * NS_PER_SECOND, np.array([np.nan if 40 < second <= 60 else value]))
        gone.add(second * NS_PER_SECOND, np.array([value]))
    trend.add(121 * NS_PER_SECOND, np.array([0.12]))
    gone.add(1000 * NS_PER_SECOND, np.array([0.12]))
    assert trend.slope[0] == pytest.approx(0.001) and np.isnan(gone.slope[0])


def test_growth_of_a_series_alone_and_among_others_is_the_same():
    values = np.cumsum(np.random.default_rng(1).normal(0.001, 0.002, (150, 100)), axis=0)
    alone, among = (Growth("value", GrowthParams(windows_seconds=(60.0,)), 50.0) for _ in range(2))
    for second, row in enumerate(values, start=1):
        one, many = table(second, row[7:8]), table(second, row)
        assert np.array_equal(alone.score(one).score, among.score(many).score[7:8], equal_nan=True)
        alone.learn(one, np.ones(1, np.bool_))
        among.learn(many, np.ones(100, np.bool_))


CEILING = CeilingParams(min_deviation=0.3, warmup_seconds=10.0, accept_seconds=60.0, forget_seconds=600.0)


def test_the_highest_value_of_the_warm_up_is_the_first_ceiling():
    scores, _ = walk(detector := Ceiling("value", CEILING, 1.0), [0.1, 0.6, *[0.2] * 9])
    assert np.isnan(scores[:10]).all() and scores[10] == 0
    assert detector.score(table(12, [1.05])).score[0] == pytest.approx((1.05 - 0.5955) / 0.3)


def test_a_ceiling_rises_in_the_time_to_accept_and_falls_in_the_time_to_forget():
    scores, last = walk(detector := Ceiling("value", CEILING, 1.0), [*[0.1] * 20, *[1.0] * 60])
    assert scores[20] == pytest.approx(3.0) and detector.score(last).expected[0] == pytest.approx(0.4)
    detector = Ceiling("value", CEILING, 1.0)
    _, last = walk(detector, [*[1.0] * 11, *[0.1] * 600])
    assert detector.score(last).expected[0] == pytest.approx(0.7)


def test_a_ceiling_moves_with_time_not_with_values():
    often, seldom = (Ceiling("value", CEILING, 1.0) for _ in range(2))
    _, last = walk(often, [*[0.1] * 20, *[1.0] * 40])
    _, other = walk(seldom, [*[0.1] * 2, *[1.0] * 4], interval_seconds=10)
    assert often.score(last).expected[0] == pytest.approx(seldom.score(other).expected[0])


def test_what_is_never_above_its_ceiling_scores_0():
    scores, _ = walk(Ceiling("value", CEILING, 1.0), [0.5] * 30)
    assert np.nanmax(scores) == 0


def judged(detector, values):
    """Seconds at which each value was anomalous, and those at which a level was accepted, as a rule would have it."""
    strange, accepted = [], []
    for second, value in enumerate(values, start=1):
        last = table(second, [value])
        usual = ~(detector.score(last).score > 1.0)
        detector.learn(last, usual)
        strange += [] if usual[0] else [second]
        accepted += [second] if detector.accepted[0] else []
    return strange, accepted


PATIENT = CeilingParams(min_deviation=0.3, relearn_seconds=380.0, forget_seconds=7200.0)


def test_a_second_and_third_spike_within_the_hour_are_found_and_the_fourth_is_accepted():
    spike, rest = [0.8] * 120, [0.2] * 480
    strange, accepted = judged(
        Ceiling("value", PATIENT, 1.0), [*rest, *spike, *rest, *spike, *rest, *spike, *rest, *spike]
    )
    began = [480 + 600 * number for number in range(4)]
    assert [second for second in strange if second - 1 not in strange] == [second + 1 for second in began]
    assert len(accepted) == 1 and began[3] < accepted[0] < began[3] + 120
    assert strange[-1] == accepted[0]


def test_a_level_that_stays_is_accepted_after_the_time_to_relearn():
    detector = Ceiling("value", PATIENT, 1.0)
    strange, accepted = judged(detector, [*[0.2] * 500, *[0.8] * 700])
    assert accepted == [880] and strange == list(range(501, 881))
    assert detector.score(table(1201, [0.8])).expected[0] == pytest.approx(0.8)


def test_spikes_of_each_day_are_told_each_day():
    day = [*[0.2] * 7200, *[0.8] * 300]
    strange, accepted = judged(Ceiling("value", PATIENT, 1.0), day * 4)
    assert not accepted and len(strange) == 4 * 300
