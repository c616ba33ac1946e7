"""A long range in few rows: the picture is that of all rows, whatever the series."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.view.charts.board import Board, TimeWindow
from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.data.thinning import COLUMNS, MOST_ROWS, thinned
from tests.unit.view.rows import T0, heartbeat_step, requests_tick

SERIES = 200
HOURS = 24


def random_series(seed: int) -> dict[str, np.ndarray]:
    """Noise, steps, spikes, constants and gaps, at distances that are not equal."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2000, 20_000))
    time_ms = np.sort(rng.uniform(0, 1e6, count))
    kind = seed % 4
    value = np.full(count, 7.0) if kind == 0 else rng.lognormal(3, 0.1 + kind, count)
    value[rng.random(count) < 0.001] *= 100
    value[rng.random(count) < rng.choice([0.0, 0.01, 0.3])] = np.nan
    first = int(rng.integers(0, count))
    value[first : first + count // 10] = np.nan
    return {"time": time_ms, "y": value}


@pytest.mark.parametrize("block", range(4))
def test_every_pixel_column_has_the_smallest_and_largest_value_of_all_rows(block: int) -> None:
    for seed in range(block * SERIES // 4, (block + 1) * SERIES // 4):
        data = random_series(seed)
        kept = thinned(data, 0.0, 1e6, "y")
        assert len(kept["time"]) <= MOST_ROWS
        for extreme, nothing in ((np.fmax, -np.inf), (np.fmin, np.inf)):
            assert np.array_equal(*(_by_column(one, extreme, nothing) for one in (data, kept)))


def _by_column(data: dict[str, np.ndarray], extreme: np.ufunc, nothing: float) -> np.ndarray:
    found = np.full(COLUMNS, nothing)
    column = np.minimum(data["time"] / 1e6 * COLUMNS, COLUMNS - 1).astype(int)
    extreme.at(found, column, data["y"])
    return found


@pytest.mark.parametrize("seed", range(20))
def test_a_gap_that_spans_pixel_columns_stays_a_gap(seed: int) -> None:
    data = random_series(seed)
    kept = thinned(data, 0.0, 1e6, "y")
    known = np.flatnonzero(np.isfinite(data["y"]))
    times, row = data["time"], np.searchsorted(data["time"], kept["time"])
    for before, after in itertools.pairwise(row[np.isfinite(kept["y"])].tolist()):
        is_gap = np.isnan(data["y"][before:after]).any() and times[after] - times[before] > 2e6 / COLUMNS
        if is_gap and np.searchsorted(known, after) - np.searchsorted(known, before) == 1:
            assert np.isnan(kept["y"][(row > before) & (row < after)]).any()


def test_few_rows_stay_as_they_are() -> None:
    data = {"time": np.arange(10.0), "y": np.ones(10)}
    assert thinned(data, 0, 10, "y") is data


def test_a_day_is_shown_in_few_points_and_soon() -> None:
    store, targets = ViewStore(), [f"http://h/{i}" for i in range(8)]
    rng = np.random.default_rng(7)
    tick = requests_tick(T0, targets, [0.1] * 8)
    store.write(heartbeat_step(T0, [tick]))
    store.advance()
    keys = store.series.of(tick.features.series)
    names = ("p95", "rate", "error", "expected", "lower", "upper")
    for second in range(1, HOURS * 3600):  # as the store does with each window, without the rest of a step
        values = rng.uniform(0.05, 0.2, (len(names), 8))
        store.requests.append(T0 + second * NS_PER_SECOND, dict(zip(names, values, strict=True)), keys)
    store.newest_ns = T0 + (HOURS * 3600 - 1) * NS_PER_SECOND
    store._window_ns = NS_PER_SECOND
    kept = store.requests.length
    assert kept >= 60_000
    board = Board(store)
    board.draw()
    board.window = TimeWindow(span_seconds=HOURS * 3600)
    began = time.perf_counter()
    board.draw()
    print(f"{kept} windows x 8 series: {1000 * (time.perf_counter() - began):.0f} ms")
    sent = sum(len(slot.lines.data["time"]) + len(slot.points.data["time"]) for slot in board._slots)
    assert sent <= 12_000
    drawn = board._slots[0].lines.data
    raw = store.requests.since(0, 0, ("p95",))["p95"]
    assert np.nanmax(drawn["p95"]) == pytest.approx(1000 * np.nanmax(raw))
    store.requests.append(store.newest_ns + NS_PER_SECOND, {"p95": np.full(8, 5.0)}, keys)
    store.newest_ns += 600 * NS_PER_SECOND
    board.draw()  # live: after a pixel column it is drawn again
    assert np.nanmax(board._slots[0].lines.data["p95"]) == 5000.0
