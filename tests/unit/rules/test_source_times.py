"""Rows that come late or from the future are told by source, however the stream is cut."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.pipeline import Pipeline

START = 1_780_000_020


def stream(offs, rate_hz=10, seconds=60, source="web"):
    """Rows as they come live; `offs` gives how far each of a second's rows is off in a second, in seconds."""
    for second in range(seconds):
        now = (START + second + 1) * NS_PER_SECOND
        moments = np.linspace(0, 1, rate_hz, endpoint=False) + START + second + np.array(offs(second))
        time = np.rint(moments * 1e6).astype(np.int64) * 1000
        columns = {"time": time, "origin": "traffic", "target": "a", "status_code": [200] * rate_hz}
        yield control_batch("clock", "heartbeat", now)
        yield make_batch("requests", source, columns | {"client_ip": "10.0.0.1", "duration_seconds": [0.05] * rate_hz})
        yield control_batch(source, "heartbeat", now)


def changes_of(batches, cut=None):
    pipeline, changes = Pipeline(), []
    for batch in batches:
        parts = [batch] if cut is None else [batch.slice(at, cut) for at in range(0, batch.num_rows, cut)]
        table = "control" if "kind" in batch.schema.names else "requests"
        for part in parts:
            changes += pipeline.push(Item(0, table, part["source"][0].as_py(), part)).changes
    return changes


def told(batches):
    fired = [change for change in changes_of(batches) if change.state == "firing" and not change.inhibited_by]
    return [(change.labels["alertname"], change.labels["target"]) for change in fired]


def from_twenty(off):
    return lambda second: [off if second >= 20 else 0.0] * 10


@pytest.mark.parametrize(
    ("offs", "expected"),
    [
        (lambda second: [0.0] * 10, []),
        (lambda second: [-30.0 if second == 20 else 0.0] * 10, []),
        (from_twenty(-30.0), [("late_rows", "web")]),
        (from_twenty(30.0), [("future_rows", "web")]),
        (from_twenty(3600.0), [("future_rows", "web")]),
        (lambda second: [-1000.0 if second >= 20 else 0.0] * 4 + [0.0] * 6, [("late_rows", "web")]),
    ],
    ids=["right", "one second late", "behind", "ahead", "far ahead", "some of them"],
)
def test_rows_with_wrong_times_are_told(offs, expected):
    assert told(stream(offs)) == expected


def test_the_sentence_says_how_many_and_how_late():
    [firing] = [change for change in changes_of(stream(from_twenty(-30.0))) if change.state == "firing"]
    assert firing.summary.startswith("web: ") and " rows were 30 s late and were not analysed" in firing.summary
    assert firing.labels == {
        "alertname": "late_rows",
        "severity": "warning",
        "target": "web",
        "detector": "source_rule",
    }


def test_it_is_resolved_when_rows_are_in_time_again():
    changes = changes_of(stream(lambda second: [-30.0 if 20 <= second < 40 else 0.0] * 10, seconds=120))
    late = [change.state for change in changes if change.labels["alertname"] == "late_rows"]
    assert late == ["pending", "firing", "resolved"]


def test_late_rows_are_no_silence():
    changes = changes_of(stream(lambda second: [-3000.0 if second >= 300 else 0.0] * 10, seconds=360))
    silence = [change for change in changes if change.labels["alertname"] == "traffic_silence"]
    assert silence == []
    assert "late_rows" in {change.labels["alertname"] for change in changes if change.state == "firing"}


@pytest.mark.parametrize("cut", [1, 3])
def test_the_cut_does_not_matter(cut):
    def offs(second):
        return [3600.0, 0.0, -20.0, 30.0, 90.0, 0.0, 0.0, 3600.0, -20.0, 0.0] if 20 <= second < 35 else [0.0] * 10

    whole = changes_of(stream(offs, seconds=90))
    assert changes_of(stream(offs, seconds=90), cut) == whole
    assert {change.labels["alertname"] for change in whole if change.state == "firing"} >= {"late_rows", "future_rows"}
