"""A job whose heartbeat is overdue fires at once; its grace is in the value already."""

from __future__ import annotations

import pytest

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND
from tests.unit.engine.test_alert_ends import START, Stream


@pytest.mark.parametrize(("overdue_seconds", "states"), [(0.0, []), (0.4, []), (1.0, ["firing", "resolved"])])
def test_one_second_overdue_is_enough(overdue_seconds, states):
    stream = Stream()
    for second in range(20):
        value = overdue_seconds if 10 <= second < 15 else 0.0
        columns = {"time": [START + second * NS_PER_SECOND], "target": ["nightly"], "value": [value]}
        rows = make_batch("samples", "heartbeats", columns | {"metric": ["heartbeat_overdue_seconds"]})
        stream.push("samples", "heartbeats", rows)
    assert [state for state, *_ in stream.seen("heartbeat_missed")] == states
