"""The baseline of a client: what is normal moves it, what is anomalous does so only when it lasts."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.features.clients.baseline_rates import OwnBaseline

NOBODY, FIRST = np.zeros(0, np.int64), np.array([0])
TAKEN = np.array([True, True])


def learn(baseline, values, anomalous=NOBODY, taken=TAKEN, early=False):
    baseline.learn(np.array(values), anomalous, taken, early)


def settled(accept_steps=3):
    baseline = OwnBaseline(4, settle_steps=5, accept_steps=accept_steps)
    for step in range(40):
        learn(baseline, [4 + 4 * (step % 2), 10])
    return baseline


def test_it_is_known_after_it_settled_and_a_mean():
    baseline = OwnBaseline(4, settle_steps=5, accept_steps=3)
    for _ in range(4):
        learn(baseline, [10, 10])
    assert np.isnan(baseline.of(slice(2))).all()
    learn(baseline, [10, 10])
    assert baseline.of(slice(2)).tolist() == [10.0, 10.0]
    assert 5 < settled().of(FIRST)[0] < 7  # normal values do not count as an anomaly that lasts


def test_an_anomaly_is_learned_only_after_it_lasted():
    baseline = settled()
    before = baseline.of(FIRST)[0]
    for _ in range(2):
        learn(baseline, [100, 10], FIRST)
        assert baseline.of(FIRST)[0] == before
    learn(baseline, [100, 10], FIRST)
    assert baseline.of(FIRST)[0] == 100


def test_a_normal_value_between_begins_the_count_again():
    baseline = settled()
    for anomalous in (FIRST, FIRST, NOBODY, FIRST, FIRST):
        learn(baseline, [100 if len(anomalous) else 6, 10], anomalous)
    assert baseline.of(FIRST)[0] < 10


def test_what_is_not_taken_changes_nothing():
    baseline = settled()
    before = baseline.of(slice(2)).tolist()
    for _ in range(9):
        learn(baseline, [100, 100], taken=np.array([False, False]))
    assert baseline.of(slice(2)).tolist() == before


def test_more_than_twice_the_baseline_is_learned_as_twice():
    baseline = settled()
    learn(baseline, [6, 1000])
    assert baseline.of(np.array([1]))[0] == pytest.approx(10 + (20 - 10) / 5)


def test_a_slot_that_is_given_up_knows_nothing():
    baseline = settled()
    learn(baseline, [6, 10], early=True)
    baseline.forget(FIRST)
    assert np.isnan(baseline.of(FIRST)[0]) and baseline.of(np.array([1]))[0] == 10
    assert baseline.regular(np.array([20, 21]), np.array([1, 1])).tolist() == [True, False]
