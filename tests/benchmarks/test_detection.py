"""The arithmetic of the benchmark of detectors: alarms, events, thresholds, neighbours without foresight, its page."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from aiops_nb import detectors
from benchmarks.detection import fleet, fleet_table, kpi, scenarios
from benchmarks.detection.channels import EXTREMES, FACTS, SHIFT, SIZE, of, root_mean_square
from benchmarks.detection.events import Trial, alarms, false_alarms, share_found, threshold_at
from benchmarks.detection.forest import features
from benchmarks.detection.judges import BASELINES, JUDGES, OURS
from benchmarks.detection.labelled import Labelled, each, trials
from benchmarks.detection.markdown import markdown, write
from benchmarks.detection.overview import MAIN, NOT_TRIED, overview, parted
from benchmarks.detection.peers import PEERS
from benchmarks.detection.peers.windows import FIRST_FIT, blocks, by_blocks
from benchmarks.detection.real_table import crossed
from benchmarks.detection.runs import OF_REAL
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "explanation" / "detector-benchmarks.md").read_text(encoding="utf-8")
AMONG_THOSE_JUDGED = ("PyOD ECOD",)  # ranks a value among those it is judged with, which are later in part


def scored(length, anomalous, spans, first=0):
    score = np.zeros(length)
    score[list(anomalous)] = list(anomalous.values())
    return Trial(score, tuple(spans), first, days=1.0)


def series(points, seed=0):
    times = pd.date_range("2026-01-05", periods=points, freq="1min", tz="UTC")
    return pd.Series(10 + np.random.default_rng(seed).normal(size=points), index=times)


def test_after_an_alarm_there_is_quiet():
    score = np.zeros(300)
    score[[10, 11, 70, 71, 200]] = 1.0
    assert alarms(score, 1.0) == [10, 71, 200]


def test_an_alarm_on_the_way_back_is_neither_found_nor_false():
    trial = scored(500, {130: 9.0, 300: 9.0}, [(100, 110)])
    assert share_found([trial], 5.0) == 0.0
    assert false_alarms([trial], 5.0) == 1


def test_what_comes_before_the_first_point_neither_counts_nor_silences():
    trial = scored(500, {95: 9.0, 105: 9.0}, [(20, 30), (100, 110)], first=100)
    assert trial.events == 1
    assert trial.found(5.0).delays == (5,)
    assert false_alarms([trial], 5.0) == 0


def test_the_threshold_is_the_lowest_that_keeps_the_rate():
    random = np.random.default_rng(1)
    many = [Trial(random.random(5000), (), 0, days=10.0) for _ in range(4)]
    threshold = threshold_at(many, 0.5)
    assert false_alarms(many, threshold) <= 20
    assert false_alarms(many, threshold - 1e-4) >= 20


def test_a_judge_that_says_nothing_finds_nothing():
    one = Labelled("x", series(400), ((100, 120),), first=50, kinds=("spike",))
    quiet = trials(BASELINES["silent"], [one])
    assert share_found(quiet, threshold_at(quiet, 0.5)) == 0.0
    assert one.days == pytest.approx(349 / 1440)


def test_a_category_is_judged_by_the_thresholds_of_the_others():
    loud = scored(400, {50: 9.0, 200: 7.0}, [(195, 205)])
    calm = scored(400, {200: 3.0}, [(195, 205)])
    reported = crossed([loud, calm], ["a", "b"], rate=0.0)
    assert reported == {"cross-validated": 0.5, "false alarms a day": 0.5}


def test_blocks_follow_each_other_and_are_fitted_to_what_came_before():
    parts = list(blocks(5000))
    judged = [at for _, part in parts for at in range(part.start, min(part.stop, 5000))]
    assert judged == list(range(FIRST_FIT, 5000))
    assert all(past.stop == part.start for past, part in parts)


def test_vectors_are_in_deviations_of_the_past():
    kept = []

    def fit(vectors):
        kept.append(vectors)
        return lambda judged: judged[:, -1]

    reported = by_blocks(series(600) * 1e6, fit, lags=4)
    assert abs(kept[0].mean()) < 1e-9 and kept[0].std() == pytest.approx(1.0)
    assert np.isnan(reported[: FIRST_FIT + 3]).all() and np.isfinite(reported[FIRST_FIT + 3 :]).all()


@pytest.mark.skipif(find_spec("pyod") is None or find_spec("river") is None, reason="the bench extra is not installed")
@pytest.mark.parametrize("name", [name for name in JUDGES if name not in (*OURS, *AMONG_THOSE_JUDGED)])
def test_a_neighbour_sees_no_future(name):
    whole = series(520)
    whole.iloc[100] = np.nan
    later = whole.copy()
    later.iloc[450:] += 50.0
    if name == "random":
        return
    before, after = (JUDGES[name]([one])[0] for one in (whole, later))
    np.testing.assert_allclose(before[:450], after[:450], rtol=1e-6)
    assert len(before) == 520 and (name == "silent" or not np.allclose(before[450:], after[450:], equal_nan=True))


def test_channels_join_rarities():
    x = series(300)
    x.iloc[250] = 30.0
    reported = root_mean_square(of("ewma"), of("iqr"))([x])[0]
    np.testing.assert_allclose(reported, np.sqrt((of("ewma")(x) ** 2 + of("iqr")(x) ** 2) / 2))


def test_the_channels_of_faults_are_taken_apart_as_they_are_joined():
    x = series(600)
    x.iloc[450:470] += 3.0
    np.testing.assert_allclose(root_mean_square(SIZE, SHIFT)([x])[0], EXTREMES(x), atol=1e-6)
    np.testing.assert_allclose(root_mean_square(FACTS, SIZE, SHIFT)([x])[0], of("faults")(x), atol=1e-6)


def test_the_forest_is_given_value_change_and_the_last_ten():
    reported = features(series(30), points=40)
    assert reported.shape == (4, 40)
    assert np.isnan(reported[:, 30:]).all() and np.isfinite(reported[:, 3:30]).all()
    np.testing.assert_allclose(reported[1, 5], reported[0, 5] - reported[0, 4])


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_a_making_has_events_that_lie_apart(name):
    [one] = [one for one in kpi.load(5, 1, [scenarios.SCENARIOS[name]]) if one.name == "orders_hz"]
    gaps = [begin - end for (_, end), (begin, _) in zip(one.spans, one.spans[1:], strict=False)]
    assert len(one.spans) == len(one.kinds) > 8
    assert one.spans[0][0] > one.first and min(gaps) > 60


def test_a_fleet_shows_each_fault_where_it_is_looked_for():
    drawn = fleet.load(3, 2)
    assert {kind for one in drawn for kinds in one.kinds for kind in kinds} == set(fleet.FAULTS)
    for one in drawn:
        for target, (spans, kinds) in enumerate(zip(one.spans, one.kinds, strict=True)):
            for (begin, end), kind in zip(spans, kinds, strict=True):
                if kind == "outage":
                    assert not one.features["rate_hz"][begin : end + 1, target].any()
                    assert one.features["silent_seconds"][end, target] >= 60.0 * (end - begin)


def test_a_detector_of_rules_finds_what_it_is_made_for():
    tuning, fresh = fleet.load(11, 1), fleet.load(12, 1)
    reported = fleet_table.row(tuning, fresh, "silence")
    assert reported["outage"] == 1.0
    assert [kind for kind in fleet.FAULTS if not np.isnan(reported[kind])] == ["outage"]


def test_every_detector_has_a_row():
    assert set(detectors().index) - {"estimator"} == set(fleet_table.JUDGES)  # that one is what others bring
    assert {name for name in detectors().index if name not in OURS} == {
        "level",
        "ceiling",
        "growth",
        "siblings",
        "silence",
        "burn_rate",
        "estimator",
    }


def rows_of(table):
    body = PAGE.partition(f"<!-- {table} -->")[2].partition(f"<!-- end {table} -->")[0]
    return {line.split(" | ")[0].removeprefix("| "): line for line in body.splitlines() if line.startswith("| ")}


@pytest.mark.parametrize("table", ["overview", "faults", "kpi", "real", "nab"])
def test_the_page_has_a_row_for_each_judge(table):
    rows = rows_of(table)
    assert [name for name in JUDGES if name not in rows] == []
    assert [name for name in OURS if "| - |" in rows[name] and table in ("kpi", "real", "nab")] == [
        name for place, name in sorted(NOT_TRIED) if place == table
    ]


def test_the_page_has_a_row_for_each_detector_of_rules():
    assert [name for name in fleet_table.JUDGES if name not in rows_of("fleet")] == []


def test_what_is_not_tried_is_an_empty_row():
    one = pd.DataFrame({"found at 0.5 a day": [0.5], f"{OF_REAL}found at 0.5 a day": [0.25], "cross-validated": [60.0]})
    frames = {"faults": pd.DataFrame({"found": [0.75]}), "kpi": one.iloc[:0], "nab": one}
    reported = overview(parted(frames, [0]))
    assert list(reported.columns) == list(MAIN)
    assert reported.iloc[0].fillna(-1).tolist() == [0.75, -1, 0.25, 60.0]


def test_a_table_is_put_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- end x -->\nb\n", encoding="utf-8")
    write(page, {"x": markdown(pd.DataFrame({"found": [0.5, np.nan]}, index=["p", "q"]), {}, 2)})
    assert page.read_text(encoding="utf-8").splitlines()[3:7] == [
        "| detector | found |",
        "|---|---:|",
        "| p | 0.50 |",
        "| q | - |",
    ]
    assert page.read_text(encoding="utf-8").endswith("<!-- end x -->\nb\n")


def test_each_looks_at_one_series_at_a_time():
    assert each(len)([series(3), series(5)]) == [3, 5]
    assert set(PEERS) < set(JUDGES)
