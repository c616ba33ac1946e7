"""Access logs: every format's lines become requests, bad lines are counted, good ones survive them."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.collect.access_log.collector import AccessLog, read_access_log
from aiops_nb.collect.access_log.lines import AccessLogLines
from aiops_nb.collect.access_log.targets import LogTargets, path_template
from aiops_nb.collect.json_lines.line_buffer import LineBuffer
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import REQUESTS

NS = 1_000_000_000
TIME_NS = 1_760_101_200 * NS  # 2025-10-10 13:00:00 UTC
COMMON = '10.0.0.7 - - [10/Oct/2025:13:00:00 +0000] "GET /orders/17?full=1 HTTP/1.1" 503 512'
COMBINED = COMMON + ' "https://example.org/" "Mozilla/5.0 (a \\"quoted\\" word)"'
EXPECTED = {
    "time": TIME_NS,
    "origin": "traffic",
    "target": "/orders/{id}",
    "method": "GET",
    "status_code": 503,
    "client_ip": "10.0.0.7",
    "response_bytes": 512,
    "duration_seconds": None,
}
JSON = (
    '{"time_iso8601": "2025-10-10T15:00:00+02:00", "remote_addr": "10.0.0.7", "request": "GET /orders/17 HTTP/1.1", '
    '"status": "503", "body_bytes_sent": 512, "request_time": "0.250", "headers": {"Host": "a"}}'
)
OWN = r"(?P<time>[^|]+)\|(?P<client_ip>[^|]+)\|(?P<method>\w+)\|(?P<path>[^|]+)\|(?P<status>\d+)\|(?P<duration_ms>.+)"
NGINX = "[$time_iso8601] $remote_addr $request_method ${request_uri} $status $request_time '$upstream_addr'"


def decode(*lines: str | bytes, **options: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    decoder = AccessLogLines("web", **options)
    batch = decoder.decode(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))
    assert batch.schema.equals(REQUESTS)
    batch.validate(full=True)
    batch = batch.set_column(1, "time", batch["time"].cast(pa.int64()))
    return batch.to_pylist(), dict(decoder.rejected_total)


def one(line: str | bytes, **options: Any) -> dict[str, Any]:
    rows, rejected = decode(line, **options)
    assert (len(rows), rejected) == (1, {})
    return rows[0]


@pytest.mark.parametrize(
    ("pattern", "line", "duration_seconds"),
    [
        ("common", COMMON, None),
        ("combined", COMBINED, None),
        ("timed", COMBINED + " 0.250", 0.25),
        ("json", JSON, 0.25),
        (NGINX, "[2025-10-10T13:00:00Z] 10.0.0.7 GET /orders/17 503 0.250 '127.0.0.1:8000, 127.0.0.1:80'", 0.25),
        (OWN, "1760101200|10.0.0.7|GET|/orders/17|503|250", 0.25),
        (OWN.replace("duration_ms", "duration_us"), "1760101200.000|10.0.0.7|GET|/orders/17|503|250000", 0.25),
    ],
)
def test_a_line_of_each_format(pattern: str, line: str, duration_seconds: float | None) -> None:
    expected = {**EXPECTED, "duration_seconds": duration_seconds}
    if "512" not in line:
        expected["response_bytes"] = None
    row = one(line, pattern=pattern)
    assert {name: row[name] for name in expected} == expected
    assert one(line + "\r", pattern=pattern) == row


@pytest.mark.parametrize(
    ("written", "time_ns"),
    [
        ("10/Oct/2025:15:00:00 +0200", TIME_NS),
        ("10/Oct/2025:05:30:00 -0730", TIME_NS),
        ("2025-10-10T13:00:00.25Z", TIME_NS + NS // 4),
        ("2025-10-10 13:00:00,250", TIME_NS + NS // 4),
        ("2025-10-10T15:00:00+02:00", TIME_NS),
        ("1760101200.001", TIME_NS + 1_000_000),
        ("29/Feb/2024:00:00:00 +0000", 1_709_164_800 * NS),
    ],
)
def test_times_as_servers_write_them(written: str, time_ns: int) -> None:
    assert one(f"{written} 200", pattern=r"(?P<time>.+) (?P<status>\d+)")["time"] == time_ns


BAD: list[tuple[str | bytes, str | None]] = [
    ("", None),
    ("\r", None),
    ("   ", "not_the_pattern"),
    ("hello", "not_the_pattern"),
    (COMMON + " and more", "not_the_pattern"),
    (b"\x00\xff\xfe", "not_the_pattern"),
    (b'{"time": 1', "not_the_pattern"),
    ("[" * 100_000, "not_the_pattern"),
]
BAD_COMMON: list[tuple[str | bytes, str | None]] = [
    (COMMON.replace("Oct", "Okt"), "time_not_understood"),
    (COMMON.replace("10/Oct", "31/Feb"), "time_not_understood"),
    (COMMON.replace("2025", "1666"), "time_not_understood"),
    (COMMON.replace("2025", "9999"), "time_not_understood"),
    (COMMON.replace(" 503 ", " 12 "), "status_out_of_range"),
    (COMMON.replace(" 503 ", " 99999999999999999999 "), "status_out_of_range"),
    (COMMON.replace(" 512", " 99999999999999999999"), "not_a_number"),
]


@pytest.mark.parametrize(
    ("pattern", "line", "reason"),
    [("common", *bad) for bad in BAD + BAD_COMMON] + [("json", *bad) for bad in BAD],
)
def test_a_bad_line_is_counted_and_its_neighbours_are_used(pattern: str, line: str | bytes, reason: str | None) -> None:
    good = {"common": COMMON, "json": JSON}[pattern]
    rows, rejected = decode(good, line, good, pattern=pattern)
    assert len(rows) == 2
    assert rejected == ({reason: 1} if reason else {})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('"2025-10-10T15:00:00+02:00"', "null"), "time_not_understood"),
        (('"2025-10-10T15:00:00+02:00"', "[1]"), "not_the_pattern"),
        (('"503"', "50"), "status_out_of_range"),
        (('"503"', '"high"'), "status_out_of_range"),
        (('"0.250"', '"0.250, 0.1"'), "not_a_number"),
        (("512", '"many"'), "not_a_number"),
    ],
)
def test_a_bad_json_line(change: tuple[str, str], reason: str) -> None:
    rows, rejected = decode(JSON, JSON.replace(*change), pattern="json")
    assert (len(rows), rejected) == (1, {reason: 1})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"status": 200}', "time_not_understood"),
        ("{}", "no_known_field"),
        ('{"ts": null}', "no_known_field"),
        ('{"ts": 1760101200, "level": "info"}', "no_known_field"),
    ],
)
def test_json_lines_that_say_too_little(line: str, reason: str) -> None:
    assert decode(line, line, pattern="json") == ([], {reason: 2})


@pytest.mark.parametrize("bad", ["", "hello\n", '{"status": [1], "lost": 1}\n'])
def test_keys_that_no_field_is_for_are_counted_and_kept_by_choice(bad: str) -> None:
    line = JSON.replace('"headers"', '"zone": "caf\u00e9", "headers"')
    chunk = (line + "\n" + bad + JSON.replace(', "headers": {"Host": "a"}', "") + "\n").encode()
    for choice, extra in (("drop", None), ("keep", '{"zone":"caf\u00e9","headers":{"Host": "a"}}')):
        lines = AccessLogLines("web", pattern="json", unknown_fields=choice)
        assert lines.decode(chunk)["extra"].to_pylist() == [extra, None]
        assert lines.unknown.counts == {"zone": 1, "headers": 1}


@pytest.mark.parametrize("names", [3, 50])
def test_keys_that_came_before_are_counted_as_new_ones_are(names: int) -> None:
    lines = AccessLogLines("web", pattern="json", unknown_fields="keep")
    for i in [*range(names), *range(names)]:
        kept = [
            f'{{"ts": 1760101200, "status": 200, "key{i}": {i}, "all": null}}',
            '{"ts": 1760101200, "status": 200}',
            '{"ts": 1760101200, "status": 200, "all": 1}',
        ]
        extra = [f'{{"key{i}":{i},"all":null}}', None, '{"all":1}']
        got = lines.decode("".join(line + "\n" for line in kept).encode())["extra"].to_pylist()
        assert [text and sorted(json.loads(text)) for text in got] == [
            text and sorted(json.loads(text)) for text in extra
        ]
    assert lines.unknown.counts == {"all": 4 * names, **{f"key{i}": 2 for i in range(names)}}


def test_names_of_keys_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    keys = [f'"{"k" * 1000}{i}": 1, "key{i}": 1' for i in range(500)]
    path.write_text("".join(f'{{"ts": 1760101200, "status": 200, {key}}}\n' for key in keys))
    log = AccessLog(path, pattern="json", from_start=True, unknown_fields="keep")
    batch = log.poll(5)
    log.close()
    assert batch is not None and batch.num_rows == 500
    assert (log.counters["unknown_fields_total"], len(log.unknown_fields)) == (1000, 101)
    assert max(map(len, log.unknown_fields)) == 64


def test_long_texts_are_not_held_for_a_second_look() -> None:
    lines = AccessLogLines("web", pattern="json", target=lambda uri: "shop")
    tracemalloc.start()
    for i in range(300):
        lines.decode(JSON.replace("2025-10-10", f"{i}{'x' * 60_000}").encode() + b"\n")
        lines.decode(JSON.replace("/orders/17", f"/{i}{'x' * 60_000}").encode() + b"\n")
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines.rows_total == 300
    assert held_bytes < 2_000_000


def test_json_between_what_is_none() -> None:
    bad = JSON.replace("{", "[", 1)
    rows, rejected = decode("\x16\x03", JSON, f" {JSON}", *[JSON] * 20, bad, JSON, b"\xff", pattern="json")
    assert (len(rows), rejected) == (23, {"not_the_pattern": 3})


def test_what_the_server_could_not_know_is_null() -> None:
    unknown = one(r'- - - [10/Oct/2025:13:00:00 +0000] "\x16\x03\x01" 400 -', pattern="common")
    names = ("target", "method", "status_code", "client_ip", "response_bytes", "duration_seconds")
    assert [unknown[name] for name in names] == ["-", None, 400, None, None, None]
    assert one("7 ", pattern="(?P<time>[0-9]+) (?P<duration_seconds>.*)")["duration_seconds"] is None


def test_bytes_that_are_no_utf8_are_shown_as_such() -> None:
    row = one(COMMON.encode().replace(b"/orders/17", b"/caf\xe9"), pattern="common")
    assert row["target"] == "/caf\ufffd"


def test_a_user_name_with_spaces() -> None:
    assert one(COMMON.replace("- -", "- joe doe"), pattern="common")["client_ip"] == "10.0.0.7"


def test_rejected_lines_are_kept_in_a_bounded_sample() -> None:
    lines = AccessLogLines("web", max_samples=3)
    lines.decode(b"".join(b"bad %d %s\n" % (i, b"x" * 1000) for i in range(1000)))
    assert lines.rejected_total == {"not_the_pattern": 1000}
    assert [line.line[:7] for line in lines.rejected] == ["bad 997", "bad 998", "bad 999"]
    assert all(len(line.line) <= 200 for line in lines.rejected)


@pytest.mark.parametrize(
    ("uri", "template"),
    [
        ("/a/1/2/3", "/a/{id}/{id}/{id}"),
        ("/a/1/", "/a/{id}/"),
        ("/v1/a", "/v1/a"),
        ("/u/123e4567-e89b-12d3-a456-426614174000/x", "/u/{id}/x"),
        ("/deadbeef", "/deadbeef"),
        ("/d3adbeef", "/{id}"),
        ("/s/eyJhbGciOiJIUzI1NiIsInR5cCI6", "/s/{id}"),
        ("http://example.org/a/7?x#y", "/a/{id}"),
        ("/a?next=/b/1", "/a"),
        ("*", "*"),
    ],
)
def test_templates(uri: str, template: str) -> None:
    assert path_template(uri) == template
    assert LogTargets("template", 10).of(pa.array([uri.encode()])).to_pylist() == [template]


@given(st.lists(st.from_regex(r"(/[0-9a-z.-]{0,9}){1,4}(\?[a-z/0-9]*)?", fullmatch=True), min_size=1))
def test_the_quick_way_to_targets_is_the_plain_one(uris: list[str]) -> None:
    quick = LogTargets("template", 10_000).of(pa.array([uri.encode() for uri in uris]))
    assert quick.to_pylist() == [path_template(uri) for uri in uris]


def test_targets_are_bounded() -> None:
    lines = AccessLogLines("web", pattern="common", target="path", max_targets=2)
    for i in range(5):
        batch = lines.decode(COMMON.replace("/orders/17", f"/{i}").encode() + b"\n")
    assert batch["target"].to_pylist() == ["__other__"]


@pytest.mark.parametrize("name", [lambda uri: 1 / 0, lambda uri: None, lambda uri: 7, lambda uri: ""])
def test_a_function_that_names_no_target_costs_no_line(name: Any, caplog: pytest.LogCaptureFixture) -> None:
    rows, rejected = decode(COMMON, COMMON.replace("/17", "/18"), pattern="common", target=name)
    assert ([row["target"] for row in rows], rejected) == (["-", "-"], {})
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("target: expected a function that gives a string, but it ")


def test_a_directive_copied_whole() -> None:
    directive = """log_format  main  '$remote_addr - [$time_local] "$request" '
                      '$status $body_bytes_sent "it\\'s"';"""
    line = COMMON.replace("- - [", "- [") + ' "it\'s"'
    for pattern in (directive, directive.replace("main  '", "main escape=json '")):
        assert one(line, pattern=pattern)["target"] == "/orders/{id}"


