"""The statistics of a session as tables, as text and in a notebook; names from outside stay text."""

import pandas as pd
import pytest

from aiops_nb.demo import demo_recording
from aiops_nb.frames.summary import session_summary
from aiops_nb.session.recording import open_recording

START = pd.Timestamp("2026-05-28T10:00:00Z")
PLANTED = "<img onerror=alert(1)>"


def requests(rows):
    """Rows of (second, target, status, duration, client)."""
    columns = ["second", "target", "status_code", "duration_seconds", "client_ip"]
    frame = pd.DataFrame(rows, columns=columns).astype({"status_code": "Int16"})
    times = START + pd.to_timedelta(frame.pop("second"), unit="s")
    return frame.assign(time=times, origin="traffic", error_type=None)


@pytest.fixture(scope="module")
def found():
    rows = [(second, "/a", 200, 0.1, "10.0.0.1") for second in range(60)]
    rows += [(60 + second, "/b", 500 if second < 30 else 200, 0.4, "10.0.0.2") for second in range(60)]
    return session_summary(requests([*rows, (120, PLANTED, 200, 99.0, None)]))


def test_it_counts_all_requests_and_errors(found):
    assert found.headline() == "121 requests to 3 targets, 24.8 % errors."
    assert found.targets["target"].tolist() == ["/a", "/b", PLANTED]
    assert found.clients["client_ip"].tolist() == ["10.0.0.1", "10.0.0.2"]
    assert found.clients["error_ratio"].tolist() == [0.0, 0.5]


def test_the_worst_minute_has_the_most_errors_then_the_slowest_requests(found):
    assert found.worst_minutes["minute"].dt.minute.tolist() == [1, 2, 0]


def test_print_shows_every_table_in_units(found):
    text = str(found)
    for part in ("Targets, the busiest first", "Clients", "Worst minutes (UTC)", "50 %", "400 ms", "2026-05-28 10:01"):
        assert part in text
    assert repr(found) == "<SessionSummary: 121 requests to 3 targets, 24.8 % errors.>"


def test_a_notebook_shows_names_as_text(found):
    html = found._repr_html_()
    assert PLANTED not in html
    assert "&lt;img onerror=alert(1)&gt;" in html


def test_no_requests_are_one_sentence():
    empty = session_summary(requests([]))
    assert str(empty) == "No requests."
    assert "No requests." in empty._repr_html_()


def test_a_recording_gives_it_for_a_range():
    summary = open_recording(demo_recording()).summary(end="2026-11-23T08:09:00Z")
    assert summary.clients.empty
    assert summary.requests_total == summary.targets["requests"].sum() > 0
