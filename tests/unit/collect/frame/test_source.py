"""DataFrames as streams: rows come as they were, in the order of time, or one error names what is wrong."""

from __future__ import annotations

import datetime
import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.collect.frame.rows import BATCH_ROWS, FrameSource
from aiops_nb.collect.frame.source import from_frame
from aiops_nb.collect.synthetic import SyntheticStream
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import REQUESTS, TABLES, table_of
from aiops_nb.core.types import Item
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.frames.rows import rows_frame

NS = 1_000_000_000
NOON = "2026-05-01 12:00:00"
NOON_NS = 1_777_636_800 * NS


def batches_of(source: FrameSource) -> list[pa.RecordBatch]:
    batches = list(iter(lambda: source.poll(0), None))
    for batch in batches:
        assert batch.schema.equals(TABLES[table_of(batch)])
        batch.validate(full=True)
    return batches


def rows_of(source: FrameSource) -> list[dict[str, Any]]:
    table = pa.Table.from_batches(batches_of(source))
    return table.set_column(1, "time", table["time"].cast(pa.int64())).to_pylist()


def times_of(values: Any, **options: Any) -> list[int]:
    df = pd.DataFrame({"time": values}).assign(target="a")
    return [row["time"] for row in rows_of(from_frame(df, **options))]


def test_a_csv_of_yesterday() -> None:
    text = (
        "timestamp,endpoint,response_time,status_code,ip,comment\n"
        "2026-05-01T12:00:01Z,/pay,250,503,10.0.0.7,x\n"
        "2026-05-01T12:00:00Z,/pay,,200,,y\n"
    )
    source = from_frame(
        pd.read_csv(io.StringIO(text)),
        time="timestamp",
        target="endpoint",
        duration_ms="response_time",
        client_ip="ip",
    )
    assert source.unused == ("comment",)
    first, second = rows_of(source)
    assert (first["time"], first["duration_seconds"], first["client_ip"], first["status_code"]) == (
        NOON_NS,
        None,
        None,
        200,
    )
    assert (second["time"], second["duration_seconds"], second["client_ip"]) == (NOON_NS + NS, 0.25, "10.0.0.7")
    assert {row["origin"] for row in (first, second)} == {"traffic"}
    assert {row["source"] for row in (first, second)} == {"frame"}


def test_what_a_monitor_shows_can_be_put_in_again() -> None:
    stream = SyntheticStream(seed=3, rate_hz=200, duration_seconds=3)
    batches = [batch for batch in iter(lambda: stream.poll(0), None) if batch.num_rows]
    frame = rows_frame("requests", batches)
    again = rows_frame("requests", batches_of(from_frame(frame, name="synthetic")))
    pd.testing.assert_frame_equal(again, frame, check_categorical=False)


def test_samples_and_messages() -> None:
    df = pd.DataFrame({"time": [2, 1], "metric": ["cpu_ratio"] * 2, "value": [0.5, np.nan]})
    rows = rows_of(from_frame(df, table="samples", constants={"target": "web-1"}))
    assert [(row["time"], row["value"], row["target"]) for row in rows] == [(NS, None, "web-1"), (2 * NS, 0.5, "web-1")]
    df = pd.DataFrame({"time": [1], "target": ["web-1"], "line": ["disk full"]})
    assert rows_of(from_frame(df, table="messages", text="line"))[0]["text"] == "disk full"


def test_alerts_come_of_a_frame_as_of_any_stream() -> None:
    df = pd.DataFrame({"time": np.arange(60), "target": "checkout", "status_code": [200] * 30 + [503] * 30})
    pipeline, changes = Pipeline(), []
    for seq, batch in enumerate(batches_of(from_frame(df))):
        changes += pipeline.push(Item(seq, "requests", "frame", batch)).changes
    fired = {change.labels["alertname"] for change in changes if change.state == "firing"}
    assert "http_5xx" in fired


EVENTS = pd.DataFrame(
    {
        "timestamp": ["2026-05-01 12:00:01.000000", "2026-05-01 12:00:00.000000"],
        "endpoint": "/pay",
        "status_code": [503, 200],
        "response_time": [250.0, None],
        "cpu_usage": [50.0, None],
        "memory_usage": 40.0,
        "ip": "10.0.0.7",
        "method": "GET",
        "zone": "b",
    }
)