def test_a_mark_of_the_byte_order_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(COMMON + "\n", encoding="utf-8-sig")
    assert sum(batch.num_rows for batch in read_access_log(path, pattern="common")) == 1


def test_a_target_of_ones_own() -> None:
    row = one(COMMON, pattern="common", target=lambda uri: "shop" if "full=1" in uri else "other")
    assert row["target"] == "shop"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "combinde"}, "pattern: expected a name, .* got 'combinde'; did you mean combined"),
        ({"pattern": "$status"}, "pattern: expected a field for the time"),
        ({"pattern": "$time_local$status"}, "pattern: expected something between"),
        ({"pattern": "(?P<time>.*)(?P<colour>.*)"}, "pattern: expected groups named .*, got 'colour'"),
        ({"pattern": "(?P<time>.*)(?P<timestamp>.*)"}, "pattern: expected one field for time"),
        ({"pattern": "(?P<time>.*)(?=x)"}, "pattern: expected an expression that RE2 takes"),
        ({"target": "host"}, "target: expected template, path or a function, got 'host'"),
        (
            {"unknown_fields": "keep", "pattern": "combined"},
            "unknown_fields: expected drop, for only JSON lines have other fields",
        ),
        ({"unknown_fields": "count", "pattern": "json"}, "unknown_fields: expected drop or keep, got 'count'"),
        ({"max_line_bytes": -1}, "max_line_bytes: expected a number >= 1, got -1"),
        ({"max_targets": 0}, "max_targets: expected a number >= 1, got 0"),
    ],
)
def test_a_wrong_parameter_is_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        AccessLog(tmp_path / "access.log", **options)


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent" / "access.log"):
        with pytest.raises(ConfigError, match="path: expected a file, to come or there, in a folder that exists"):
            AccessLog(path)
        with pytest.raises(ConfigError, match="path: expected a readable log file"):
            list(read_access_log(path))


