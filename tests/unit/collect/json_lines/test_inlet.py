"""JSON lines: good rows arrive, however the bytes are cut and whatever stands between them."""

from __future__ import annotations

import json
import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_nb.collect.json_lines.decoder import JsonLines
from aiops_nb.collect.json_lines.shapes import RequestLine
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import TABLES, table_of

REQUEST = {
    "time": 1780000000.123456,
    "target": "a",
    "method": "GET",
    "status_code": 200,
    "duration_seconds": 0.05,
    "client_ip": "10.0.0.1",
}
SAMPLE = {"time": "2026-05-28T20:26:40.5Z", "target": "h", "metric": "cpu_ratio", "value": 0.5}
EVENT = {
    "timestamp": "2026-05-28 20:26:40.250000",
    "endpoint": "/pay",
    "status_code": 503,
    "response_time": 120.0,
    "cpu_usage": 37.5,
    "memory_usage": 50.0,
    "ip": "10.0.0.9",
    "method": "POST",
}
NS = 1_780_000_000_000_000_000


def as_bytes(*lines: Any) -> bytes:
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def tables(decoder: JsonLines, batches: list[pa.RecordBatch]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {"requests": [], "samples": []}
    for batch in batches:
        assert batch.schema.equals(TABLES[table_of(batch)])
        batch.validate(full=True)
        rows[table_of(batch)] += batch.to_pylist()
    assert all(row["source"] == decoder.source for table in rows.values() for row in table)
    return rows


def decode(*lines: Any) -> tuple[dict[str, list[dict[str, Any]]], dict[str, int]]:
    decoder = JsonLines("test", host_label="box")
    rows = tables(decoder, decoder.feed(as_bytes(*lines)) + decoder.finish())
    return rows, dict(decoder.rejected_total)


def test_a_request_with_the_usual_fields() -> None:
    rows, rejected = decode(REQUEST)
    (row,) = rows["requests"]
    assert row["time"].value == NS + 123_456_000
    assert {name: row[name] for name in REQUEST if name != "time"} == {k: v for k, v in REQUEST.items() if k != "time"}
    assert (row["origin"], row["error_type"], rejected) == ("traffic", None, {})


def test_a_request_with_every_field_and_an_unknown_one() -> None:
    full = {**REQUEST, "origin": "probe", "status_code": None, "error_type": "tls", "response_bytes": 7}
    full |= {f"{phase}_seconds": 0.25 for phase in ("resolve", "connect", "tls", "wait", "transfer")}
    full["error_detail"] = "certificate has expired"
    rows, rejected = decode({**full, "unknown": {"deep": [1, 2]}})
    (row,) = rows["requests"]
    assert {name: row[name] for name in full if name != "time"} == {k: v for k, v in full.items() if k != "time"}
    assert rejected == {}


def test_a_certificate_expires_where_a_column_can_say_so() -> None:
    dates = ["2040-01-02T03:04:05Z", 1780000000, None, "9999-12-31T23:59:59Z"]
    rows, rejected = decode(*({**REQUEST, "certificate_expires": date} for date in dates))
    found = [row["certificate_expires"] and row["certificate_expires"].isoformat() for row in rows["requests"]]
    assert found == ["2040-01-02T03:04:05+00:00", "2026-05-28T20:26:40+00:00", None, None]
    assert rejected == {}


OPEN = [
    {**REQUEST, "zone": "a", "tags": {"deep": [1, 2.50]}},
    {**SAMPLE, "unit": "1", "zone": None},
    {**EVENT, "user_agent": "\u00e9\n", "target": "not ours", "time": 1},
    {**REQUEST, "timestamp": "2026", "extra": {"already": 1}},
]


@pytest.mark.parametrize("choice", ["keep", "drop"])
def test_unknown_fields_are_counted_and_kept_by_choice(choice: UnknownFields) -> None:
    decoder = JsonLines("test", unknown_fields=choice)
    rows = tables(decoder, decoder.feed(as_bytes(REQUEST, *OPEN, EVENT)))
    counts = {"zone": 2, "tags": 1, "unit": 1, "user_agent": 1, "target": 1, "time": 1, "timestamp": 1, "extra": 1}
    assert (decoder.unknown.counts, decoder.unknown.total) == (counts, 9)
    assert (decoder.rejected_total, len(rows["requests"]), len(rows["samples"])) == ({}, 5, 5)
    extra = [row["extra"] and json.loads(row["extra"]) for row in rows["requests"]]
    kept = [
        {"zone": "a", "tags": {"deep": [1, 2.5]}},
        {"user_agent": "\u00e9\n", "target": "not ours", "time": 1},
        {"timestamp": "2026", "extra": {"already": 1}},
    ]
    assert extra == [None, *(kept if choice == "keep" else [None] * 3), None]
    assert rows["samples"][0]["extra"] == ('{"unit":"1","zone":null}' if choice == "keep" else None)


@pytest.mark.parametrize("line", OPEN, ids=["request", "sample", "event", "odd request"])
def test_many_lines_with_unknown_fields_are_one_batch_a_table(line: dict[str, Any]) -> None:
    decoder = JsonLines("test", unknown_fields="keep")
    batches = decoder.feed(as_bytes(*[line] * 1000))
    assert {table_of(batch): batch["extra"].null_count for batch in batches}
    assert all(batch.num_rows >= 1000 for batch in batches)
    assert set(decoder.unknown.counts.values()) == {1000}


def test_names_that_a_sender_makes_up_take_bounded_memory() -> None:
    decoder = JsonLines("test")
    decoder.feed(as_bytes(*({**REQUEST, f"{'x' * 1000}{i}": i, f"field-{i}": i} for i in range(1000))))
    assert len(decoder.unknown.counts) <= 101
    assert max(map(len, decoder.unknown.counts)) == 64
    assert decoder.unknown.total == 2000


def test_a_broken_text_in_an_unknown_field_costs_no_row() -> None:
    decoder = JsonLines("test", unknown_fields="keep")
    line = as_bytes({**REQUEST, "zone": "?"}).replace(b"?", b"\xff")
    (row,) = tables(decoder, decoder.feed(line))["requests"]
    assert json.loads(row["extra"]) == {"zone": "\ufffd"}


def test_another_choice_is_named() -> None:
    with pytest.raises(ConfigError, match="unknown_fields: expected drop or keep, got 'hide'"):
        JsonLines("test", unknown_fields="hide")  # type: ignore[arg-type]


def test_samples_and_requests_may_alternate() -> None:
    rows, rejected = decode(*[REQUEST, SAMPLE] * 500)
    assert (len(rows["requests"]), len(rows["samples"]), rejected) == (500, 500, {})
    assert rows["samples"][0]["time"].value == NS + 500_000_000
    assert (rows["samples"][0]["metric"], rows["samples"][0]["value"]) == ("cpu_ratio", 0.5)


def test_an_event_of_the_older_tool_is_converted() -> None:
    rows, rejected = decode(EVENT, {**EVENT, "cpu_usage": None, "response_time": None})
    first, second = rows["requests"]
    assert (first["target"], first["method"], first["status_code"], first["client_ip"]) == (
        "/pay",
        "POST",
        503,
        "10.0.0.9",
    )
    assert first["time"].value == NS + 250_000_000
    assert (first["duration_seconds"], second["duration_seconds"]) == (0.12, None)
    found = [(row["target"], row["metric"], row["value"]) for row in rows["samples"]]
    cpu, memory = ("box", "cpu_ratio", 0.375), ("box", "memory_ratio", 0.5)
    assert (found, rejected) == ([cpu, memory, memory], {})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (0, 0),
        (1780000000, NS),
        ("2026-05-28T20:26:40Z", NS),
        ("2026-05-28T22:26:40.000001+02:00", NS + 1000),
        ("2026-05-28T20:26:40", NS),
    ],
)
def test_times(written: Any, expected: int) -> None:
    rows, rejected = decode({**REQUEST, "time": written})
    assert (rows["requests"][0]["time"].value, rejected) == (expected, {})


