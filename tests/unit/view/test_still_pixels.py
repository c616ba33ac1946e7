"""Truth in pixels: a static chart draws, in each pixel column, the smallest and the largest value of the raw rows."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from aiops_nb.view.still.charts import LEFT, RIGHT, WIDTH, Frame, Trace, still_chart
from tests.unit.view.test_thinning import SERIES, random_series

VERTEX = re.compile(r"([ML])(-?[\d.]+) (-?[\d.]+)")


def drawn_of(svg: str) -> list[list[tuple[float, float]]]:
    """The pieces of the one line of a chart, each its vertices in pixels."""
    paths = [path for path in re.findall(r' d="([^"]*)"', svg) if "Z" not in path]
    pieces: list[list[tuple[float, float]]] = []
    for letter, x, y in VERTEX.findall(max(paths, key=len)):
        if letter == "M":
            pieces.append([])
        pieces[-1].append((float(x), float(y)))
    return pieces


def chart_of(data: dict[str, np.ndarray]) -> tuple[Frame, str]:
    top = float(np.nanmax(data["y"])) * 1.1
    frame = Frame(start_ms=0.0, end_ms=1e6, top=top)
    trace = Trace(name="a", colour="#2f8fd8", time_ms=data["time"], value=data["y"])
    return frame, still_chart("a", "ms", frame, [trace])


def by_column(x: np.ndarray, y: np.ndarray) -> dict[int, tuple[float, float]]:
    columns = np.clip(x - LEFT, 0, WIDTH - LEFT - RIGHT - 1).astype(int)
    return {int(one): (float(y[columns == one].min()), float(y[columns == one].max())) for one in np.unique(columns)}


@pytest.mark.parametrize("block", range(4))
def test_each_pixel_column_of_200_series_has_the_extremes_of_the_raw_rows(block: int) -> None:
    for seed in range(block * SERIES // 4, (block + 1) * SERIES // 4):
        data = random_series(seed)
        frame, svg = chart_of(data)
        vertices = np.array([vertex for piece in drawn_of(svg) for vertex in piece])
        known = np.isfinite(data["y"])
        raw = by_column(frame.x(data["time"][known]), frame.y(data["y"][known]))
        # a vertex is written to a tenth of a pixel: at the edge of a column it may be read in the next
        for column, (low, high) in raw.items():
            left, right = LEFT + column - 0.06, LEFT + column + 1.06
            near = vertices[(vertices[:, 0] >= left) & (vertices[:, 0] <= right), 1]
            assert np.abs(near - low).min() <= 0.06 and np.abs(near - high).min() <= 0.06


@pytest.mark.parametrize("seed", range(0, SERIES, 10))
def test_where_nothing_is_known_for_several_pixels_nothing_is_drawn(seed: int) -> None:
    data = random_series(seed)
    frame, svg = chart_of(data)
    pieces = drawn_of(svg)
    x, known = frame.x(data["time"]), np.isfinite(data["y"])
    ends = np.flatnonzero(np.diff(np.concatenate([[1], known.astype(int), [1]])))
    for first, last in ends.reshape(-1, 2):
        left, right = x[max(first - 1, 0)], x[min(last, len(x) - 1)]
        if right - left > 3:
            steps = [step for piece in pieces for step in itertools.pairwise(piece)]
            assert not [1 for (a, _), (b, _) in steps if a < left + 0.9 and b > right - 0.9]