@pytest.mark.parametrize(("suffix", "is_packed"), [("", False), (".gz", True), (".1", True)])
def test_history_is_read_whole_whatever_its_packing(tmp_path: Path, suffix: str, is_packed: bool) -> None:
    path = tmp_path / f"access.log{suffix}"
    text = "\n".join(COMMON.replace("/orders/17", f"/page-{i % 7}") for i in range(30_000))
    path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())
    batches = list(read_access_log(path, pattern="common"))
    assert sum(batch.num_rows for batch in batches) == 30_000
    assert len(batches) > 1


def test_a_damaged_gz_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress((COMMON + "\n").encode() * 1000)[:-20])
    with pytest.raises(ConfigError, match="path: expected a readable log file"):
        list(read_access_log(path, pattern="common"))


def test_history_with_an_endless_line_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    with gzip.open(path, "wb") as file:
        file.write(COMMON.encode() + b"\n")
        for _ in range(64):
            file.write(b"x" * 1_000_000)
        file.write(b"\n" + COMMON.encode())
    lines = AccessLogLines("web", pattern="common")
    tracemalloc.start()
    rows = sum(batch.num_rows for batch in read_access_log(path, lines=lines))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == 2
    assert lines.rejected_total == {"too_long": 1}
    assert [(one.reason, one.line) for one in lines.rejected] == [("too_long", "x" * 200)]
    assert peak_bytes < 16_000_000


@given(st.lists(st.binary(max_size=30)), st.integers(0, 2**32), st.booleans(), st.integers(1, 20))
def test_lines_do_not_depend_on_the_cut(
    pieces: list[bytes], seed: int, is_inside_line: bool, max_line_bytes: int
) -> None:
    data, rng = b"\n".join(pieces), random.Random(seed)
    *whole, last = data.split(b"\n")
    seen = [*whole, *([last] if last else [])][is_inside_line:]
    buffer = LineBuffer(max_line_bytes=max_line_bytes, is_inside_line=is_inside_line)
    got = b""
    while data:
        cut = rng.choice([1, rng.randint(1, 10), len(data)])
        got += buffer.feed(data[:cut])
        data = data[cut:]
    got += buffer.finish()
    assert got == b"".join(line + b"\n" for line in seen if len(line) <= max_line_bytes)
    assert buffer.too_long_total == sum(len(line) > max_line_bytes for line in seen)
