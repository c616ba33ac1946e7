"""What people read: cells, headings, HTML."""

import math

import pandas as pd
import pytest

from aiops_nb.report.formatting import cell_text
from aiops_nb.report.html import details_html, heading, list_html, paragraph_html, table_html


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("requests", 1234, "1,234"),
        ("score", 6.12345, "6.123"),
        ("alerts_per_day", 2270.4, "2,270"),
        ("holds", True, "yes"),
        ("p95_seconds", 0.0, "0 s"),
        ("p95_seconds", 119.0, "119 s"),
        ("lasted_seconds", 180.0, "3 min"),
        ("error_ratio", 0.999999, "99.9999 %"),
        ("held_bytes", 2.0**45, "32 TiB"),
        ("rate_hz", 0.5, "0.5 /s"),
        ("starts_at", pd.Timestamp("2026-01-01T01:00:00+01:00"), "2026-01-01 01:00:00"),
        ("starts_at", pd.NaT, "-"),
        ("value", math.nan, "-"),
        ("value", None, "-"),
        ("threshold", math.inf, "infinite"),
        ("target", "", "-"),
    ],
)
def test_a_cell_reads_in_its_unit(name, value, shown):
    assert cell_text(name, value) == shown


EVIL = """"'><script>alert(1)</script><img src=x onerror=alert(2)>&{{ 7 * 7 }}"""


def test_no_recorded_text_becomes_markup():
    names = ["target", "severity", "summary", "inhibited_by", "alertname", "error_detail", EVIL]
    table = table_html(pd.DataFrame({name: [EVIL] for name in names}), nothing=EVIL)
    shown = details_html([(EVIL, table), (EVIL, list_html([EVIL])), (EVIL, paragraph_html(EVIL, css=EVIL))]).text
    assert "<script" not in shown
    assert "<img" not in shown
    assert "49" not in shown
    assert "alert(1)&lt;" in shown


def test_an_empty_table_says_so():
    assert all("None." in html.text for html in (table_html(pd.DataFrame()), details_html([]), list_html([])))


def test_a_heading_has_no_unit():
    assert [heading(name) for name in ("held_bytes", "p95_seconds", "requests_total")] == ["held", "p95", "requests"]
