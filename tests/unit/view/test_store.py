"""The store: what was written is there, in bounded memory, whatever comes."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from aiops_nb.core.protocols import Sink
from aiops_nb.core.types import NS_PER_SECOND, SeriesKey
from aiops_nb.view.charts.selection import choose
from aiops_nb.view.data.ring_buffers import FEWEST_WINDOWS, MOST_WINDOWS, History, PointRing, Points, extremes
from aiops_nb.view.data.series_data import MOST_POINTS, all_points, line_data, point_data
from aiops_nb.view.data.store import MOST_WAITING_ROWS, ViewStore
from aiops_nb.view.still.page import picture_html
from aiops_nb.view.widgets.alert_rows import alert_rows
from tests.unit.view.rows import T0, alert, heartbeat_step, host_tick, request_step, requests_tick


def store_of(*steps: object) -> ViewStore:
    store = ViewStore()
    for step in steps:
        store.write(step)  # type: ignore[arg-type]
    store.advance()
    return store


def test_it_is_a_sink_that_may_be_closed_twice() -> None:
    store = ViewStore()
    assert isinstance(store, Sink)
    store.close()
    store.close()


def test_a_request_is_seen_before_its_window_closes() -> None:
    store = store_of(request_step([T0, T0 + 1], ["a", "b"], [0.1, 0.2], status_code=[200, 503]))
    assert store.newest_ns == T0 + 1
    assert store.down.tolist() == [False, True]
    data = point_data(store.points.of(1, T0))
    assert data["failed"].tolist() == pytest.approx([200.0])
    assert np.isnan(data["answered"]).all()


def test_probe_and_traffic_of_one_target_are_two_series() -> None:
    both = request_step([T0, T0], ["a", "a"], [0.1, 0.2], origin=["probe", "traffic"])
    assert store_of(both).series.keys == [SeriesKey("a", origin="probe"), SeriesKey("a", origin="traffic")]


def test_windows_come_in_the_units_of_the_charts() -> None:
    ticks = [requests_tick(T0 + i * NS_PER_SECOND, ["a"], [0.1 if i < 2 else 3.0]) for i in range(3)]
    store = store_of(heartbeat_step(T0, ticks))
    data = line_data(store, 0, T0)
    assert data["p95"].tolist() == pytest.approx([100.0, 100.0, 3000.0])
    assert data["rate"].tolist() == [2.0, 2.0, 2.0]
    assert data["anomaly"][2] == 3000.0 and np.isnan(data["anomaly"][:2]).all()
    assert data["lower"].tolist() == [0.0] * 3  # not bounded by the detector, but by time
    assert data["time"].tolist() == [(T0 + i * NS_PER_SECOND) / 1e6 for i in range(3)]


def test_an_engine_that_begins_again_keeps_the_history_of_its_series() -> None:
    first = heartbeat_step(T0, [requests_tick(T0, ["a", "b"], [0.1, 0.2])])
    again = heartbeat_step(T0, [requests_tick(T0 + NS_PER_SECOND, ["b", "a"], [0.4, 0.3])])
    store = store_of(first, again)
    assert line_data(store, 0, T0)["p95"].tolist() == pytest.approx([100.0, 300.0])


def test_only_the_host_metrics_of_charts_are_kept() -> None:
    store = store_of(heartbeat_step(T0, [host_tick(T0, ["h"], 0.5, 0.25)]))
    assert [key.metric for key in store.hosts.keys] == ["cpu_ratio", "memory_ratio"]


def test_a_clock_from_the_future_does_not_move_the_axis() -> None:
    store = store_of(request_step([T0, T0 + 1, T0 + 10**18], ["a"] * 3, [0.1] * 3))
    assert store.newest_ns == T0 + 1
    store.write(request_step([T0 + 10**18], ["a"], [0.1]))
    store.advance()
    assert store.newest_ns == T0 + 1


def test_a_duration_that_is_not_known_is_not_drawn() -> None:
    store = store_of(request_step([T0, T0], ["a", "a"], [float("nan"), 0.1]))
    assert len(store.points.of(0, 0).time_ns) == 1


def test_what_waits_is_bounded_and_alerts_are_not_lost() -> None:
    rows = 50_000
    big = request_step([T0] * rows, ["a"] * rows, [0.1] * rows)
    store = ViewStore()
    store.write(heartbeat_step(T0, changes=[alert("firing", "a")]))
    for _ in range(10):
        store.write(big)
    assert store.skipped_rows_total >= 10 * rows - MOST_WAITING_ROWS
    store.advance()
    assert [change.state for change in store.alerts.firing()] == ["firing"]


def test_a_dense_target_is_thinned_to_its_extremes() -> None:
    rows = 5000
    seconds = np.random.default_rng(1).uniform(0.1, 0.2, rows)
    seconds[1234] = 9.0
    store = store_of(request_step((T0 + np.arange(rows)).tolist(), ["a"] * rows, seconds.tolist()))
    kept = store.points.of(0, 0)
    assert len(kept.time_ns) == 2
    assert kept.seconds.max() == 9.0


def test_a_past_taken_at_once_shows_every_request_of_every_target() -> None:
    steps = [request_step([T0 + i * NS_PER_SECOND] * 2, ["a", "b"], [0.1, 0.2]) for i in range(90)]
    store = ViewStore()
    store.begin_with(lambda: steps)
    store.advance()
    assert [len(store.points.of(series, 0).time_ns) for series in (0, 1)] == [90, 90]


def test_a_long_history_is_thinned_when_it_is_drawn_whole() -> None:
    store = ViewStore()
    for i in range(3000):
        store.write(request_step([T0 + i * NS_PER_SECOND // 4], ["a"], [0.1 + (i == 1700)]))
        store.advance()
    drawn = all_points(store, 0, T0, store.newest_ns)
    assert len(drawn.time_ns) <= MOST_POINTS
    assert drawn.seconds.max() == pytest.approx(1.1)


def test_history_keeps_fewer_windows_of_more_series() -> None:
    history = History(("rate",), cells=64_000)
    for i in range(5000):
        history.append(i, {"rate": np.array([float(i)])}, np.array([0]))
    assert history.length <= 2 * MOST_WINDOWS
    history.append(5000, {"rate": np.arange(10_000.0)}, np.arange(10_000))
    assert history.windows == FEWEST_WINDOWS
    assert history.since(0, 9_999, ("rate",))["rate"][-1] == 9_999
    assert history.since(4_999, 0, ("rate",))["rate"].tolist() == [4999.0, 0.0]


def test_a_series_that_is_not_known_yet_has_no_values() -> None:
    history = History(("rate",))
    history.append(1, {"rate": np.ones(1)}, np.array([0]))
    assert np.isnan(history.since(0, 5000, ("rate",))["rate"]).all()


def test_the_ring_of_requests_is_bounded() -> None:
    ring = PointRing(capacity=100)
    for i in range(1000):
        ring.append(Points.none())
        rows = request_points(3, i)
        ring.append(rows)
    assert len(ring.of(0, 0).time_ns) == 100
    assert ring.of(0, 0).time_ns[-1] == 999


def request_points(count: int, at: int) -> Points:
    return Points(
        series=np.zeros(count, np.int32),
        time_ns=np.full(count, at),
        seconds=np.arange(count, dtype=np.float32),
        status=np.full(count, 200, np.int16),
        error=np.zeros(count, np.int8),
    )


def test_extremes_keep_the_slowest_and_the_quickest_of_each_group() -> None:
    rows = request_points(6, 0)
    assert extremes(rows, np.array([0, 0, 0, 1, 1, 1])).seconds.tolist() == [0, 2, 3, 5]
    assert len(extremes(Points.none(), np.zeros(0, np.int64)).time_ns) == 0


def test_a_store_begun_with_the_past_takes_nothing_twice() -> None:
    steps = [request_step([T0 + i * NS_PER_SECOND], ["a"], [0.1]) for i in range(3)]
    store = ViewStore()
    store.write(steps[2])  # delivered between add_sink and begin_with
    store.begin_with(lambda: steps)
    store.write(steps[2])  # in delivery while begin_with looked
    store.write(request_step([T0 + 9 * NS_PER_SECOND], ["a"], [0.1]))
    store.advance()
    assert [(int(t) - T0) // NS_PER_SECOND for t in store.points.of(0, 0).time_ns] == [0, 1, 2, 9]
    assert store.fresh.time_ns.tolist().count(T0 + 2 * NS_PER_SECOND) == 1


@pytest.mark.parametrize("act", ["write", "advance"])
def test_the_cost_in_python_does_not_grow_with_the_rows(act: str) -> None:
    assert calls_of(act, rows=20_000) == calls_of(act, rows=200)


def calls_of(act: str, rows: int) -> int:
    """How many functions run, Python's and C's."""
    calls: list[str] = []
    store = ViewStore()
    targets = [f"t{i % 100}" for i in range(rows)]
    step = request_step([T0] * rows, targets, [0.1] * rows, status_code=[200] * rows)
    if act == "advance":
        store.write(step)
    sys.setprofile(lambda _frame, event, _what: calls.append(event))
    try:
        store.write(step) if act == "write" else store.advance()
    finally:
        sys.setprofile(None)
    return len(calls)


def test_trouble_comes_first_then_traffic_and_slots_are_kept() -> None:
    targets = [f"t{i}" for i in range(20)]
    store = store_of(
        request_step([T0] * 20, targets, [0.1] * 20, status_code=[200] * 20),
        heartbeat_step(T0, [requests_tick(T0, targets, [0.1] * 20)]),
    )
    shown = choose(store, ())
    assert shown == list(range(8))
    store.write(heartbeat_step(T0 + 1, changes=[alert("firing", "t15")]))
    store.advance()
    troubled = choose(store, shown)
    assert 15 in troubled and len(troubled) == 8
    assert [one for one in troubled if one != 15] == [one for one in shown if one in troubled]
    assert choose(store, troubled, among=(3, 19)) == [3, 19]


def test_a_client_with_a_hostile_name_is_only_text() -> None:
    store = ViewStore()
    labels = {"alertname": "client_flood", "severity": "error", "target": "*", "client": "<script>alert(1)<_script>"}
    summary = "<script>alert(1)<_script>: 900 requests in 60 s"
    change = replace(alert("firing", "*", summary=summary), labels=labels)
    store.write(heartbeat_step(T0, changes=[change]))
    store.advance()
    assert "900 requests" in picture_html(store) and "<script" not in picture_html(store)


def test_the_subject_of_an_alert_is_its_client_or_all_targets() -> None:
    store, everybody = ViewStore(), alert("firing", "*", summary="*: slow")
    client = alert("firing", "*", summary="*: 192.0.2.7: 840 requests")
    client = replace(client, labels={**client.labels, "client": "192.0.2.7"}, fingerprint="c")
    store.write(heartbeat_step(T0, changes=[everybody, client]))
    store.advance()
    named = {row["full_target"]: row["summary"] for row in alert_rows(store)}
    assert named == {"all targets": "slow", "192.0.2.7": "840 requests"}


def test_targets_keep_their_short_names_in_a_grouped_alert() -> None:
    store = ViewStore()
    pages = ["http://h:1/a", "http://h:1/ab"]
    singles = [alert("firing", page) for page in pages]
    host = replace(alert("firing", "vm"), fingerprint="host")
    many = alert("firing", "*", summary=f"*: http_5xx on 2 of 2 targets: {', '.join(pages)}")
    store.write(request_step([T0] * 2, pages, [0.1] * 2))
    store.write(heartbeat_step(T0, changes=[*singles, host, replace(many, fingerprint="many")]))
    store.advance()
    rows = alert_rows(store)
    assert {row["target"] for row in rows} == {"/a", "/ab", "vm", "all targets"}
    assert "http_5xx on 2 of 2 targets: /a, /ab" in {row["summary"] for row in rows}
