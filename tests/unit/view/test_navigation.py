"""Panning and zooming the time axis: nothing beyond the rows, live at their end, and no trust in the page's numbers."""

from __future__ import annotations

import math

import pytest

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.view.charts.navigation import LEAST_SECONDS, MOST_SECONDS, Extent, TimeWindow, panned, zoomed
from aiops_nb.view.dashboard import Dashboard
from tests.unit.view.rows import T0, HandSource, alert, heartbeat_step
from tests.unit.view.test_dashboard import eventually, steps_of

EXTENT = Extent(oldest_ns=0, newest_ns=10_000 * NS_PER_SECOND, end_ns=5_000 * NS_PER_SECOND)
PAST = TimeWindow(span_seconds=100, moment_ns=4_950 * NS_PER_SECOND)


def end_of(window: TimeWindow) -> float:
    assert window.moment_ns is not None
    return window.moment_ns / NS_PER_SECOND + window.span_seconds / 2


@pytest.mark.parametrize(("share", "end"), [(0.5, 5_050), (-1.0, 4_900), (-1000.0, 4_600), (math.nan, 5_000)])
def test_panning_moves_the_end_by_a_share_of_the_span(share: float, end: float) -> None:
    assert end_of(panned(PAST, EXTENT, share)) == end


def test_panning_stops_at_the_oldest_row_and_is_live_at_the_newest() -> None:
    start = Extent(oldest_ns=0, newest_ns=10**13, end_ns=110 * NS_PER_SECOND)
    assert end_of(panned(PAST, start, -4.0)) == 100
    late = Extent(oldest_ns=0, newest_ns=10**13, end_ns=10**13 - 1)
    assert panned(PAST, late, 1.0).moment_ns is None


@pytest.mark.parametrize("at", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_zooming_leaves_the_time_under_the_pointer_where_it_is(at: float, factor: float) -> None:
    near = zoomed(PAST, EXTENT, at, factor)
    fixed = end_of(PAST) - (1 - at) * PAST.span_seconds
    assert end_of(near) - (1 - at) * near.span_seconds == pytest.approx(fixed, abs=1)


@pytest.mark.parametrize("factor", [0.0, -1.0, 1e-9, 1e9, math.nan, math.inf])
def test_a_span_stays_between_five_seconds_and_a_day(factor: float) -> None:
    window = PAST
    for _ in range(20):
        window = zoomed(window, EXTENT, 0.5, factor)
    assert LEAST_SECONDS <= window.span_seconds <= MOST_SECONDS


def test_what_follows_the_newest_rows_keeps_following_while_it_is_zoomed() -> None:
    assert zoomed(TimeWindow(span_seconds=100), EXTENT, 0.2, 0.5) == TimeWindow(span_seconds=50)


def test_the_page_pans_and_a_double_click_returns() -> None:
    source = HandSource(steps_of(200))  # type: ignore[arg-type]
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        figure, board = screen.figure, screen.board
        figure._on_browser(figure, {"kind": "pan", "share": -0.5}, None)
        assert eventually(lambda: board.x_range.end == pytest.approx((T0 + 139 * NS_PER_SECOND) / 1e6))
        figure._on_browser(figure, {"kind": "pan", "share": "x", "at": None}, None)
        figure._on_browser(figure, {"kind": "zoom", "at": 0.5, "factor": 0.5}, None)
        assert eventually(lambda: board.x_range.end - board.x_range.start == pytest.approx(60_000))
        figure._on_browser(figure, {"kind": "latest"}, None)
        assert eventually(lambda: board.x_range.end == pytest.approx((T0 + 199 * NS_PER_SECOND) / 1e6))


def test_the_red_line_marks_the_selected_alert_and_no_other_moment() -> None:
    step = heartbeat_step(T0 + 1, [], [alert("firing", "http://h/a", T0 + 100 * NS_PER_SECOND)])
    source = HandSource([*steps_of(200), step])  # type: ignore[list-item]
    with Dashboard(source) as dashboard:
        screen = dashboard.screen()
        mark = screen.board._marks.alert
        screen._navigate({"kind": "pan", "share": -0.5})
        dashboard._draw()
        assert screen.board.window.moment_ns is not None and not mark.visible
        screen._select(screen.alerts.alerts[0]["id"])
        dashboard._draw()
        assert mark.visible and mark.location == T0 / 1e6
        screen._select(None)
        dashboard._draw()
        assert not mark.visible
