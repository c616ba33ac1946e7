"""The lines of --json: one encoder, deterministic bytes, nothing invented."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.cli.output import alert_line, alert_text, symbols_for
from aiops_nb.core.labels import rfc3339
from aiops_nb.core.types import AlertChange

LABELS = {
    "target": "http://127.0.0.1/a",
    "alertname": "http_5xx",
    "severity": "error",
    "detector": "row",
    "origin": "probe",
}
KEYS = [
    "acknowledged_by", "contributions", "ends_at", "expected", "fingerprint", "flapping", "inhibited_by", "labels",
    "lower", "note", "pending_at", "score", "silenced_by", "starts_at", "state", "summary", "threshold", "time",
    "update", "upper", "value",
]  # fmt: skip


def change(**fields: object) -> AlertChange:
    """An alert change of which only some fields matter."""
    base = {"time_ns": 1, "state": "firing", "labels": LABELS, "fingerprint": "f", "pending_at_ns": 1}
    return AlertChange(**base | fields)  # type: ignore[arg-type]


def test_keys_are_sorted_at_every_level() -> None:
    pairs = json.loads(alert_line(change()), object_pairs_hook=list)
    assert [key for key, _ in pairs] == KEYS
    assert [key for key, _ in dict(pairs)["labels"]] == sorted(LABELS)


def test_what_is_not_known_is_null() -> None:
    record = json.loads(alert_line(change(value=float("inf"), score=float("nan"))))
    assert [record[key] for key in ("value", "score", "upper", "ends_at", "starts_at")] == [None] * 5


def test_the_order_of_labels_changes_no_byte() -> None:
    assert alert_line(change()) == alert_line(change(labels=dict(reversed(LABELS.items()))))


@pytest.mark.parametrize("summary", ['a "quoted" \n line', "naïve ✓", "\u2028", "\x00"])
def test_a_summary_stays_on_one_line(summary: str) -> None:
    line = alert_line(change(summary=summary))
    assert len(line.encode().splitlines()) == 1
    assert json.loads(line)["summary"] == summary


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_to_the_bit(value: float) -> None:
    assert json.loads(alert_line(change(value=value)))["value"] == value


@given(st.integers(min_value=0, max_value=2**63 - 1), st.integers(min_value=0, max_value=2**63 - 1))
def test_times_sort_as_text_as_they_do_as_numbers(a: int, b: int) -> None:
    assert (rfc3339(a) < rfc3339(b)) == (a < b)


def test_text_is_aligned_whatever_the_state() -> None:
    lines = [alert_text(change(state=state)) for state in ("pending", "firing", "resolved", "inactive")]
    assert len({line.index("http://") for line in lines}) == 1


def test_a_terminal_without_symbols_gets_plain_ones() -> None:
    text = alert_text(change(), symbols_for("ascii"))
    assert text.encode("ascii")
    assert "! firing" in text