BAD = {
    b'{"time": 1, "target": "a"': "invalid_json",
    b"not json": "invalid_json",
    b"[" * 100_000: "wrong_type",
    b'{"time": 1, "target": "a", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}": "too_deep",
    b'{"time": 1, "target": "\xff\xfe"}': "invalid_json",
    b'{"time": 1, "target": "a\x00b"}': "invalid_json",
    b'{"time": 1, "target": "\\ud800"}': "invalid_json",
    b'{"time": NaN, "target": "a"}': "invalid_json",
    b'{"time": 1e999, "target": "a"}': "wrong_type",
    b"[1, 2]": "wrong_type",
    b"null": "wrong_type",
    b"{}": "wrong_type",
    b'{"time": 1}': "wrong_type",
    b'{"time": 1, "target": 5}': "wrong_type",
    b'{"time": "yesterday", "target": "a"}': "wrong_type",
    b'{"time": 1, "target": "a", "status_code": 99999}': "wrong_type",
    b'{"time": 1, "target": "a", "status_code": "200"}': "wrong_type",
    b'{"time": 1, "target": "a", "duration_seconds": -1}': "wrong_type",
    b'{"time": 1, "target": "a", "error_type": "oops"}': "wrong_type",
    b'{"time": 1, "target": "a", "response_bytes": 99999999999999999999}': "wrong_type",
    b'{"time": 1, "target": "a", "metric": "m"}': "wrong_type",
    b'{"time": -1, "target": "a"}': "time_out_of_range",
    b'{"time": 1780000000123, "target": "a"}': "time_out_of_range",
    b'{"time": "9999-01-01T00:00:00Z", "target": "a"}': "time_out_of_range",
    b'{"time": "1905-01-01T00:00:00Z", "target": "a"}': "time_out_of_range",
}


@pytest.mark.parametrize(("line", "reason"), BAD.items(), ids=lambda value: repr(value)[:40])
def test_a_bad_line_is_counted_and_its_neighbours_arrive(line: bytes, reason: str) -> None:
    rows, rejected = decode(REQUEST, line, REQUEST)
    assert (len(rows["requests"]), rejected) == (2, {reason: 1})


