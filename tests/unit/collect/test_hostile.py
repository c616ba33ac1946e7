"""Hostile lines at each door, in a process of its own: good rows arrive, bad lines are counted, memory is flat."""

from __future__ import annotations

import sys

import pytest

from benchmarks.hostile import Door, visited
from benchmarks.hostile_formats import LINES as FORMS

LINES = 50_000
JSON_REASONS = {"invalid_json", "wrong_type", "too_deep", "too_long", "time_out_of_range"}
LOG_REASONS = {"not_the_pattern", "time_not_understood", "status_out_of_range", "not_a_number", "too_long"}


@pytest.mark.skipif(sys.platform == "win32", reason="a log that is open cannot be removed there")
@pytest.mark.parametrize(
    ("door", "reasons"),
    [
        ("tcp", JSON_REASONS),
        ("websocket", JSON_REASONS - {"too_long"}),  # a message of 10 MB is below its limit, and is read
        ("access_log", LOG_REASONS),
        ("access_log_json", LOG_REASONS),
    ],
)
def test_no_line_is_lost_and_memory_stays_flat(door: Door, reasons: set[str]) -> None:
    seen = visited(door, LINES)
    assert seen["good"] > LINES / 3
    assert (seen["rows"], sum(seen["rejected"].values())) == (seen["good"], seen["bad"])
    assert (set(seen["rejected"]), seen["samples"]) == (reasons, 20)
    assert seen["unused"] == seen["elsewhen"] > 0, "rows of 1971 and of 2200 judge nothing"
    assert seen["peak_mib"] < 40, "a line of 10 MB, and what is gathered for a batch"


@pytest.mark.skipif(sys.platform == "win32", reason="a log that is open cannot be removed there")
@pytest.mark.parametrize("name", list(FORMS))
def test_every_named_form_counts_each_line(name: str) -> None:
    seen = visited(f"access_log_{name}", 6_000)
    assert seen["good"] > 2_000
    assert (seen["rows"], sum(seen["rejected"].values())) == (seen["good"], seen["bad"]), seen
    assert set(seen["rejected"]) <= LOG_REASONS
