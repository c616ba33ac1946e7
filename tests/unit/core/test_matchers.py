"""Matchers on labels, as Alertmanager reads them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.matchers import Matcher, matches_all, parse_matchers

LABELS = {"alertname": "http_5xx", "severity": "error", "target": "api-2"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ('severity="error"', True),
        ("severity=error", True),
        ('{severity="error", target=~"api.*"}', True),
        ('{severity="error",target=~"ap"}', False),  # anchored
        ('severity!="warning"', True),
        ('target!~"api-[0-9]+"', False),
        ('missing=""', True),
        ('missing!=""', False),
        ('missing=~".+"', False),
        ('severity="error",', True),
        ("", True),
        ('target="api-2", severity=~"error|critical"', True),
    ],
)
def test_matchers_of_alertmanager(text, matches):
    assert matches_all(parse_matchers(text), LABELS) is matches


@pytest.mark.parametrize(
    "text",
    [
        "severity",
        "=x",
        'severity=="error"',
        'severity="error" target="a"',
        "1a=b",
        'a="b',
        'a=~"("',
        'a=~"(?=x)"',
        "a" * 3000,
    ],
)
def test_what_is_no_matcher_is_refused_with_its_place(text):
    with pytest.raises(ConfigError, match=r"^silences\.matchers: (regex: )?expected"):
        parse_matchers(text, "silences.matchers")


def test_a_mapping_of_values_is_the_same_in_words():
    parsed = parse_matchers({"severity": ["error", "critical"], "target": "a.b", "client": ("x",)})
    assert matches_all(parsed, {"severity": "critical", "target": "a.b", "client": "x"})
    assert not matches_all(parsed, {"severity": "critical", "target": "aab", "client": "x"})
    assert not matches_all(parse_matchers({"target": ["a.b", "c"]}), {"target": "aab"})


def test_a_regular_expression_of_a_stranger_takes_linear_time():
    began = time.monotonic()
    assert not Matcher("target", "=~", "(a+)+b").matches({"target": "a" * 5000})
    assert time.monotonic() - began < 1.0


@given(st.lists(st.tuples(st.sampled_from(["a", "_b1"]), st.sampled_from(["=", "!="]), st.text(max_size=20))))
def test_what_is_written_is_read_again(parts):
    matchers = tuple(Matcher(*part) for part in parts)
    assert parse_matchers(",".join(map(str, matchers))) == matchers