def test_events_of_the_older_tool_are_read_as_they_are() -> None:
    source = from_frame(EVENTS)
    tables: dict[str, list[dict[str, Any]]] = {"requests": [], "samples": []}
    for batch in batches_of(source):
        tables[table_of(batch)] += batch.to_pylist()
    requests, samples = tables["requests"], tables["samples"]
    assert [(row["target"], row["status_code"], row["duration_seconds"]) for row in requests] == [
        ("/pay", 200, None),
        ("/pay", 503, 0.25),
    ]
    assert {(row["client_ip"], row["method"]) for row in requests} == {("10.0.0.7", "GET")}
    assert [(row["time"].second, row["target"], row["metric"], row["value"]) for row in samples] == [
        (0, "host", "memory_ratio", 0.4),
        (1, "host", "cpu_ratio", 0.5),
        (1, "host", "memory_ratio", 0.4),
    ]
    assert source.unused == ("zone",)


def test_requests_and_samples_of_many_events_keep_step() -> None:
    seconds = pd.date_range(NOON, periods=2 * BATCH_ROWS, freq="s").astype(str)
    events = pd.DataFrame({"timestamp": seconds, "endpoint": "/pay", "cpu_usage": 1.0, "memory_usage": 1.0})
    ahead = {"requests": 0, "samples": 0}
    for batch in batches_of(from_frame(events)):
        ahead[table_of(batch)] += batch.num_rows // (2 if table_of(batch) == "samples" else 1)
        assert abs(ahead["requests"] - ahead["samples"]) <= BATCH_ROWS
    assert ahead == {"requests": 2 * BATCH_ROWS, "samples": 2 * BATCH_ROWS}
    source = from_frame(events)
    source.close()
    assert source.poll(0) is None


@pytest.mark.parametrize("index", ["time", None, "when"])
def test_times_in_the_index(index: str | None) -> None:
    df = pd.DataFrame({"target": ["a"]}, index=pd.DatetimeIndex([NOON], name=index))
    options = {"time": index} if index else {}
    assert [row["time"] for row in rows_of(from_frame(df, **options))] == [NOON_NS]


def test_levels_of_an_index() -> None:
    df = pd.DataFrame({"time": [NOON], "target": ["a"], "status_code": [200]}).set_index(["target", "time"])
    assert [(row["target"], row["time"]) for row in rows_of(from_frame(df))] == [("a", NOON_NS)]


