"""Tables as they are on disk: whatever is packed comes back to the bit."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, FloatArray, SeriesKey, Tick
from aiops_nb.features.horizons import Horizons, horizon_names
from aiops_nb.features.params import WindowParams
from aiops_nb.features.requests.features import REQUEST_FEATURES, TRENDED
from aiops_nb.frames.derived import features_table
from aiops_nb.frames.moving import BASES, HIDDEN, MovingState, completed, warm_up_columns, warm_up_ticks
from aiops_nb.frames.packing import packed, unpacked

START = 1_780_000_000
WINDOW = WindowParams(span_ticks=7, horizons_seconds=(5.0, 20.0))
MOVING = horizon_names(WINDOW.horizons_seconds, TRENDED)


def assert_same(found: pa.Table, expected: pa.Table) -> None:
    assert found.column_names == expected.column_names
    for name in expected.column_names:
        one, other = found.column(name), expected.column(name)
        if pa.types.is_floating(other.type):
            assert one.to_numpy().tobytes() == other.to_numpy().tobytes(), name
        else:
            assert one.to_pylist() == other.to_pylist(), name


def on_disk(table: pa.Table, columns: list[str] | None = None) -> pa.Table:
    out = io.BytesIO()
    pq.write_table(table, out)
    return pq.read_table(pa.BufferReader(out.getvalue()), columns=columns)


def means(rng: np.random.Generator, windows: int, series: int, span: int, *, rows: int) -> dict[str, FloatArray]:
    """Counts and means as the engine makes them of whole microseconds; some requests fail."""
    number = rng.integers(0, rows + 1, (windows, series))
    failed = rng.binomial(number, 0.1)
    micros = rng.integers(1, 200_000, (windows, series)) * (number - failed)

    def over(values: np.ndarray[Any, Any], ticks: int) -> np.ndarray[Any, Any]:
        total = np.cumsum(values, axis=0)
        total[ticks:] -= total[:-ticks].copy() if len(total) > ticks else total[:0]
        return total

    with np.errstate(all="ignore"):
        made = {
            "count": number.astype(float),
            "span_count": over(number, span).astype(float),
            "failed_ratio": over(failed, span) / over(number, span),
            "duration_mean_seconds": over(micros, span) / over(number - failed, span) * 1e-6,
        }
        for place, phase in enumerate(("resolve", "connect", "tls", "wait", "transfer")):
            part = micros // (place + 2)
            made[f"{phase}_mean_seconds"] = over(part, span) / over(number - failed, span) * 1e-6
            made[f"{phase}_recent_seconds"] = over(part, 5) / over(number - failed, 5) * 1e-6
    return made


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    windows=st.integers(1, 40),
    series=st.integers(1, 4),
    rows=st.sampled_from([1, 3, 500]),
    span=st.sampled_from([1, 7, 60]),
    drop=st.booleans(),
)
def test_a_table_comes_back_to_the_bit(seed: int, windows: int, series: int, rows: int, span: int, drop: bool) -> None:
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "time": pa.array(np.repeat((START + np.arange(windows)) * NS_PER_SECOND, series)).cast(
            pa.timestamp("ns", "UTC")
        ),
        "target": pa.array([f"t{at}" for at in range(series)] * windows).dictionary_encode(),
        "origin": pa.array(["probe"] * windows * series).dictionary_encode(),
    }
    columns |= {name: pa.array(values.ravel()) for name, values in means(rng, windows, series, span, rows=rows).items()}
    columns["odd"] = pa.array(rng.choice([np.nan, np.inf, -0.0, 0.0, 1e-300], windows * series))
    columns["none"] = pa.array([None] * windows * series, pa.string())
    columns["some"] = pa.array(rng.choice(["a", None], windows * series).tolist(), pa.string())
    columns["flag"] = pa.array(rng.random(windows * series) < 0.5)
    table = pa.table(columns)
    if drop:  # series that are not in all windows
        table = table.take(pa.array(np.flatnonzero(rng.random(table.num_rows) < 0.7)))
    kept = on_disk(packed(table, span_ticks=span))
    assert_same(unpacked(kept), table)
    if table.num_rows:
        assert_same(unpacked(kept, ["time", "odd"]), table.select(["time", "odd"]))
        first, last = ((START + at) * NS_PER_SECOND for at in (windows // 3, windows - windows // 4))
        times = table.column("time").cast(pa.int64()).to_numpy()
        inside = np.flatnonzero((times >= first) & (times < last))
        assert_same(unpacked(kept, None, first, last), table.take(pa.array(inside)))


def test_probes_at_one_hertz_take_a_third() -> None:
    rng = np.random.default_rng(3)
    made = means(rng, 300, 20, 60, rows=1)
    columns = {name: pa.array(values.ravel()) for name, values in made.items()}
    time = pa.array(np.repeat(np.arange(300), 20)).cast(pa.timestamp("ns", "UTC"))
    target = pa.array([f"t{at}" for at in range(20)] * 300).dictionary_encode()
    kept = packed(pa.table({"time": time, "target": target, **columns}), span_ticks=60)
    assert "wait_mean_seconds.micros" in kept.column_names and "wait_mean_seconds" not in kept.column_names


def run(rng: np.random.Generator, seconds: list[int], grows: bool) -> list[FeatureTable]:
    """Features of windows, their moving statistics made as the engine makes them."""
    horizons = Horizons(WINDOW.horizons_seconds, WINDOW.tick_seconds, len(TRENDED))
    names = tuple(name for name in REQUEST_FEATURES if not name.endswith(("_60s", "_300s"))) + MOVING
    all_series = tuple(SeriesKey(f"t{at}", "probe") for at in range(5))
    made, series = [], 2 if grows else 4
    for second in seconds:
        series = min(series + int(grows and rng.random() < 0.1), 5)
        values = rng.lognormal(size=(len(names), series))
        values[: len(names) - len(MOVING)][rng.random((len(names) - len(MOVING), series)) < 0.2] = np.nan
        values[names.index(HIDDEN)] = rng.integers(0, 3, series)
        trended = np.stack([values[names.index(name)] for name in TRENDED])
        values[-len(MOVING) :] = horizons.close(START + second, trended)
        made.append(FeatureTable("requests", (START + second + 1) * NS_PER_SECOND, all_series[:series], names, values))
    return made


def segments(tables: list[FeatureTable], length: int, state: MovingState) -> tuple[list[pa.Table], list[pa.Table], int]:
    """What is kept of them, and what they were; how many have no moving statistics."""
    kept, whole, left_out = [], [], 0
    for first in range(0, len(tables), length):
        part = tables[first : first + length]
        table = features_table("requests", [Tick(one) for one in part])
        short, reach_ns = state.leave_out(table, part)
        left_out += reach_ns > 0
        kept.append(on_disk(packed(short, span_ticks=WINDOW.span_ticks)))
        whole.append(table)
    return kept, whole, left_out


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**31),
    length=st.sampled_from([3, 10, 200]),
    grows=st.booleans(),
    hides=st.sampled_from(["never", "for a while", "for ever"]),
    jumps=st.booleans(),
)
def test_moving_statistics_come_back_to_the_bit(seed: int, length: int, grows: bool, hides: str, jumps: bool) -> None:
    rng = np.random.default_rng(seed)
    seconds = np.cumsum([int(rng.choice([1, 1, 1, 1, 30])) if jumps else 1 for _ in range(120)]).tolist()
    tables = run(rng, seconds, grows)
    if hides != "never":  # a target is paused: the engine writes NaN over what it goes on computing
        for one in tables[50 : 60 if hides == "for a while" else None]:
            one.values[:, 1] = np.nan
    state = MovingState(begins=True)
    state.start(WINDOW)
    kept, whole, left_out = segments(tables, length, state)
    assert left_out or jumps or (length == 200 and hides == "for a while")
    for back, table in zip(completed(kept), whole, strict=True):
        assert_same(back, table)
    start_ns, end_ns = tables[70].end_ns, tables[90].end_ns
    reach_ns = warm_up_ticks(WINDOW.horizons_seconds, WINDOW.tick_seconds) * WINDOW.tick_ns
    read = []
    for one in kept:
        times = one.column("time").cast(pa.int64()).to_numpy()
        if times.max() >= start_ns - reach_ns - length * NS_PER_SECOND and times.min() < end_ns:
            read.append(on_disk(one, warm_up_columns(one.schema)) if times.max() < start_ns else one)
    expected = pa.concat_tables(whole).combine_chunks()
    found = pa.concat_tables(completed(read, start_ns, end_ns), promote_options="permissive")
    for rows in (expected, found):
        times = rows.column("time").cast(pa.int64()).to_numpy()
        rows_in = rows.take(pa.array(np.flatnonzero((times >= start_ns) & (times < end_ns))))
        expected, found = (rows_in, found) if rows is expected else (expected, rows_in)
    assert_same(found, expected)


def test_a_later_run_is_kept_whole_until_what_was_before_is_forgotten() -> None:
    rng = np.random.default_rng(1)
    state = MovingState(begins=False)
    state.start(WINDOW)
    tables = run(rng, list(range(60)), grows=False)
    kept, whole, left_out = segments(tables, 6, state)
    assert left_out == (60 - warm_up_ticks(WINDOW.horizons_seconds, 1.0)) // 6
    for back, table in zip(completed(kept), whole, strict=True):
        assert_same(back, table)


def test_a_later_run_may_have_other_horizons() -> None:
    rng = np.random.default_rng(4)
    state = MovingState(begins=True)
    state.start(WINDOW)
    tables = run(rng, list(range(20)), grows=False)
    first, whole, _ = segments(tables, 5, state)
    state.start(WindowParams(horizons_seconds=(20.0,)))
    later, as_they_were, _ = segments(run(rng, list(range(30, 60)), grows=True), 5, state)
    for back, table in zip(completed([*first, *later]), [*whole, *as_they_were], strict=True):
        assert_same(back, table)


def test_what_does_not_come_back_is_refused() -> None:
    state = MovingState(begins=True)
    state.start(WINDOW)
    kept, _, _ = segments(run(np.random.default_rng(2), list(range(12)), grows=False), 6, state)
    assert BASES[0] in kept[1].column_names
    at = kept[1].column_names.index(BASES[0])
    changed = np.nan_to_num(kept[1].column(at).to_numpy()) + 1.0
    other = kept[1].set_column(at, BASES[0], pa.array(changed)).replace_schema_metadata(kept[1].schema.metadata)
    with pytest.raises(pa.ArrowInvalid, match="do not come back"):
        list(completed([kept[0], other]))
