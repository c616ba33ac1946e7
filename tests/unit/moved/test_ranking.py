"""Which series moved: calm data claim nothing, planted faults are found among the first, with the time they began."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.moved.ranking import rank_moved

NS = 1_000_000_000
WINDOWS, START = 600, 400
TIMES = np.arange(1, WINDOWS + 1) * NS


def calm_series(rng: np.random.Generator, count: int) -> np.ndarray:
    """Even, heavy-tailed, sparse and periodic series, and constant ones."""
    at = np.arange(WINDOWS)
    makers = [
        lambda: 10 + rng.normal(0, 1, WINDOWS),
        lambda: np.exp(rng.normal(0, 1, WINDOWS)),
        lambda: (rng.random(WINDOWS) < 0.02) * rng.random(WINDOWS),
        lambda: 50 + 20 * np.sin(at / 60) + rng.normal(0, 3, WINDOWS),
        lambda: np.full(WINDOWS, rng.integers(0, 3)),
    ]
    return np.stack([makers[number % len(makers)]() for number in range(count)]).astype(np.float64)


def with_fault(rng: np.random.Generator, values: np.ndarray, kind: str) -> tuple[np.ndarray, int, int]:
    """One series with a fault that begins within the range; its number, and where."""
    which, at = int(rng.integers(len(values))), int(START + rng.integers(5, 100))
    size = 5 * max(float(np.quantile(np.abs(values[which] - np.median(values[which])), 0.99)), 0.5)
    faulty = values.copy()
    if kind == "step":
        faulty[which, at:] += size
    elif kind == "drop":
        faulty[which, at:] -= size
    elif kind == "burst":
        faulty[which, at : at + 40] += size
    else:
        faulty[which, at:] += np.linspace(0, 3 * size, WINDOWS - at)
    return faulty, which, at


@pytest.mark.parametrize("count", [3, 30, 200])
def test_where_nothing_happened_almost_nothing_is_claimed(count: int) -> None:
    claims = [
        rank_moved(calm_series(np.random.default_rng(seed), count), TIMES, START * NS).is_clear.any()
        for seed in range(20)
    ]
    assert sum(claims) <= 2


@pytest.mark.parametrize("kind", ["step", "drop", "burst", "drift"])
def test_a_fault_is_among_the_first_three_with_the_time_it_began(kind: str) -> None:
    places, errors = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        values, which, at = with_fault(rng, calm_series(rng, 50), kind)
        moved = rank_moved(values, TIMES, START * NS)
        places.append(moved.order.tolist().index(which))
        assert moved.calm_ns[which] < moved.onset_ns[which]
        errors.append(abs(int(moved.onset_ns[which]) // NS - at - 1))
        assert moved.change[which] == (-1 if kind == "drop" else 1)
    assert sum(place < 3 for place in places) >= 23
    assert np.median(errors) <= (40 if kind == "drift" else 1)


def test_a_single_window_moves_nothing() -> None:
    values = calm_series(np.random.default_rng(1), 4)
    values[0, START + 50] = 1e6
    assert not rank_moved(values, TIMES, START * NS).is_clear.any()


def test_what_ends_and_what_begins_is_named() -> None:
    values = calm_series(np.random.default_rng(2), 5)
    values[0, START + 20 :] = np.nan
    values[1, : START + 30] = np.nan
    moved = rank_moved(values, TIMES, START * NS)
    assert moved.change[:2].tolist() == [-2, 2] and moved.is_clear[:2].all()
    assert (moved.onset_ns[:2] // NS - START).tolist() == [21, 31]


def test_gaps_and_series_without_a_baseline_are_not_known_and_never_clear() -> None:
    rng = np.random.default_rng(3)
    values = calm_series(rng, 5)
    values[rng.random(values.shape) < 0.4] = np.nan
    values[2, 5:] = np.nan
    values[3] = np.nan
    moved = rank_moved(values, TIMES, START * NS)
    assert np.isnan(moved.distance[[2, 3]]).all() and not moved.is_clear.any()


@pytest.mark.parametrize("shape", [(0, WINDOWS), (3, 0)])
@pytest.mark.parametrize("start", [-1, 0, 10_000])
def test_without_series_or_windows_nothing_is_known(shape: tuple[int, int], start: int) -> None:
    moved = rank_moved(np.ones(shape), TIMES[: shape[1]], start * NS)
    assert len(moved.order) == shape[0] and not moved.is_clear.any()


def test_the_order_of_the_series_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    values, _, _ = with_fault(rng, calm_series(rng, 20), "step")
    turned = rank_moved(values[::-1], TIMES, START * NS)
    assert np.array_equal(turned.distance[::-1], rank_moved(values, TIMES, START * NS).distance, equal_nan=True)
