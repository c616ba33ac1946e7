"""A sender that names something new in every line: series are bounded by `max_series`, and no row is lost."""

from __future__ import annotations

import sys
import time
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import OTHER, Item, Step
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.features.series import SeriesIndex

LIMIT = 20
NAMES = 900
START_NS = 1_780_000_000 * 10**9


def flooded(table: str, columns: dict[str, list[str] | str], limit: int = LIMIT, rows: int = NAMES) -> list[Step]:
    """Three windows of so many rows, each with another name, in batches of 50."""
    pipeline = Pipeline(PipelineParams(window=WindowParams(max_series=limit, horizons_seconds=())))
    steps = []
    for first in range(0, rows, 50):
        batch = {
            name: value if isinstance(value, str) else value[first : first + 50] for name, value in columns.items()
        }
        batch["time"] = [START_NS + (first + at) * 3 * 10**9 // rows for at in range(50)]
        steps.append(pipeline.push(Item(first, table, "web", make_batch(table, "web", batch))))
    stop = control_batch("aiops_nb", "command", START_NS, '{"type": "stop"}')
    return [*steps, pipeline.push(Item(rows, "control", "aiops_nb", stop))]


def new(what: str, rows: int = NAMES) -> list[str]:
    return [f"{what}-{number}" for number in range(rows)]


FLOODS = {
    "targets": ("requests", {"target": new("target"), "origin": "traffic"}),
    "hosts": ("samples", {"target": new("host"), "metric": "cpu_ratio", "value": [0.5] * NAMES}),
    "metrics": ("samples", {"target": "host", "metric": new("metric"), "value": [0.5] * NAMES}),
    "both": ("samples", {"target": new("host"), "metric": new("metric"), "value": [0.5] * NAMES}),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_new_names_beyond_the_limit_share_other(flood: str) -> None:
    table, columns = FLOODS[flood]
    steps = flooded(table, columns)
    ticks = [tick.features for step in steps for tick in step.ticks if tick.features.table == table]
    last = ticks[-1]
    named = [key for key in last.series if key.target != OTHER]
    assert len(named) == LIMIT
    assert [key.target for key in last.series[: len(named)]] == [key.target for key in named]
    assert any(key.target == OTHER for key in last.series)
    if flood in ("targets", "hosts"):
        assert len(last.series) == LIMIT + 1
    if table == "requests":  # every row is counted, whoever it was from
        total = sum(float(one.column("count").sum()) for one in ticks)
        assert total == NAMES


def test_memory_and_pace_do_not_grow_with_the_names() -> None:
    rows = 6_000
    columns = {"target": new("host", rows), "metric": new("metric", rows), "value": [0.5] * rows}
    begun = time.perf_counter()
    pipeline_steps = flooded("samples", columns, limit=LIMIT, rows=rows)
    first_seconds = time.perf_counter() - begun
    last = [tick.features for step in pipeline_steps for tick in step.ticks if tick.features.table == "samples"][-1]
    # Metrics keep their names, of which there are 1,024 at most: one shared series each.
    assert len(last.series) <= LIMIT + 1_025
    assert sys.getsizeof(last.values) + last.values.nbytes < 1_000_000
    assert first_seconds < 60.0


def test_the_index_of_series_stays_small_and_codes_stay_the_same() -> None:
    """Names of two kinds: a table of all their pairs would take 20,000 x 1,024 cells."""
    rows, part = 20_000, 500
    hosts, metrics = new("host", rows), [f"metric-{at % 1_500}" for at in range(rows)]
    large, small = SeriesIndex(1 << 18), SeriesIndex(1 << 18)
    tracemalloc.start()
    codes = []
    for first in range(0, rows, part):
        columns = (pa.array(one[first : first + part]).dictionary_encode() for one in (hosts, metrics))
        codes.append(large.encode(*columns))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60_000_000
    whole = small.encode(pa.array(hosts).dictionary_encode(), pa.array(metrics).dictionary_encode())
    assert np.array_equal(np.concatenate(codes), whole)
    assert large.pairs == small.pairs
    again = large.encode(pa.array(hosts[:3]).dictionary_encode(), pa.array(metrics[:3]).dictionary_encode())
    assert again.tolist() == whole[:3].tolist()
