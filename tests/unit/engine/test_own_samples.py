"""Samples of the monitor itself become series in their windows, and move no window."""

from __future__ import annotations

from aiops_nb.core.schemas import SELF_SOURCE, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from tests.unit.engine.test_alert_ends import START, Stream


class Kept(Stream):
    """Keeps the tables of samples too."""

    def push(self, table, source, batch):
        step = self.pipeline.push(Item(0, table, source, batch))
        self.tables = [*getattr(self, "tables", []), *(tick.features for tick in step.ticks)]


def own(stream, second, values):
    columns = {"time": [START + round(second * NS_PER_SECOND)] * len(values), "target": "monitor"}
    columns |= {"metric": list(values), "value": list(values.values())}
    stream.push("samples", SELF_SOURCE, make_batch("samples", SELF_SOURCE, columns))


def samples(stream):
    tables = [table for table in stream.tables if table.table == "samples"]
    return [{key.metric: table.column("value")[at] for at, key in enumerate(table.series)} for table in tables]


def test_each_of_the_rows_is_used_the_first_too():
    stream = Kept()
    for second in range(6):
        stream.requests([second + 0.2], ["/"], [200])
        own(stream, second + 0.5, {"queue_batches": float(second), "late_total": 7.0})
    assert samples(stream)[2] == {"queue_batches": 1.0, "late_total": 7.0}


def test_they_begin_no_window_and_close_none():
    stream = Kept()
    for second in range(5):
        own(stream, second, {"queue_batches": 1.0})
    assert stream.tables == []
    stream.requests([10.2], ["/"], [200])
    own(stream, 3600, {"queue_batches": 1.0})  # another clock: only recorded
    own(stream, 2, {"late_total": 1.0})
    stream.requests([13.2], ["/"], [200])
    assert {table.table for table in stream.tables} == {"requests", "overall", "slo"}