# -- times


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([NOON], {}),
        ([pd.Timestamp(NOON)], {}),
        ([pd.Timestamp(NOON, tz="UTC").tz_convert("Asia/Tokyo")], {"timezone": "America/New_York"}),
        (["2026-05-01T14:00:00+02:00"], {"timezone": "America/New_York"}),
        (["2026-05-01 14:00:00"], {"timezone": "Europe/Paris"}),
        ([pd.Timestamp("2026-05-01 14:00:00")], {"timezone": "Europe/Paris"}),
        ([datetime.datetime(2026, 5, 1, 12)], {}),
        ([NOON_NS // NS], {}),
        ([NOON_NS / NS], {}),
        ([NOON_NS // 1_000_000], {"time_unit": "ms"}),
        ([NOON_NS], {"time_unit": "ns"}),
        ([str(NOON_NS // NS)], {}),
        ([str(NOON_NS // 1_000_000)], {"time_unit": "ms"}),
        (["20260501T120000Z"], {}),
        (pd.array([NOON_NS // NS], dtype="Int64"), {}),
        (pd.Series([NOON]).astype("category"), {}),
    ],
)
def test_times_of_all_kinds(values: Any, options: dict[str, Any]) -> None:
    assert times_of(values, **options) == [NOON_NS]


def test_offsets_that_differ() -> None:
    assert times_of(["2026-05-01T14:00:00+02:00", "2026-05-01T12:00:01Z"]) == [NOON_NS, NOON_NS + NS]


def test_daylight_saving_has_a_rule() -> None:
    # Clocks in Paris went from 2:00 to 3:00 on 2026-03-29, and from 3:00 back to 2:00 on 2026-10-25.
    utc = lambda text: pd.Timestamp(text, tz="UTC").value  # noqa: E731
    assert times_of(["2026-03-29 02:30:00"], timezone="Europe/Paris") == [utc("2026-03-29 01:00")]
    assert times_of(["2026-10-25 02:30:00"], timezone="Europe/Paris") == [utc("2026-10-25 00:30")]


def test_float_seconds_keep_their_microseconds() -> None:
    assert times_of([1_777_636_800.123456]) == [NOON_NS + 123_456_000]


def test_durations_with_a_unit_of_their_own() -> None:
    df = pd.DataFrame({"time": [1], "target": "a", "took": [pd.Timedelta("250ms")]})
    for name in ("duration_seconds", "duration_ms"):
        assert rows_of(from_frame(df, **{name: "took"}))[0]["duration_seconds"] == 0.25


@given(st.lists(st.integers(0, 50), max_size=200), st.booleans())
def test_rows_come_in_the_order_of_time_and_of_the_frame(seconds: list[int], sort: bool) -> None:
    df = pd.DataFrame({"time": np.array(seconds, np.int64), "bytes": range(len(seconds))}).assign(target="a")
    source = from_frame(df, response_bytes="bytes", sort=sort)
    batches = batches_of(source)
    got = [(row["time"] // NS, row["response_bytes"]) for row in rows_of_batches(batches)]
    given_ = list(zip(seconds, range(len(seconds)), strict=True))
    assert got == (sorted(given_) if sort else given_)
    assert source.is_sorted == (seconds == sorted(seconds))


def rows_of_batches(batches: list[pa.RecordBatch]) -> list[dict[str, Any]]:
    table = pa.Table.from_batches(batches, schema=REQUESTS)
    return table.set_column(1, "time", table["time"].cast(pa.int64())).to_pylist()


def test_batches_are_bounded_and_so_are_their_dictionaries() -> None:
    rows = 2 * BATCH_ROWS + 1
    source = from_frame(pd.DataFrame({"time": range(rows), "target": [f"t{i}" for i in range(rows)]}))
    batches = batches_of(source)
    assert [batch.num_rows for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 1]
    assert [len(batch["target"].dictionary) for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 1]


@pytest.mark.parametrize("dtype", ["str", "object", "category", "string"])
def test_text_of_all_kinds(dtype: str) -> None:
    df = pd.DataFrame(
        {"time": [1, 2], "target": pd.Series(["a", "b"], dtype=dtype), "method": pd.Series(["GET", None])}
    )
    rows = rows_of(from_frame(df.astype({"method": dtype})))
    assert [(row["target"], row["method"]) for row in rows] == [("a", "GET"), ("b", None)]


def test_an_empty_frame_ends_at_once_and_the_frame_is_not_changed() -> None:
    df = pd.DataFrame({"time": [2, 1], "target": ["a", "b"]})
    before = df.copy()
    rows_of(from_frame(df))
    pd.testing.assert_frame_equal(df, before)
    source = from_frame(df.iloc[:0])
    assert (len(source), source.poll(0)) == (0, None)


# -- errors


GOOD = {"time": [1, 2, 3], "target": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"time": [1, None, 3]}, r"df\['time'\]: expected times in every row, .* got nan in row 1"),
        ({"time": ["2026-05-01", "noon", "x"]}, r"df\['time'\]: expected datetimes.*, got 'noon' in row 1"),
        ({"time": ["2026-05-01", None, "2026-05-01"]}, r"df\['time'\]: expected times in every row.* in row 1"),
        (
            {"time": [1, -1, 3]},
            r"df\['time'\]: expected times in every row, of the years 1970 to 2261, .*got .*-1.* row 1",
        ),
        ({"time": [1, 2, 1.78e12]}, r"df\['time'\]: expected times .* in row 2"),
        ({"time": ["1066-10-14", "2026-05-01", "2026-05-01"]}, r"df\['time'\]: expected"),
        ({"time": ["9999-10-14", "2026-05-01", "2026-05-01"]}, r"df\['time'\]: expected"),
        ({"time": [True, False, True]}, r"df\['time'\]: expected"),
        ({"time": [[1], [2], [3]]}, r"df\['time'\]: expected"),
        ({"target": ["a", None, "c"]}, r"df\['target'\]: expected a value in every row, got .* in row 1"),
        ({"target": [1, 2, 3]}, r"df\['target'\]: expected strings .*, got .*1.* in row 0"),
        ({"target": ["a", 2, "c"]}, r"df\['target'\]: expected strings .*, got 2 in row 1"),
        ({"status_code": [200, 200.5, 200]}, r"df\['status_code'\]: expected whole numbers, got .*200\.5.* in row 1"),
        ({"status_code": [200, 99, 200]}, r"df\['status_code'\]: expected 100 to 999, got .*99.* in row 1"),
        ({"status_code": [200, 10**9, 200]}, r"df\['status_code'\]: expected whole numbers, got .*in row 1"),
        ({"status_code": ["ok", "200", "200"]}, r"df\['status_code'\]: expected whole numbers, got 'ok' in row 0"),
        (
            {"duration_seconds": [0.1, -1, 0.1]},
            r"df\['duration_seconds'\]: expected a number >= 0, got .*-1.* in row 1",
        ),
        (
            {"duration_seconds": [0.1, np.inf, 0.1]},
            r"df\['duration_seconds'\]: expected a number >= 0, got .*inf.* row 1",
        ),
        ({"duration_seconds": ["1s", "2s", "3s"]}, r"df\['duration_seconds'\]: expected numbers, got '1s' in row 0"),
        ({"error_type": [None, "sad", None]}, r"df\['error_type'\]: expected one of timeout, .*, got 'sad' in row 1"),
        ({"origin": ["probe", "x", "probe"]}, r"df\['origin'\]: expected one of probe, traffic, got 'x' in row 1"),
    ],
)
def test_a_bad_value_is_named_with_its_column_and_row(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_frame(pd.DataFrame({**GOOD, **columns}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": "control"}, "table: expected one of requests, samples, messages, got 'control'"),
        ({"time": "when"}, r"time: expected a column of the frame \(time, target\), got 'when'"),
        ({"status_code": "code"}, r"status_code: expected a column of the frame \(time, target\), got 'code'"),
        ({"colour": "time"}, r"columns: expected columns of requests \(time, .*\), got 'colour'"),
        ({"constants": {"colour": "red"}}, r"columns: expected columns of requests \(time, .*\), got 'colour'"),
        ({"duration_ms": "time", "duration_seconds": "time"}, "duration_ms: expected one column for the duration"),
        ({"table": "samples"}, r"metric: expected a column of the frame \(time, target\), got none"),
        ({"time_unit": "h"}, "time_unit: expected one of s, ms, us, ns, got 'h'"),
    ],
)
def test_a_wrong_parameter_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_frame(pd.DataFrame(GOOD), **options)


def test_other_things_that_are_no_frame_of_rows() -> None:
    with pytest.raises(ConfigError, match="timezone: expected a name such as Europe/Paris, got 'Mars/Base'"):
        from_frame(pd.DataFrame({**GOOD, "time": [NOON] * 3}), timezone="Mars/Base")
    with pytest.raises(ConfigError, match="df: expected a pandas DataFrame, got 'list'"):
        from_frame([1])  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="df: expected one column of each name, got 'a'"):
        from_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(ConfigError, match=r"target: expected a column of the frame \(time\), got 'target'"):
        from_frame(pd.DataFrame({"time": [1]}))


MIXED = ["2026-07-01 12:00:00", "2026-07-01T12:00:00+00:00", "2026-07-01T10:00:00Z", "2026-07-01 05:00:00-05:00"]


@pytest.mark.parametrize("as_objects", [False, True])
def test_times_with_and_without_an_offset_in_one_column(as_objects: bool) -> None:
    written = [pd.Timestamp(text).to_pydatetime() for text in MIXED] if as_objects else MIXED
    df = pd.DataFrame({"time": np.array(written, object), "target": list("abcd")}, index=[0, 0, 1, 1])
    rows = {row["target"]: row["time"] for row in rows_of(from_frame(df, timezone="Europe/Paris"))}
    ten_ns = pd.Timestamp("2026-07-01T10:00Z").value
    assert rows == {"a": ten_ns, "b": ten_ns + 2 * 3600 * 10**9, "c": ten_ns, "d": ten_ns}


def test_dates_and_offsets_in_one_column() -> None:
    df = pd.DataFrame({"time": ["2026-07-01", "2026-07-01T00:00:00Z"], "target": ["a", "b"]})
    rows = {row["target"]: row["time"] for row in rows_of(from_frame(df, timezone="Europe/Paris"))}
    assert rows["b"] - rows["a"] == 2 * 3600 * 10**9
