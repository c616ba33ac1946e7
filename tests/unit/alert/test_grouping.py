"""What most targets have is told once, and resolved once; what one has is told of it."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.alert.grouping import GroupingParams
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline

TARGETS = [f"t{place}" for place in range(8)]
HEALTHY, SICK, AFTER = 40, 20, 60


def stream(sick, status=503, targets=TARGETS, lasting=()):
    """Each target once a second; `sick` ones answer badly for twenty seconds, `lasting` ones until the end."""
    seconds = np.repeat(np.arange(HEALTHY + SICK + AFTER), len(targets))
    target = np.tile(targets, HEALTHY + SICK + AFTER)
    bad = np.isin(target, sick) & (seconds >= HEALTHY) & ((seconds < HEALTHY + SICK) | np.isin(target, lasting))
    time = seconds * NS_PER_SECOND + np.tile(np.arange(len(targets)), HEALTHY + SICK + AFTER) * 10_000_000
    columns = {"time": time, "origin": "probe", "target": target.tolist(), "status_code": np.where(bad, status, 200)}
    return make_batch("requests", "web", columns | {"duration_seconds": [0.05] * len(time)})


def changes_of(batch, params=None, rows=5000):
    pipeline, changes = Pipeline(params), []
    for at in range(0, batch.num_rows, rows):
        changes += pipeline.push(Item(0, "requests", "web", batch.slice(at, rows))).changes
    return changes


def told(changes, state="firing"):
    kept = [change for change in changes if change.state == state and not change.inhibited_by]
    return [(change.labels["alertname"], change.labels["target"]) for change in kept]


def of_many(change):
    return change.labels["alertname"] == "http_5xx" and change.labels["target"] == "*"


@pytest.mark.parametrize(
    ("sick", "expected"),
    [
        (TARGETS, [("http_5xx", "*")]),
        (TARGETS[:4], [("http_5xx", "*")]),
        (TARGETS[:3], [("http_5xx", target) for target in TARGETS[:3]]),
        (TARGETS[5:6], [("http_5xx", "t5")]),
    ],
    ids=["all", "half", "fewer", "one"],
)
def test_what_most_targets_have_is_told_once(sick, expected):
    changes = changes_of(stream(sick))
    assert told(changes) == expected and told(changes, "resolved") == expected


def test_two_of_two_are_told_each():
    assert told(changes_of(stream(["a", "b"], targets=["a", "b"]))) == [("http_5xx", "a"), ("http_5xx", "b")]


def test_the_single_ones_lie_beneath_and_the_sentence_names_them():
    changes = changes_of(stream(TARGETS))
    [many] = [change for change in changes if change.state == "firing" and of_many(change)]
    assert many.summary == "*: http_5xx on 8 of 8 targets: t0, t1, t2, t3, t4 and 3 more"
    assert many.labels == {
        "alertname": "http_5xx",
        "severity": "error",
        "origin": "probe",
        "target": "*",
        "detector": "grouping",
    }
    single = [change for change in changes if change.state == "firing" and change.labels["detector"] == "row_rule"]
    assert {change.labels["target"]: change.inhibited_by for change in single} == dict.fromkeys(
        TARGETS, "http_5xx of several targets"
    )


def test_one_that_outlives_the_others_is_told_then():
    changes = changes_of(stream(TARGETS, lasting=["t6"]))
    assert told(changes) == [("http_5xx", "*"), ("http_5xx", "t6")]
    assert told(changes, "resolved") == [("http_5xx", "*")]
    over = next(change for change in changes if change.state == "resolved" and of_many(change))
    assert over.summary == "*: resolved after 29 s; 8 targets had it, 1 still has it"


def test_the_cut_does_not_matter():
    batch = stream(TARGETS, status=404, lasting=["t6"])
    whole, *parts = (list(map(repr, changes_of(batch, rows=rows))) for rows in (5000, 7, 1))  # NaN is not NaN
    assert parts == [whole, whole] and any("of several targets" in change for change in whole)


def test_it_can_be_turned_off_or_asked_more_of():
    off, all_of_them = PipelineParams(grouping=None), PipelineParams(grouping=GroupingParams(min_ratio=1.0))
    assert told(changes_of(stream(TARGETS), off)) == [("http_5xx", target) for target in TARGETS]
    assert told(changes_of(stream(TARGETS[:7]), all_of_them)) == [("http_5xx", target) for target in TARGETS[:7]]
