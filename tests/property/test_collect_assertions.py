"""The parser of assertions takes any text: it parses or refuses, and never fails otherwise."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from aiops_nb.collect.http.assertion_check import broken
from aiops_nb.collect.http.assertions import Assertion, Between, parse_assertion
from aiops_nb.collect.http.result import Outcome
from aiops_nb.core.errors import ConfigError

WORDS = [
    *("status", "duration", "body", "json", "certificate_expires", "$", "$.a", "[0]", "200", "..", "200..299", "1.5"),
    *("==", "!=", "<", "<=", ">", ">=", "in", "contains"),
    *("-3", "500ms", "14d", '"ok"', '"\\u00e9"', '"\\ud800"', '"\\', "true", "null"),
]
ALMOST = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=6).map(" ".join)
BODIES = st.binary(max_size=20) | st.sampled_from([b"{}", b'{"a": [1]}', b'"ok"', b"200", b"true"])


@given(text=st.text() | ALMOST, body=st.none() | BODIES)
@example(text="status == ²⁰⁰", body=None)
@example(text="\ud800", body=None)
def test_any_text_is_parsed_or_refused(text: str, body: bytes | None) -> None:
    try:
        assertion = parse_assertion(text)
    except ConfigError as refusal:
        assert str(refusal).startswith("assertion, character ") and str(refusal).isprintable()
        return
    assert isinstance(assertion, Assertion) and assertion.text == text
    reply = Outcome(duration_seconds=0.1, status_code=200, body=body)
    assert all(found.isprintable() for _, found in broken([assertion], reply, 0))


@given(low=st.integers(100, 999), high=st.integers(100, 999), status=st.integers(100, 999))
def test_a_range_holds_for_what_lies_in_it(low: int, high: int, status: int) -> None:
    low, high = sorted((low, high))
    assertion = parse_assertion(f"status in {low}..{high}")
    assert assertion.operand == Between(low=low, high=high)
    reply = Outcome(duration_seconds=0.1, status_code=status)
    assert (broken([assertion], reply, 0) == ()) is (low <= status <= high)
