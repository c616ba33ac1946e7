"""Runs of hits that chance makes are no alert, however often a target is hit; an outage is one at once."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.rules.row.chance import BaselineHits, Pace, consecutive_hits
from aiops_nb.rules.row.params import DEFAULT_ROW_RULES

RATE_HZ, USUAL_RATIO, SECONDS = 50, 0.03, 1200


def traffic(status, first_second=0):
    rows = len(status)
    time = first_second * NS_PER_SECOND + np.arange(rows) * (NS_PER_SECOND // RATE_HZ)
    return make_batch(
        "requests",
        "log",
        {
            "time": time,
            "origin": "traffic",
            "target": ["a"] * rows,
            "status_code": status,
            "duration_seconds": [0.01] * rows,
        },
    )


def fired(pipeline, batch):
    changes = pipeline.push(Item(0, "requests", "log", batch)).changes
    return [change for change in changes if change.state == "firing" and change.labels["alertname"] == "http_5xx"]


def usual():
    chance = np.random.default_rng(3).random(RATE_HZ * SECONDS)
    return np.where(chance < USUAL_RATIO, 503, 200).astype(np.int16)


def test_three_on_end_are_chance_where_three_of_a_hundred_fail():
    patient, plain = Pipeline(), Pipeline(PipelineParams(row_rules=plain_rules()))
    assert fired(plain, traffic(usual())) and not fired(patient, traffic(usual()))


def plain_rules():
    return tuple(replace(rule, max_chance_alerts_per_day=None) for rule in DEFAULT_ROW_RULES)


def test_an_outage_is_told_within_a_second_and_says_of_how_many():
    pipeline = Pipeline()
    pipeline.push(Item(0, "requests", "log", traffic(usual())))
    [alert] = fired(pipeline, traffic([503] * RATE_HZ, SECONDS))
    assert 4 <= alert.threshold <= 6 and f"{alert.threshold:.0f}" in alert.summary
    assert alert.time_ns - SECONDS * NS_PER_SECOND < NS_PER_SECOND // 4


def test_a_target_that_was_never_hit_needs_what_the_rule_says():
    pipeline = Pipeline()
    pipeline.push(Item(0, "requests", "log", traffic([200] * (RATE_HZ * 60))))
    [alert] = fired(pipeline, traffic([503] * 3, 60))
    assert alert.threshold == 3


@pytest.mark.parametrize("ratio", [0.002, 0.03, 0.2])
def test_chance_makes_no_more_runs_than_are_allowed(ratio):
    rows_per_day = 86_400.0 * 20
    needed = int(consecutive_hits(np.array([ratio]), np.array([rows_per_day]), 0.1)[0])
    assert rows_per_day * ratio**needed <= 0.1 < rows_per_day * ratio ** (needed - 1)


def runs_by_chance(ratio, rates_hz, seconds):
    """How many runs that are long enough chance makes in so many seconds, on the average; and how long that is."""
    rng, usual, pace = np.random.default_rng(5), BaselineHits(for_rows=3, max_chance_alerts_per_day=0.1), Pace()
    needed, runs = np.full(len(rates_hz), 3), 0.0
    for second in range(seconds):
        rows = rng.poisson(rates_hz)
        runs += float((rows * (1 - ratio) * ratio**needed).sum())
        pace.tick(rows, (second + 1) * NS_PER_SECOND, len(rows))
        count = len(pace.rows)
        found = usual.tick(rng.binomial(rows, ratio), pace, np.ones(count, np.bool_), np.zeros(count, np.bool_))
        needed = needed if found is None else found[: len(rates_hz)]
    return runs, needed


@pytest.mark.parametrize("ratio", [0.002, 0.03])
def test_all_targets_together_are_not_hit_by_chance_more_often_than_is_allowed(ratio):
    rates_hz, first_minutes = np.linspace(0.5, 5.0, 40), 0.005
    runs, _ = runs_by_chance(ratio, rates_hz, 3600)
    assert runs <= 0.1 / 24 + first_minutes


def test_many_rare_targets_learn_from_each_other():
    rare, steady = np.full(1000, 0.01), 5.0
    runs, needed = runs_by_chance(0.03, np.append(rare, steady), 900)
    assert np.median(needed[:1000]) >= 4 and runs < 0.1


def test_one_dead_target_makes_the_others_only_a_little_more_patient():
    usual, pace = BaselineHits(for_rows=3, max_chance_alerts_per_day=0.1), Pace()
    rows, hits = np.array([60, 60, 60, 60]), np.array([60, 0, 0, 0])
    every = np.ones(16, np.bool_)
    pace.tick(rows, NS_PER_SECOND, 4)
    assert usual.tick(hits, pace, every, ~every)[:4].tolist()[1:] == [5, 5, 5]
