"""The dashboard without a browser: one pump, one dashboard a source, still where nothing runs widgets."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from bokeh.models.sources import ColumnDataSource

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import SELF_SOURCE, make_batch
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, Item, RuleThreshold, Step, Tick
from aiops_nb.rules.client.params import CLIENT_RULES, ClientRuleParams
from aiops_nb.rules.client.thresholds import client_threshold
from aiops_nb.view.charts.board import Board, TimeWindow
from aiops_nb.view.dashboard import Dashboard
from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.frontend import shows_widgets
from aiops_nb.view.notebook_cell import running_cell
from aiops_nb.view.pump import Pump
from aiops_nb.view.widgets.alert_rows import alert_rows
from aiops_nb.view.widgets.live_figure import LiveFigure
from aiops_nb.view.widgets.tiles import tiles_of
from tests.unit.view.rows import T0, HandSource, alert, heartbeat_step, host_tick, request_step, requests_tick

WAIT_SECONDS = 20.0


def steps_of(count: int = 5, targets: tuple[str, ...] = ("http://h/a", "http://h/b")) -> list[object]:
    steps: list[object] = []
    for i in range(count):
        at = T0 + i * NS_PER_SECOND
        steps.append(request_step([at] * len(targets), targets, [0.1] * len(targets)))
        ticks = [requests_tick(at, targets, [0.1] * len(targets)), host_tick(at, ["host"], 0.5, 0.25)]
        steps.append(heartbeat_step(at, ticks))
    return steps


@pytest.fixture
def source() -> Iterator[HandSource]:
    yield HandSource(steps_of())  # type: ignore[arg-type]


def pumps() -> int:
    return sum(thread.name == "aiops-view-pump" for thread in threading.enumerate())


def eventually(condition: Callable[[], bool]) -> bool:
    reached = threading.Event()
    for _ in range(int(WAIT_SECONDS / 0.05)):
        if condition():
            return True
        reached.wait(0.05)
    return False


def column(board: Board, source_name: str, name: str) -> list[float]:
    for root in board.roots:
        for found in root.select({"type": ColumnDataSource, "name": source_name}):
            return [float(value) for value in found.data[name]]
    raise LookupError(source_name)


def test_a_dashboard_made_later_is_whole_at_once(source: HandSource) -> None:
    with Dashboard(source) as dashboard:
        board = dashboard.screen().board
        assert len(column(board, "target-0", "p95")) == 5
        assert column(board, "requests-1", "answered")[-1] == pytest.approx(100.0)
        assert column(board, "cpu_ratio-0", "value") == pytest.approx([50.0] * 5)
        assert board.x_range.end >= (T0 + 4 * NS_PER_SECOND) / 1e6


def test_the_pump_draws_what_comes_and_ends_with_the_source(source: HandSource) -> None:
    with Dashboard(source) as dashboard:
        board = dashboard.screen().board
        source.deliver(request_step([T0 + 6 * NS_PER_SECOND], ["http://h/a"], [0.3]))
        assert eventually(lambda: column(board, "requests-0", "answered")[-1] == pytest.approx(300.0))
        assert pumps() == 1
        source.deliver(request_step([T0 + 7 * NS_PER_SECOND], ["http://h/a"], [0.4]))
        source.stop()
        assert eventually(lambda: not dashboard.pumping)
        assert column(board, "requests-0", "answered")[-1] == pytest.approx(400.0)
        assert dashboard.screen().status.state == "stopped"
        source.start()
        source.deliver(request_step([T0 + 8 * NS_PER_SECOND], ["http://h/a"], [0.5]))
        assert eventually(lambda: dashboard.screen().status.state == "live")


def test_another_dashboard_of_the_source_closes_the_first(source: HandSource) -> None:
    first = Dashboard(source)
    first.screen()
    with Dashboard(source) as second:
        second.screen()
        assert repr(first) == "<Dashboard closed>"
        assert len(source.sinks) == 1
        assert pumps() == 1
        with pytest.raises(RuntimeError, match="closed"):
            first.screen()
    second.close()
    assert pumps() == 0


def test_a_closed_dashboard_does_not_keep_its_source_alive() -> None:
    source = HandSource(steps_of())  # type: ignore[arg-type]
    alive = weakref.ref(source)
    dashboard = Dashboard(source)
    dashboard.screen()
    dashboard.close()
    del source
    gc.collect()
    assert alive() is None
    assert repr(dashboard) == "<Dashboard closed>"


def test_without_a_front_end_it_is_a_still_picture(source: HandSource) -> None:
    source.deliver(heartbeat_step(T0 + NS_PER_SECOND, changes=[alert("firing", "http://h/a", summary="<b>503</b>")]))
    with Dashboard(source) as dashboard:
        shown = dashboard._repr_mimebundle_()
        assert set(shown) == {"text/plain", "text/html"}
        assert "<svg" in shown["text/html"] and "<script" not in shown["text/html"]
        assert "&lt;b&gt;503" in shown["text/html"] and "<b>503" not in shown["text/html"]
        assert len(shown["text/html"]) < 100_000
        assert pumps() == 0


def test_warnings_and_alerts_reach_the_panels(source: HandSource) -> None:
    source.said.append("recording stopped: disk full")
    source.deliver(heartbeat_step(T0 + NS_PER_SECOND, changes=[alert("firing", "http://h/a", summary="answered 503")]))
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        assert screen.status.warnings == ["recording stopped: disk full"]
        (row,) = screen.alerts.alerts
        assert (row["state"], row["severity"], row["summary"]) == ("firing", "error", "answered 503")
        assert row["evidence"][-1][1:] == ["100 ms", "not received"]


MANY = tuple(f"http://h/api/{name}{i}" for name in ("users", "orders") for i in range(20))


def test_the_screen_says_how_many_of_the_targets_it_shows() -> None:
    with Dashboard(HandSource(steps_of(3, MANY))) as dashboard:  # type: ignore[arg-type]
        screen = dashboard.screen()
        assert screen.count.value == "showing 8 of 40 targets, alerts first"
        assert shown_titles(screen.board) == [f"/api/users{i}" for i in range(8)]


@pytest.mark.parametrize(
    ("text", "count", "titles"),
    [
        ("orders19", "1 of 40 match", ["/api/orders19"]),
        ("http://h/api/users3", "1 of 40 match", ["/api/users3"]),  # as the URL is written
        ("API/Users3, orders7", "2 of 40 match", ["/api/users3", "/api/orders7"]),
        ("users 3", "2 of 40 match", ["/api/users3", "/api/users13"]),
        ("orders", "20 of 40 match, showing 8", [f"/api/orders{i}" for i in range(8)]),
        ("nothing", "0 of 40 match", []),
        ("  ", "showing 8 of 40 targets, alerts first", [f"/api/users{i}" for i in range(8)]),
    ],
)
def test_the_filter_takes_parts_of_names_and_urls_and_says_how_many_match(
    text: str, count: str, titles: list[str]
) -> None:
    with Dashboard(HandSource(steps_of(3, MANY))) as dashboard:  # type: ignore[arg-type]
        screen = dashboard.screen()
        assert screen.filter.layout.display is None
        screen.filter.value = text
        assert eventually(lambda: (screen.count.value, sorted(shown_titles(screen.board))) == (count, sorted(titles)))


def test_targets_with_alerts_are_shown_whatever_their_traffic(source: HandSource) -> None:
    sick = [MANY[38], MANY[39]]
    source = HandSource([*steps_of(3, MANY), heartbeat_step(T0, changes=[alert("firing", one) for one in sick])])  # type: ignore[list-item]
    with Dashboard(source) as dashboard:
        board = dashboard.screen().board
        marked = [root.title.text for root in visible_latency(board) if root.css_classes[-1] == "aiops-bad"]
        assert marked == ["/api/orders18", "/api/orders19"]


def test_a_member_of_a_grouped_alert_is_in_trouble_too(source: HandSource) -> None:
    member = replace(alert("firing", "http://h/b"), inhibited_by="http_5xx of many")
    source.deliver(heartbeat_step(T0, changes=[alert("firing", "*"), member]))
    with Dashboard(source) as dashboard:
        board = dashboard.screen().board
        assert [root.css_classes[-1] for root in visible_latency(board)] == ["aiops-ok", "aiops-bad"]
        (row,) = [row for row in dashboard.screen().alerts.alerts if row["target"] == "/b"]
        assert (row["state"], row["state_label"]) == ("inhibited", "part of http_5xx of many")


def visible_latency(board: Board) -> list[Any]:
    return [root for root in board.roots if root.css_classes[0] == "aiops-latency" and root.visible]


def shown_titles(board: Board) -> list[str]:
    return [root.title.text for root in visible_latency(board)]


def test_a_start_button_starts_and_a_stop_button_stops(source: HandSource) -> None:
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        screen.stop.click()
        assert not source.running
        assert eventually(lambda: screen.status.state == "stopped" and not screen.start.disabled)
        screen.start.click()
        assert source.running


def test_a_longer_span_of_what_is_over_has_room_for_its_values() -> None:
    store = ViewStore()
    for second, count in ((0, 400.0), *((60 + i, 2.0) for i in range(3 * 60))):
        at = T0 + second * NS_PER_SECOND
        store.write(heartbeat_step(at, [requests_tick(at, ["http://h/a"], [0.1], count)]))
    store.advance()
    board = Board(store)
    board.draw()
    board.window = TimeWindow(span_seconds=900)
    board.draw()
    (requests,) = (root for root in board.roots if root.name == "chart-requests")
    assert requests.y_range.end > max(column(board, "target-0", "rate"))


def test_a_span_is_obeyed_by_the_next_frame() -> None:
    source = HandSource(steps_of(300))  # type: ignore[arg-type]
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        assert len(column(screen.board, "target-0", "p95")) == 121
        screen.span.value = 60
        assert eventually(lambda: len(column(screen.board, "target-0", "p95")) == 61)


def test_tiles_say_how_things_are() -> None:
    store = ViewStore()
    store.write(request_step([T0, T0], ["a", "b"], [0.1, 0.1], error_type=[None, "timeout"], status_code=[200, None]))
    store.write(heartbeat_step(T0, [requests_tick(T0, ["a", "b"], [0.1, 0.25])], [alert("firing", "b")]))
    store.advance()
    tiles = {tile["label"]: tile for tile in tiles_of(store)}
    assert tiles["targets"]["value"] == "1 of 2 up" and tiles["targets"]["tone"] == "bad"
    assert tiles["targets"]["note"] == "failing: b"
    assert tiles["requests"]["value"] == "4"
    assert (tiles["slowest p95"]["value"], tiles["slowest p95"]["note"]) == ("250", "b")
    assert (tiles["alerts"]["value"], tiles["alerts"]["note"]) == ("1 firing", "error: http_5xx")


def test_no_active_alert_is_said_only_when_the_baselines_are_known() -> None:
    store, notes = ViewStore(), []
    for second, expected in enumerate(([np.nan, np.nan], [np.nan, 0.1], [0.1, 0.1])):
        tick = requests_tick(T0 + second * NS_PER_SECOND, ["a", "b"], [0.1, 0.2])
        scores = replace(tick.scored[0].scores, expected=np.array(expected))
        tick = replace(tick, scored=(replace(tick.scored[0], scores=scores),))
        store.write(heartbeat_step(T0 + second * NS_PER_SECOND, [tick]))
        store.advance()
        notes.append((tiles_of(store)[-1]["note"], tiles_of(store)[-1]["tone"]))
    assert notes == [
        ("Learning: 2 targets, about 40 s left", "plain"),
        ("Learning: 1 target, about 40 s left", "plain"),
        ("no active alerts", "ok"),
    ]


@pytest.mark.parametrize(
    ("severity", "tone"), [("critical", "bad"), ("error", "bad"), ("warning", "warn"), ("info", "warn")]
)
def test_a_target_that_answers_again_is_not_called_ok_while_its_alert_fires(severity: str, tone: str) -> None:
    store = ViewStore()
    store.write(request_step([T0], ["http://h/a"], [0.1], status_code=[200]))
    store.write(
        heartbeat_step(
            T0, [requests_tick(T0, ["http://h/a"], [0.1])], [alert("firing", "http://h/a", severity=severity)]
        )
    )
    store.advance()
    targets = tiles_of(store)[0]
    assert (targets["value"], targets["note"], targets["tone"]) == ("1 of 1 up", "alerts on: h/a", tone)


def test_an_alert_that_another_one_inhibits_is_not_called_below_the_threshold() -> None:
    store = ViewStore()
    member = replace(alert("firing", "http://h/a"), inhibited_by="http_5xx")
    store.write(heartbeat_step(T0, [requests_tick(T0, ["http://h/a"], [0.1])], [member]))
    store.advance()
    tile = tiles_of(store)[-1]
    assert (tile["value"], tile["note"], tile["tone"]) == ("0 firing", "1 part of another alert", "warn")


@pytest.mark.parametrize("ratio", [0.01, 0.38, 1.0])
@pytest.mark.parametrize("state", ["none", "pending", "firing"])
def test_no_two_tiles_contradict_each_other(ratio: float, state: str) -> None:
    store = ViewStore()
    tick = requests_tick(T0, ["a"], [0.1])
    values = tick.features.values.copy()
    values[tick.features.names.index("error_ratio")] = ratio
    tick = replace(tick, features=replace(tick.features, values=values))
    store.write(request_step([T0], ["a"], [0.1], status_code=[503]))
    store.write(heartbeat_step(T0, [tick], [] if state == "none" else [alert(state, "a")]))
    store.advance()
    tones = {tile["label"]: tile["tone"] for tile in tiles_of(store)}
    red = {label for label, tone in tones.items() if tone == "bad"}
    assert bool(red) == (state == "firing")
    assert ("alerts" in red) == (state == "firing")
    assert tones["alerts"] != "ok"  # something fails: that no alert fires is not the whole answer
    assert tones["errors"] != "ok" and tones["targets"] != "ok"


def test_the_chart_of_a_target_in_trouble_is_marked(source: HandSource) -> None:
    source.deliver(request_step([T0], ["http://h/b"], [0.1], error_type=["connect"]))
    source.deliver(heartbeat_step(T0, changes=[alert("firing", "http://h/a", severity="warning")]))
    with Dashboard(source) as dashboard:
        board = dashboard.screen().board
        charts = [root.css_classes for root in board.roots if root.css_classes[0] == "aiops-latency"]
        assert [classes[-1] for classes in charts] == ["aiops-warn", "aiops-failing"]
        source.deliver(request_step([T0 + 1], ["http://h/b"], [0.1], status_code=[200]))
        assert eventually(lambda: [root.css_classes[-1] for root in board.roots][1] == "aiops-ok")


def test_a_window_without_a_sample_does_not_break_the_line_of_a_host() -> None:
    source = HandSource()
    for second in range(10):
        hosts = ["other"] if second in (2, 5, 6, 7) else ["host", "other"]
        at = T0 + second * NS_PER_SECOND
        source.deliver(heartbeat_step(at, [host_tick(at, hosts, 0.5, 0.25)]))
    with Dashboard(source) as dashboard:
        board = dashboard.screen().board
        drawn = column(board, "cpu_ratio-0", "value")
        assert drawn == pytest.approx([50.0, 50.0, 50.0, 50.0, *[float("nan")] * 2, 50.0, 50.0], nan_ok=True)
        assert column(board, "cpu_ratio-0", "fill") == pytest.approx([*[50.0] * 4, 0.0, 0.0, 50.0, 50.0])
        source.deliver(heartbeat_step(T0, [host_tick(T0 + 10 * NS_PER_SECOND, ["host"], 0.75, 0.25)]))
        assert eventually(lambda: column(board, "cpu_ratio-0", "value")[-1] == pytest.approx(75.0))
        assert len(column(board, "cpu_ratio-0", "value")) == 9


def test_alerts_are_ordered_and_those_that_came_to_nothing_go() -> None:
    store = ViewStore()
    changes = [alert("pending", "p"), alert("firing", "f"), alert("firing", "r"), alert("pending", "gone")]
    changes += [alert("resolved", "r", T0 + 5 * NS_PER_SECOND), alert("inactive", "gone")]
    store.write(heartbeat_step(T0, changes=changes))
    store.advance()
    rows = alert_rows(store)
    assert [row["state"] for row in rows] == ["firing", "pending", "resolved"]
    assert rows[2]["since"].endswith("for 5 s")


def test_the_worst_alert_is_first_however_many_came_after_it() -> None:
    store = ViewStore()
    changes = [alert("firing", "dead", T0, severity="critical")]
    changes += [alert("firing", f"slow {i}", T0 + i, severity="warning") for i in range(1, 40)]
    store.write(heartbeat_step(T0, changes=changes))
    store.advance()
    assert [row["target"] for row in alert_rows(store)][:3] == ["dead", "slow 39", "slow 38"]


def test_the_pump_outlives_a_frame_that_fails() -> None:
    frames = threading.Semaphore(0)

    def draw() -> bool:
        frames.release()
        raise ValueError("a frame")

    pump = Pump(draw, frame_seconds=0.01)
    pump.wake()
    assert frames.acquire(timeout=WAIT_SECONDS) and frames.acquire(timeout=WAIT_SECONDS)
    pump.close()
    pump.close()
    assert not pump.alive


@pytest.mark.parametrize(
    ("request_", "environment", "expected"),
    [
        ({}, {}, False),
        ({"header": {"msg_id": "a1b2c3d4-2b_4711_12"}}, {}, False),  # nbconvert, papermill
        ({"header": {"msg_id": "a1b2c3d4-2b"}, "metadata": {"cellId": "x"}}, {}, True),  # JupyterLab
        ({"header": {"msg_id": "a_1_2"}, "metadata": {"cellId": "x"}}, {}, True),  # JupyterLab, run by its server
        ({"header": {"msg_id": "a_1_2"}}, {"SERVER_SOFTWARE": "voila/0.5"}, True),
        ({"header": {"msg_id": "a_1_2"}}, {"AIOPS_NB_VIEW": "live"}, True),
        ({"header": {"msg_id": "a-1"}}, {"AIOPS_NB_VIEW": "static"}, False),
    ],
)
def test_who_runs_widgets(request_: dict[str, object], environment: dict[str, str], expected: bool) -> None:
    assert shows_widgets(request_, environment) is expected


def test_a_cell_is_known_by_its_id_and_run() -> None:
    assert running_cell({"header": {"msg_id": "m"}, "metadata": {"cellId": "c"}}) == ("c", "m")
    assert running_cell({"header": {"msg_id": "m"}}) == ("", "")


def test_a_figure_gives_its_whole_document_with_its_state(source: HandSource) -> None:
    with Dashboard(source) as dashboard:
        figure = dashboard.screen().figure
        assert isinstance(figure, LiveFigure)
        snapshot = figure.get_state()["_snapshot"]
        assert '"target-1"' in snapshot["doc"]
        assert snapshot["seq"] >= 0


def test_a_moved_threshold_is_a_command_in_the_stream(source: HandSource) -> None:
    with Dashboard(source) as dashboard:
        slider = dashboard.screen().thresholds.of["latency_p95_anomaly"]
        assert (slider.value, slider.layout.display) == (5.0, None)
        sliders = dashboard.screen().thresholds
        assert source.commands == []
        slider.value = 8.0
        assert source.commands == [] and sliders.apply.layout.display is None
        assert eventually(lambda: sliders.note.value == "above 8: never in the shown 4 s (above 5: 0)")
        sliders.apply.click()
        assert sliders.apply.layout.display == "none" and sliders.undo.layout.display is None
        assert source.commands == [{"type": "set_threshold", "alertname": "latency_p95_anomaly", "threshold": 8.0}]


def test_a_rule_on_clients_has_a_slider_of_its_own_in_its_own_unit() -> None:
    at = T0 + NS_PER_SECOND
    clients = clients_tick(at, thresholds_of(CLIENT_RULES))
    source = HandSource([heartbeat_step(at, [requests_tick(at, ["http://h/a"], [0.1]), clients])])
    with Dashboard(source) as dashboard:
        sliders = dashboard.screen().thresholds
        assert sliders.rule.options == ("latency_p95_anomaly", *(rule.alertname for rule in CLIENT_RULES))
        flood, refused = sliders.of["client_flood"], sliders.of["client_refused"]
        assert (flood.min, flood.value, flood.max) == (1.25, 5.0, 20.0)
        assert (refused.description, refused.max) == ("Alert threshold (refusals/s)", 2.0)
        assert sliders.of["distributed_flood"].min == 1.0
        assert source.commands == []
        sliders.rule.value = "client_flood"
        assert [name for name, one in sliders.of.items() if one.layout.display is None] == ["client_flood"]
        assert source.commands == []
        flood.value = 8.0
        assert source.commands == []
        sliders.apply.click()
        assert source.commands == [{"type": "set_threshold", "alertname": "client_flood", "threshold": 8.0}]
        later = thresholds_of((msgspec.structs.replace(CLIENT_RULES[0], min_times_baseline=8.0), *CLIENT_RULES[1:]))
        source.deliver(heartbeat_step(at + 1, [clients_tick(at + NS_PER_SECOND, later)]))
        assert eventually(lambda: dashboard.store.thresholds["client_flood"] == 8.0)
        sliders.undo.click()
        assert flood.value == 5.0 and sliders.undo.layout.display == "none"
        assert source.commands[1:] == [{"type": "set_threshold", "alertname": "client_flood", "threshold": 5.0}]


def test_next_to_a_moved_slider_it_says_whether_it_is_applied() -> None:
    flood, at = CLIENT_RULES[0], T0 + NS_PER_SECOND
    source = HandSource([heartbeat_step(at, [clients_tick(at, thresholds_of((flood,)))])])
    with Dashboard(source) as dashboard:
        sliders = dashboard.screen().thresholds
        assert sliders.note.layout.display == "none"
        sliders.of["client_flood"].value = 8.0
        assert eventually(lambda: sliders.note.value == "not applied; current value: 5")
        sliders.apply.click()
        assert eventually(lambda: sliders.note.value == "pending; current value: 5")
        later = thresholds_of((msgspec.structs.replace(flood, min_times_baseline=8.0),))
        source.deliver(heartbeat_step(at + 1, [clients_tick(at + NS_PER_SECOND, later)]))
        assert eventually(lambda: sliders.note.value == "applied (was 5)")


def test_a_new_run_begins_with_the_thresholds_that_the_sliders_show(source: HandSource) -> None:
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        screen.start.click()
        assert source.commands == []
        screen.thresholds.of["latency_p95_anomaly"].value = 8.0
        screen.thresholds.apply.click()
        source.commands.clear()
        screen.stop.click()
        screen.start.click()
        assert source.commands == [{"type": "set_threshold", "alertname": "latency_p95_anomaly", "threshold": 8.0}]


def test_what_cannot_start_again_offers_no_start(source: HandSource) -> None:
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        source.ended = True
        screen.stop.click()
        assert eventually(lambda: screen.status.state == "ended")
        assert screen.start.disabled


def test_a_start_that_fails_says_why_in_the_page(source: HandSource, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ConfigError.at("targets[0]", "a function that makes the collector", "one that is closed")

    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        screen.stop.click()
        monkeypatch.setattr(source, "start", refuse)
        screen.start.click()
        said = "not started: targets[0]: expected a function that makes the collector, got 'one that is closed'"
        assert eventually(lambda: screen.status.warnings == [said])


def test_a_target_whose_rows_have_no_duration_says_so() -> None:
    steps = [
        heartbeat_step(T0 + i * NS_PER_SECOND, [requests_tick(T0 + i * NS_PER_SECOND, ["/a", "/b"], [0.1, np.nan])])
        for i in range(5)
    ]
    with Dashboard(HandSource(steps)) as dashboard:
        charts = [root for root in dashboard.screen().board.roots if str(root.name).startswith("latency")]
        assert [chart.title.text for chart in charts] == ["/a", "/b: no latency known"]


def test_of_an_attack_by_a_client_the_target_is_named_too() -> None:
    store = ViewStore()
    attack = alert("firing", "/login", summary="/login: 875 requests in 60 s by 203.0.113.9")
    store.alerts.take(replace(attack, labels={**attack.labels, "client": "203.0.113.9"}))
    (row,) = alert_rows(store)
    assert (row["target"], row["summary"]) == ("203.0.113.9", "/login: 875 requests in 60 s by 203.0.113.9")


def test_a_rule_on_rows_does_not_hold_a_status_against_a_count() -> None:
    store = ViewStore()
    store.alerts.take(replace(alert("firing", "/a"), value=502.0, threshold=3.0))
    assert alert_rows(store)[0]["facts"] == ["Rule: consecutive failures"]


def test_where_there_are_no_clients_there_is_nothing_to_choose(source: HandSource) -> None:
    with Dashboard(source) as dashboard:
        assert dashboard.screen().thresholds.rule.layout.display == "none"


def clients_tick(end_ns: int, thresholds: tuple[RuleThreshold, ...]) -> Tick:
    return Tick(FeatureTable("clients", end_ns, (), ("count",), np.zeros((1, 0))), thresholds=thresholds)


def thresholds_of(rules: tuple[ClientRuleParams, ...]) -> tuple[RuleThreshold, ...]:
    return tuple(client_threshold(rule) for rule in rules)


def test_a_closed_dashboard_that_somebody_keeps_holds_no_megabytes() -> None:
    source = HandSource(steps_of(60))  # type: ignore[arg-type]

    def open_and_close() -> Dashboard:
        dashboard = Dashboard(source)
        dashboard.screen()
        dashboard.close()
        return dashboard

    kept = [open_and_close()]  # what is made once, such as classes and templates, is there now
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept += [open_and_close() for _ in range(3)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 3 < 300_000
    assert all(one.source is None for one in kept)


def test_a_replay_is_never_called_live(source: HandSource) -> None:
    source.replays = True
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        assert screen.status.state == "replaying"
        source.running, source.ended = False, True
        screen.draw(running=False)
        assert screen.status.state == "ended"
        assert screen.status.newest == "28 May 2026 20:26:44 UTC"


def test_rejected_lines_are_shown_while_it_runs(source: HandSource) -> None:
    line = {"source": "access.log", "reason": "shape", "detail": "no request", "line": "<img src=x> 12"}
    source.unused = pd.DataFrame([line] * 7)
    columns = {"time": [T0], "target": ["access.log"], "metric": ["rejected_shape_total"], "value": [7.0]}
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        assert screen.status.warnings == [] and screen.itself.rejected == []
        source.deliver(Step(Item(0, "samples", SELF_SOURCE, make_batch("samples", SELF_SOURCE, columns))))
        assert eventually(lambda: len(screen.itself.rejected) == 5)
        assert screen.itself.rejected[-1] == line
        (said,) = screen.status.warnings
        assert said.startswith("7 lines rejected") and "access.log" in said and line["line"] in said


def test_a_selected_alert_shows_its_time_and_target_in_the_charts() -> None:
    steps = [*steps_of(600, MANY), heartbeat_step(T0, changes=[alert("firing", MANY[39], T0 + 100 * NS_PER_SECOND)])]
    with Dashboard(HandSource(steps)) as dashboard:  # type: ignore[arg-type]
        screen = dashboard.screen()
        resolved = alert("resolved", MANY[39], T0 + 130 * NS_PER_SECOND)
        dashboard.source.deliver(heartbeat_step(T0, changes=[resolved]))  # type: ignore[union-attr]
        assert eventually(lambda: screen.alerts.alerts[0]["state"] == "resolved")
        screen.alerts._handle_custom_msg({"kind": "select", "id": screen.alerts.alerts[0]["id"]}, [])
        assert eventually(lambda: screen.board.window.moment_ns == T0)
        assert eventually(lambda: axis(screen.board) == (0, 60))
        assert "/api/orders19" in shown_titles(screen.board)
        shown = "charts show 28 May 2026, 20:26:40 to 20:27:40 UTC"
        assert eventually(lambda: screen.time.value == shown)
        screen.span.value = 60
        screen.later.click()
        screen.later.click()
        assert eventually(lambda: axis(screen.board) == (30, 90))
        screen.earlier.click()
        assert eventually(lambda: axis(screen.board) == (0, 60))
        screen.latest.click()
        assert eventually(lambda: axis(screen.board) == (539, 599))


def axis(board: Board) -> tuple[float, float]:
    """Seconds since the first row."""
    start, end = (round((at - T0 / 1e6) / 1000, 1) for at in (board.x_range.start, board.x_range.end))
    return start, end


def test_a_stop_leaves_a_gap_and_a_start_no_slope() -> None:
    source = HandSource()
    for second in (0, 1, 2, 3, 9, 10, 11, 12):
        at = T0 + second * NS_PER_SECOND
        count = 0.0 if second in (0, 9) else 2.0  # the first window of each run began before its first request
        ticks = [requests_tick(at, ["a"], [0.1], count), host_tick(at, ["host"], 0.5, 0.25)]
        source.deliver(heartbeat_step(at, ticks))
    with Dashboard(source) as dashboard:
        board = dashboard.screen().board
        nan = float("nan")
        expected = [nan, 2.0, 2.0, 2.0, nan, nan, nan, 2.0, 2.0, 2.0]
        assert column(board, "target-0", "rate") == pytest.approx(expected, nan_ok=True)
        assert column(board, "target-0", "band_upper")[4:6] == [0.0, 0.0]
        assert column(board, "cpu_ratio-0", "fill") == pytest.approx([*[50.0] * 4, 0.0, 0.0, *[50.0] * 4])
        assert np.isnan(column(board, "cpu_ratio-0", "value")[4:6]).all()


@pytest.mark.parametrize("interval", [1, 5, 15])
def test_the_line_of_a_host_follows_the_interval_of_its_samples(interval: int) -> None:
    source = HandSource()
    for second in range(61):
        hosts = ["host"] if second % interval == 0 else []
        at = T0 + second * NS_PER_SECOND
        source.deliver(heartbeat_step(at, [host_tick(at, hosts, 0.5, 0.25)]))
    with Dashboard(source) as dashboard:
        drawn = column(dashboard.screen().board, "cpu_ratio-0", "value")
        assert drawn == [50.0] * (60 // interval + 1)


def test_times_of_another_day_have_their_date() -> None:
    store = ViewStore()
    yesterday = T0 - 86_400 * NS_PER_SECOND
    store.write(
        heartbeat_step(T0, changes=[replace(alert("firing", "a"), starts_at_ns=yesterday), alert("firing", "b")])
    )
    store.advance()
    assert {row["target"]: row["since"] for row in alert_rows(store)} == {"a": "27 May 20:26:40", "b": "20:26:40"}


@pytest.mark.parametrize(
    ("alertname", "feature", "figures", "facts"),
    [
        (
            "latency",
            "duration_p95_seconds",
            (0.258, 0.033, 0.062),
            "p95 latency 258 ms, expected 33 ms, at most 62 ms",
        ),
        ("errors", "error_ratio", (0.38, 0.01, 0.09), "error ratio 38 %, expected 1 %, at most 9 %"),
        ("drop", "rate_hz", (3.0, 40.0, 60.0), "request rate 3 /s, expected 40 /s, at most 60 /s"),
    ],
)
def test_every_figure_of_the_evidence_has_a_unit(
    alertname: str, feature: str, figures: tuple[float, float, float], facts: str
) -> None:
    store = ViewStore()
    store.features[alertname] = feature
    value, expected, upper = figures
    labels = {"alertname": alertname, "target": "a", "detector": "robust_z"}
    change = replace(alert("firing", "a"), labels=labels, value=value, expected=expected, upper=upper, score=8.25)
    store.alerts.take(change)
    assert alert_rows(store)[0]["facts"] == ["Detector: robust_z", facts, "anomaly score 8.25"]


def test_the_number_of_targets_of_a_grouped_alert_is_not_shown_as_a_latency() -> None:
    store = ViewStore()
    store.features["latency_p95_anomaly"] = "duration_p95_seconds"
    labels = {"alertname": "latency_p95_anomaly", "target": "*", "detector": "grouping"}
    store.alerts.take(replace(alert("firing", "*"), labels=labels, value=4.0, threshold=3.0))
    assert alert_rows(store)[0]["facts"] == ["Rule: several targets at once"]
