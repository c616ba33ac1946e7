"""How far event time has got, and what happens to rows that do not fit."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.engine.watermark import Watermarks
from aiops_nb.features.params import WindowParams

S = NS_PER_SECOND


def watermarks(*expected):
    return Watermarks(WindowParams(lateness_seconds=1, idle_seconds=10, ahead_seconds=60), expected)


def test_the_slowest_live_source_holds_the_rest():
    marks = watermarks()
    marks.after_rows("a", np.array([100 * S]))
    assert marks.after_rows("b", np.array([105 * S]))[-1] == 99 * S
    assert marks.after_rows("a", np.array([103 * S, 104 * S, 102 * S])).tolist() == [102 * S, 103 * S, 103 * S]


def test_no_source_is_held_back_for_longer_than_the_idle_limit():
    marks = watermarks()
    marks.after_rows("a", np.array([100 * S]))
    assert marks.after_rows("b", np.array([200 * S]))[-1] == 189 * S


def of_requests(step):
    return [tick for tick in step.ticks if tick.features.table == "requests"]


def test_an_idle_source_lets_go_by_the_recorded_clock():
    marks = watermarks()
    marks.after_heartbeat("clock", 100 * S)
    marks.after_rows("a", np.array([100 * S]))
    marks.after_rows("b", np.array([100 * S]))
    for second in range(101, 115):
        marks.after_heartbeat("clock", second * S)
        mark = marks.after_rows("b", np.array([second * S]))[-1]
        assert mark == (99 if second <= 110 else second - 1) * S


def test_an_expected_source_holds_until_it_goes_idle():
    marks = watermarks("a", "b")
    marks.after_heartbeat("clock", 100 * S)
    assert marks.after_rows("b", np.array([105 * S]))[-1] == 94 * S  # held by a, but never more than idle_seconds
    marks.after_heartbeat("clock", 111 * S)
    assert marks.after_rows("b", np.array([112 * S]))[-1] == 111 * S


def test_silence_everywhere_still_moves_time():
    marks = watermarks()
    marks.after_heartbeat("clock", 100 * S)
    marks.after_rows("a", np.array([100 * S]))
    assert marks.after_heartbeat("clock", 130 * S) == 120 * S


def test_an_ended_source_holds_nothing():
    marks = watermarks()
    marks.after_rows("a", np.array([100 * S]))
    marks.forget("a")
    assert marks.after_rows("b", np.array([150 * S]))[-1] == 149 * S


def push(pipeline, batch):
    table = "control" if "kind" in batch.schema.names else "requests"
    return pipeline.push(Item(0, table, batch.column("source")[0].as_py(), batch))


def rows(*seconds, source="a"):
    columns = {"time": [round(s * S) for s in seconds], "origin": "probe", "target": ["t"] * len(seconds)}
    return make_batch("requests", source, {**columns, "status_code": [200] * len(seconds)})


def test_late_rows_are_counted_and_not_used():
    pipeline = Pipeline()
    push(pipeline, rows(100.5, 110.5, 101.5))
    ticks = of_requests(push(pipeline, rows(120.5)))
    assert pipeline.counters.late_total == 1 and pipeline.counters.rows_total == 4
    assert ticks[0].features.column("count")[0] == 0


def test_rows_from_the_future_are_counted_and_do_not_move_time():
    pipeline = Pipeline()
    push(pipeline, control_batch("clock", "heartbeat", 100 * S))
    push(pipeline, rows(100.5, 4e9, 101.5))
    step = push(pipeline, rows(104.5))
    assert pipeline.counters.ahead_total == 1 and pipeline.counters.late_total == 0
    assert [t.features.column("count")[0] for t in of_requests(step)][-2:] == [1, 0]


def test_a_long_gap_closes_a_bounded_number_of_windows():
    pipeline = Pipeline()
    push(pipeline, rows(100.5))
    step = push(pipeline, rows(1_000_000.5))
    assert len(of_requests(step)) <= 70 and pipeline.counters.skipped_ticks_total > 900_000
    assert np.isnan(of_requests(step)[-1].features.column("error_ratio")[0])


def test_a_start_command_begins_afresh():
    pipeline = Pipeline()
    push(pipeline, rows(100.5, 200.5))
    push(pipeline, control_batch("monitor", "command", 0, '{"type": "start"}'))
    step = push(pipeline, rows(50.5, 60.5))
    assert pipeline.counters.late_total == 0 and step.ticks