def test_rejected_lines_are_kept_short_and_few() -> None:
    decoder = JsonLines("test", max_samples=3)
    decoder.feed(as_bytes(*[b"x" * 10_000 + str(i).encode() for i in range(100)]))
    assert len(decoder.rejected) == 3
    assert all(len(sample.line) <= 200 and sample.reason == "invalid_json" for sample in decoder.rejected)


def test_a_line_that_is_too_long_is_skipped_and_never_held() -> None:
    decoder = JsonLines("test", max_line_bytes=1000)
    batches = decoder.feed(as_bytes(REQUEST))
    for _ in range(1000):
        batches += decoder.feed(b"y" * 10_000)
    batches += decoder.feed(b"\n" + as_bytes(REQUEST, b"z" * 2_000, REQUEST))
    assert len(tables(decoder, batches)["requests"]) == 3
    assert decoder.rejected_total == {"too_long": 2}


@settings(max_examples=40, deadline=None)
@given(
    picks=st.lists(st.sampled_from(["request", "sample", "event", "open", *range(len(BAD))]), max_size=30),
    cuts=st.lists(st.integers(1, 400), max_size=60),
    ends_with_newline=st.booleans(),
)
def test_nothing_depends_on_the_cuts(picks: list[Any], cuts: list[int], ends_with_newline: bool) -> None:
    good: dict[Any, Any] = {"request": REQUEST, "sample": SAMPLE, "event": EVENT, "open": OPEN[0]}
    small = [line for line in BAD if len(line) < 1000]
    data = as_bytes(*[good.get(pick, small[pick % len(small)] if isinstance(pick, int) else None) for pick in picks])
    data = data if ends_with_newline else data[:-1]
    whole, cut = (JsonLines("test", unknown_fields="keep") for _ in range(2))
    expected = tables(whole, whole.feed(data) + whole.finish())
    batches, place = [], 0
    for size in [*cuts, len(data) + 1]:
        batches += cut.feed(data[place : place + size])
        place += size
    found = tables(cut, batches + cut.finish())
    assert found == expected
    assert (cut.rejected_total, cut.unknown.counts) == (whole.rejected_total, whole.unknown.counts)
    assert len(found["requests"]) == sum(pick in ("request", "event", "open") for pick in picks)
    assert whole.unknown.counts.get("zone", 0) == picks.count("open")


def test_a_storm_of_bad_lines_costs_no_good_one() -> None:
    chance = random.Random(1)
    bad = [line for line in BAD if len(line) < 1000]
    lines = [REQUEST if chance.random() < 0.7 else chance.choice(bad) for _ in range(20_000)]
    rows, rejected = decode(*lines)
    good = sum(line is REQUEST for line in lines)
    assert (len(rows["requests"]), sum(rejected.values())) == (good, len(lines) - good)


def test_blank_lines_and_windows_line_ends_are_nothing() -> None:
    rows, rejected = decode(b"", b"  \r", json.dumps(REQUEST).encode() + b"\r")
    assert (len(rows["requests"]), rejected) == (1, {})


def test_no_field_of_the_usual_line_is_lost() -> None:
    usual = {"time": 1.0, "target": "a", "method": "GET", "status_code": 200, "duration_seconds": 0.5}
    usual |= {"error_type": "timeout", "client_ip": "10.0.0.1", "response_bytes": 7}
    assert set(usual) == set(RequestLine.__struct_fields__)
    (batch,) = JsonLines("s").feed((json.dumps(usual) + "\n").encode())
    (row,) = batch.select([name for name in usual if name != "time"]).to_pylist()
    assert row == {name: value for name, value in usual.items() if name != "time"}


@pytest.mark.parametrize(("key", "value"), [("duration_ms", 25), ("duration_us", 25_000), ("duration_ns", 25_000_000)])
@pytest.mark.parametrize("more", ["", ', "zone": "b"'])
def test_a_duration_in_the_unit_of_its_name(key: str, value: int, more: str) -> None:
    lines = JsonLines("demo")
    batch = lines.feed(f'{{"time": 1, "target": "a", "{key}": {value}{more}}}\n'.encode())[0]
    assert batch["duration_seconds"].to_pylist() == [0.025]
    assert lines.unknown.counts == ({"zone": 1} if more else {})


@pytest.mark.parametrize("timestamp", ["1795694400.5", '"2026-11-26T12:00:00.5Z"', '"2026-11-26 12:00:00.5"'])
def test_the_time_of_an_event_in_each_form(timestamp: str) -> None:
    lines = JsonLines("demo")
    event = f'{{"timestamp": {timestamp}, "endpoint": "/a", "status_code": 200, "response_time": 25}}\n'
    batch = lines.feed(event.encode() * 2 + event.replace(timestamp, "1795694400.5").encode())[0]
    assert {time.value for time in batch["time"].to_pylist()} == {1_795_694_400_500_000_000}
    assert batch["duration_seconds"].to_pylist() == [0.025] * 3
