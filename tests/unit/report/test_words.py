"""What people read: cells, headings, HTML."""

import math

import pandas as pd
import pytest

from aiops_nb.report.formatting import in_words
from aiops_nb.report.html import details_html, heading, table_html


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("requests", 1234, "1,234"),
        ("score", 6.12345, "6.12"),
        ("alerts_per_day", 2270.4, "2,270"),
        ("holds", True, "yes"),
        ("p95_seconds", 0.0, "0 ms"),
        ("p95_seconds", 119.0, "119 s"),
        ("lasted_seconds", 121.0, "2 min 1 s"),
        ("error_ratio", 0.999999, "99.9999 %"),
        ("held_bytes", 5e13, "50 TB"),
        ("rate_hz", 0.5, "0.5/s"),
        ("starts_at", pd.Timestamp("2026-01-01T01:00:00+01:00"), "2026-01-01 00:00:00"),
        ("starts_at", pd.NaT, "-"),
        ("value", math.nan, "-"),
        ("value", None, "-"),
        ("threshold", math.inf, "infinite"),
        ("target", "", "-"),
    ],
)
def test_a_cell_reads_in_its_unit(name, value, shown):
    assert in_words(name, value) == shown


def test_what_was_recorded_cannot_write_html():
    table = pd.DataFrame({"target": ["<script>alert(1)</script>"], "severity": ['"><img src=x>']})
    text = table_html(table).text + details_html([("<b>", table_html(table))]).text
    assert "<script>" not in text
    assert "<img" not in text
    assert "<b>" not in text


def test_an_empty_table_says_so():
    assert "None." in table_html(pd.DataFrame()).text
    assert "None." in details_html([]).text


def test_a_heading_has_no_unit():
    assert [heading(name) for name in ("held_bytes", "p95_seconds", "requests_total")] == ["held", "p95", "requests"]
