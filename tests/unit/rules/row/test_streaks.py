"""Every rule on tiny literal streams, and the alerts expected of them: the quiet ones included."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.pipeline import Pipeline

SECOND = NS_PER_SECOND
OK, E5, E4, DEAD = (200, None), (503, None), (404, None), (None, "connect")


def probe(at_seconds, outcome, target="a"):
    status, error = outcome
    return make_batch(
        "requests",
        "probe",
        {
            "time": [round(at_seconds * SECOND)],
            "origin": "probe",
            "target": [target],
            "status_code": [status],
            "error_type": [error],
            "duration_seconds": [0.01],
        },
    )


def run(outcomes, until_seconds=None):
    """One probe a second from second 100; heartbeats after the last until `until_seconds`."""
    batches = [probe(100 + i, outcome) for i, outcome in enumerate(outcomes) if outcome is not None]
    last = 100 + len(outcomes)
    beats = [control_batch("probe", "heartbeat", t * SECOND) for t in range(last, int(until_seconds or last))]
    pipeline, changes = Pipeline(), []
    for seq, batch in enumerate([*batches, *beats]):
        table = "control" if "kind" in batch.schema.names else "requests"
        changes += pipeline.push(Item(seq, table, "probe", batch)).changes
    return [
        (c.labels["alertname"], c.state, c.time_ns / SECOND) for c in changes if "anomaly" not in c.labels["alertname"]
    ]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([OK] * 30, []),
        ([OK, E5, OK, OK, OK], []),
        ([OK, E5, E5, OK, OK], [("http_5xx", "pending", 102), ("http_5xx", "inactive", 103)]),
        ([OK, E5, E5, E5, E5], [("http_5xx", "pending", 102), ("http_5xx", "firing", 103)]),
        ([OK, E4, E4, E4], [("http_4xx", "pending", 102), ("http_4xx", "firing", 103)]),
        ([DEAD] * 4, [("request_failed", "pending", 101), ("request_failed", "firing", 102)]),
        ([E5, E5, None, None, None, E5], [("http_5xx", "pending", 101), ("http_5xx", "firing", 105)]),
        (
            [E5] * 3 + [OK] * 14,
            [("http_5xx", "pending", 101), ("http_5xx", "firing", 102), ("http_5xx", "resolved", 113)],
        ),
        (
            [E5] * 3 + [OK] * 9 + [E5] + [OK] * 14,  # one relapse within keep_firing_for: still one episode
            [("http_5xx", "pending", 101), ("http_5xx", "firing", 102), ("http_5xx", "resolved", 123)],
        ),
    ],
    ids=["healthy", "blip", "repeated blip", "5xx", "4xx", "dead", "gap does not reset", "recovery", "relapse"],
)
def test_row_rules(outcomes, expected):
    assert run(outcomes) == expected


def test_a_gap_does_not_resolve():
    changes = run([E5] * 3, until_seconds=200)
    assert changes == [("http_5xx", "pending", 101), ("http_5xx", "firing", 102)]


def test_the_summary_names_the_kind_of_failure():
    pipeline, changes = Pipeline(), []
    for seq in range(3):
        batch = probe(100 + seq, (None, "dns"), target="http://nowhere.invalid/")
        changes += pipeline.push(Item(seq, "requests", "probe", batch)).changes
    assert changes[-1].summary == "http://nowhere.invalid/: host name not found (3 consecutive probes)"
    assert changes[-1].labels["severity"] == "critical"


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("status in 200..299, got 503", "status in 200..299, got 503"),
        ("two\nlines\x1d and\ttabs", "two lines and tabs"),
        ("x" * 5000, "x" * 200),
        ("", None),
    ],
)
def test_the_summary_says_why_on_one_short_line(detail, told):
    rows = {"time": [SECOND, 2 * SECOND, 3 * SECOND], "origin": "probe", "target": ["shop"] * 3}
    batch = make_batch("requests", "probe", {**rows, "error_type": ["assertion"] * 3, "error_detail": [detail] * 3})
    firing = Pipeline().push(Item(0, "requests", "probe", batch)).changes[-1]
    why = f": {told}" if told else ""
    assert firing.summary == f"shop: response check failed{why} (3 consecutive probes)"
    assert firing.detail == (told or "")


def latency_changes(durations, **columns):
    seconds = np.arange(len(durations)) + 100
    batch = make_batch(
        "requests",
        "probe",
        {
            "time": seconds * SECOND,
            "origin": "probe",
            "target": ["a"] * len(durations),
            "status_code": [200] * len(durations),
            "duration_seconds": durations,
            **columns,
        },
    )
    return pipeline_changes(batch)


def pipeline_changes(batch):
    return Pipeline().push(Item(0, "requests", "probe", batch)).changes


def test_slow_phase_fires_and_is_resolved():
    durations = [0.05] * 90 + [0.5] * 20 + [0.05] * 90
    states = [(c.labels["alertname"], c.state) for c in latency_changes(durations)]
    assert states == [("latency_p95_anomaly", s) for s in ("pending", "firing", "resolved")]


def test_latency_evidence_is_in_the_change():
    firing = latency_changes([0.05] * 90 + [0.5] * 20)[-1]
    assert firing.state == "firing" and firing.value > firing.upper > firing.expected > 0.04
    assert firing.score > firing.threshold and firing.summary.startswith("a: p95 latency 5")


def test_constant_latency_and_small_jitter_are_quiet():
    rng = np.random.default_rng(1)
    assert latency_changes([0.05] * 300) == []
    assert latency_changes(0.05 + rng.uniform(0, 0.005, 300)) == []


def test_a_new_level_is_accepted_after_the_cap():
    changes = latency_changes([0.05] * 90 + [0.5] * 500)
    assert [c.state for c in changes] == ["pending", "firing", "resolved"]


def test_fingerprints_do_not_depend_on_values():
    first, second = (latency_changes([0.05] * 90 + [slow] * 20)[-1] for slow in (0.5, 0.9))
    assert first.fingerprint == second.fingerprint and first.value != second.value
