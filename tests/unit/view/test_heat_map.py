"""All targets over time: the worst first, and a click that leads to a chart."""

from __future__ import annotations

import threading
import time

import numpy as np

from aiops_nb.core.types import NS_PER_SECOND, Step
from aiops_nb.view.dashboard import Dashboard
from aiops_nb.view.data.heat_map import ANOMALOUS, CALM, MOST_COLUMNS, UNKNOWN, heat_map
from aiops_nb.view.data.store import ViewStore
from tests.unit.view.rows import T0, HandSource, alert, heartbeat_step, request_step, requests_tick

MANY = tuple(f"http://h/api/{number}" for number in range(1000))
SICK = 777


def steps_of(count: int, targets: tuple[str, ...] = MANY) -> list[Step]:
    p95 = np.full(len(targets), 0.1)
    p95[SICK % len(targets)] = 3.0
    found = []
    for second in range(count):
        at = T0 + second * NS_PER_SECOND
        found.append(heartbeat_step(at, [requests_tick(at, targets, p95.tolist())]))
    return found


def test_the_worst_of_a_thousand_is_first_and_what_is_not_known_stays_empty() -> None:
    store = ViewStore()
    for step in steps_of(30):
        store.write(step)
    store.advance()
    store.series.of([*store.series.keys])
    began = time.perf_counter()
    found = heat_map(store, list(range(1000)), T0 - 30 * NS_PER_SECOND, T0 + 30 * NS_PER_SECOND)
    print(f"1,000 targets: {1000 * (time.perf_counter() - began):.1f} ms")
    assert found.series[:3] == [SICK, 0, 1] and found.levels.shape == (1000, 30)
    assert (found.levels[0] == ANOMALOUS).all() and (found.levels[1:] == CALM).all()
    few = heat_map(store, [5, SICK], T0, T0 + 10 * NS_PER_SECOND)
    assert few.series == [SICK, 5] and few.levels.shape[1] <= MOST_COLUMNS
    assert heat_map(store, [], T0, T0 + NS_PER_SECOND).levels.size == 0 and UNKNOWN == 0


def test_a_click_on_a_cell_shows_the_chart_of_its_target_at_its_time() -> None:
    source = HandSource(steps_of(300, MANY[:40]))
    source.deliver(request_step([T0 + 299 * NS_PER_SECOND], MANY[:1], [0.1]))
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        heat, board = screen.heat, screen.board
        assert heat.title == "All 40 targets over time, the worst first" and heat.names[0] == f"/api/{SICK % 40}"
        assert len(heat.levels) == 40 * len(heat.times)
        heat._receive(heat, {"kind": "open", "row": 39, "column": 3}, None)
        assert board.focus == 39 and board.window.moment_ns is not None
        board.draw()
        assert "/api/39" in board.names
        window = board.window
        for wrong in ({"row": 40, "column": 0}, {"row": -1, "column": 0}, {"row": "0", "column": 0}, {}):
            heat._receive(heat, {"kind": "open", **wrong}, None)
        assert board.window is window
        screen.filter.value = "api/3"
        reached = threading.Event()
        for _ in range(100):
            if len(heat.names) == 11:
                break
            reached.wait(0.1)
        assert heat.title.startswith("11 of 40 targets")


def test_a_target_with_an_alert_is_first_whatever_its_windows_say() -> None:
    source = HandSource([*steps_of(5, MANY[:40]), heartbeat_step(T0, changes=[alert("firing", MANY[7])])])
    with Dashboard(source) as dashboard:
        assert dashboard.screen().heat.names[:2] == ["\N{BLACK UP-POINTING TRIANGLE} /api/7", f"/api/{SICK % 40}"]


def test_few_targets_have_no_heat_map() -> None:
    with Dashboard(HandSource(steps_of(5, MANY[:8]))) as dashboard:
        assert dashboard.screen().heat.names == []
