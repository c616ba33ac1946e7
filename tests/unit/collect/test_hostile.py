"""Hostile lines at each input, in a process of its own: good rows arrive, bad lines are counted, memory is flat."""

from __future__ import annotations

import sys

import pytest

from aiops_nb.collect.access_log.lines import AccessLogLines
from aiops_nb.collect.json_lines.line_buffer import LineBuffer
from benchmarks.hostile import Input, visited
from benchmarks.hostile_formats import HEADERS
from benchmarks.hostile_formats import LINES as FORMS
from benchmarks.hostile_lines import hostile_chunks

LINES = 50_000
JSON_REASONS = {"invalid_json", "wrong_type", "too_deep", "too_long", "time_out_of_range"}
LOG_REASONS = {"not_the_pattern", "time_not_understood", "status_out_of_range", "not_a_number", "too_long"}


@pytest.mark.skipif(sys.platform == "win32", reason="a log that is open cannot be removed there")
@pytest.mark.parametrize(
    ("source", "reasons"),
    [
        ("tcp", JSON_REASONS),
        ("websocket", JSON_REASONS - {"too_long"}),  # a message of 10 MB is below its limit, and is read
        ("access_log", LOG_REASONS),
        ("access_log_json", LOG_REASONS),
    ],
)
def test_no_line_is_lost_and_memory_stays_flat(source: Input, reasons: set[str]) -> None:
    seen = visited(source, LINES)
    assert seen["good"] > LINES / 3
    assert (seen["rows"], sum(seen["rejected"].values())) == (seen["good"], seen["bad"])
    assert (set(seen["rejected"]), seen["samples"]) == (reasons, 20)
    assert seen["unused"] == seen["elsewhen"] > 0, "rows of 1971 and of 2200 judge nothing"
    assert seen["peak_mib"] < 40, "a line of 10 MB, and what is gathered for a batch"


@pytest.mark.parametrize("name", list(FORMS))
def test_every_named_form_counts_each_line(name: str) -> None:
    lines = AccessLogLines("web", pattern=name)
    buffer = LineBuffer(on_too_long=lines.reject_too_long)
    lines.decode(HEADERS.get(name, "").encode())
    good = rows = 0
    for chunk, some, _ in hostile_chunks(6_000, name):
        rows += lines.decode(buffer.feed(chunk)).num_rows
        good += some
    assert good > 2_000
    assert (rows, sum(lines.rejected_total.values())) == (good, 6_000 - good), lines.rejected
    assert set(lines.rejected_total) <= LOG_REASONS
