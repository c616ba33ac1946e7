"""The strip of alerts over time, and the trends of the tiles."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.view.data.alert_strip import STEPS, alert_strip
from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.data.trends import MOST_WINDOWS, Trends
from aiops_nb.view.widgets.alert_rows import alert_rows
from aiops_nb.view.widgets.tiles import tiles_of
from tests.unit.view.rows import T0, alert, heartbeat_step, requests_tick


def store_after(seconds: int, *changes: object) -> ViewStore:
    store = ViewStore()
    store.write(heartbeat_step(T0, [requests_tick(T0, ["http://h/a"], [0.1])]))
    store.write(heartbeat_step(T0, changes=list(changes)))  # type: ignore[arg-type]
    at = T0 + seconds * NS_PER_SECOND
    store.write(heartbeat_step(at, [requests_tick(at, ["http://h/a"], [0.1])]))
    store.advance()
    store.newest_ns = at  # a heartbeat alone moves it by a minute at most
    return store


def test_an_alert_that_fires_reaches_the_end_of_the_strip_and_one_that_is_over_does_not() -> None:
    over = alert("resolved", "http://h/b", T0 + 60 * NS_PER_SECOND)
    firing = alert("firing", "http://h/a", severity="critical")
    strip = alert_strip(store_after(120, firing, alert("firing", "http://h/b"), over))
    bars = {bar["severity"]: bar for bar in strip["bars"]}
    assert (bars["critical"]["left"], bars["critical"]["width"], bars["critical"]["state"]) == (0, STEPS, "firing")
    assert (bars["error"]["left"], bars["error"]["width"], bars["error"]["state"]) == (0, STEPS // 2, "resolved")
    assert strip["ends"].endswith("UTC") and bars["critical"]["label"].startswith("http_5xx, ")


def test_a_pending_alert_has_no_bar_and_a_short_one_can_still_be_seen() -> None:
    assert alert_strip(store_after(5))["bars"] == []
    short = alert("resolved", "http://h/a", T0)
    (bar,) = alert_strip(store_after(86_400, alert("firing", "http://h/a"), short))["bars"]
    assert bar["width"] == 1


@pytest.mark.parametrize(("seconds", "age"), [(10, "new"), (119, "for 1 min"), (3600 * 5, "for 5 h")])
def test_an_active_alert_says_how_long_it_is_so(seconds: int, age: str) -> None:
    store = ViewStore()
    store.write(heartbeat_step(T0, changes=[alert("firing", "http://h/a")]))
    store.newest_ns = T0 + seconds * NS_PER_SECOND
    store.advance()
    store.newest_ns = T0 + seconds * NS_PER_SECOND
    (row,) = alert_rows(store)
    assert row["age"] == age


def test_tiles_have_the_last_windows_of_their_figure() -> None:
    tiles = {tile["label"]: tile["trend"] for tile in tiles_of(store_after(5))}
    assert tiles["requests"] == [2.0, 0.4] and tiles["slowest p95"] == [0.1, 0.1] and tiles["targets"] == []


def test_trends_are_bounded_and_know_what_is_not_known() -> None:
    trends, nothing = Trends(), np.full(3, np.nan)
    for _ in range(MOST_WINDOWS + 5):
        trends.take(rate=nothing, error=nothing, p95=nothing)
    assert trends.of("p95") == [None] * MOST_WINDOWS
