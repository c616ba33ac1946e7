"""The page reader beside the parser of prometheus_client, which reads the same but slowly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_open_metrics
from prometheus_client.parser import text_string_to_metric_families

from aiops_nb.collect.prometheus.exposition import DROPPED, PageReader, PageSeries


def read(page, **more):
    """Values by name and labels, the series, and all that was found."""
    series: list[PageSeries] = []
    reader = PageReader(lambda one: series.append(one) or len(series) - 1)
    found = reader.read(page, **more)
    again = reader.read(page, **more)  # by the lines that are known now
    assert again.places.tolist() == found.places.tolist()
    assert [repr(value) for value in again.values] == [repr(value) for value in found.values]
    named = [(series[place].name, frozenset(series[place].labels.items())) for place in found.places.tolist()]
    return dict(zip(named, found.values.tolist(), strict=True)), series, found


def by_library(page):
    samples = [sample for family in text_string_to_metric_families(page.decode()) for sample in family.samples]
    return {
        (sample.name, frozenset((name, value) for name, value in sample.labels.items() if value)): sample.value
        for sample in samples
    }


def same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert value == theirs[name] or (math.isnan(value) and math.isnan(theirs[name]))


LABEL_VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12) | st.sampled_from(
    ['a"b', "a\\b", "a\nb", "{}", "a=b,c", "# EOF", " x ", 'le="1"']
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(LABEL_VALUES, st.floats(), max_size=8),
    st.lists(st.floats(min_value=0, max_value=100), max_size=8),
)
def test_pages_of_the_python_client_read_the_same(gauges, observations):
    registry = CollectorRegistry()
    gauge = Gauge("load", "A gauge\nof \\ two lines.", ["part"], registry=registry)
    for part, value in gauges.items():
        gauge.labels(part).set(value)
    histogram = Histogram("duration_seconds", "d", registry=registry)
    summary = Summary("size_bytes", "s", registry=registry)
    counter = Counter("jobs", "j", registry=registry)
    for value in observations:
        histogram.observe(value)
        summary.observe(value)
        counter.inc(value)
    page = generate_latest(registry)
    ours, _, found = read(page)
    same(ours, by_library(page))
    assert not found.malformed
    open_page = generate_open_metrics(registry)
    ours, series, found = read(open_page, times_in_seconds=True)
    assert found.is_ended and not found.malformed
    assert {(one.family, one.kind) for one in series} >= {("jobs", "counter"), ("duration_seconds", "histogram")}


def test_exemplars_and_times():
    page = b"""# TYPE duration_seconds histogram
duration_seconds_bucket{le="0.1"} 8 # {trace_id="a b # c"} 0.054 1700000000.5
duration_seconds_bucket{le="+Inf"} 11 1700000001.5 # {} 9
timed{part="a b"} 3 1700000002
untimed 1e3
# EOF
"""
    values, series, found = read(page, times_in_seconds=True)
    assert list(values.values()) == [8.0, 11.0, 3.0, 1000.0]
    assert found.times == {1: 1700000001.5, 2: 1700000002.0}
    assert read(b"timed 3 1700000002000\n")[2].times == {0: 1700000002.0}
    assert series[2].labels == {"part": "a b"}


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b"1name 3",
        b'open{part="a 3',
        b'open{part="a"',
        b'part{a="b",,c="d"} 3',
        b"part{a=b} 3",
        b"novalue",
        b"word three",
        b'bytes{a="\xff\xfe"} 3',
        b"x" * 5000 + b" 1",
        b'{"quoted.name"} 3',
        b"\x00\x01\x02 3",
    ],
)
def test_a_malformed_line_is_counted_and_costs_no_other(line):
    values, _, found = read(b"before 1\n" + line + b"\nafter 2\r\n\n")
    assert found.malformed == 1
    assert list(values.values()) == [1.0, 2.0]


def test_the_type_of_a_family_may_change():
    series: list[PageSeries] = []
    reader = PageReader(lambda one: series.append(one) or len(series) - 1)
    reader.read(b"# TYPE jobs gauge\njobs 1\nother 1\n")
    reader.read(b"# TYPE jobs counter\njobs 1\nother 1\n")
    assert [(one.name, one.kind) for one in series] == [("jobs", "gauge"), ("other", "unknown"), ("jobs", "counter")]


def test_dropped_series_are_counted_as_samples():
    reader = PageReader(lambda one: DROPPED)
    for _ in range(2):
        found = reader.read(b'a{b="c"} 1\nb 2\n')
        assert (found.samples, len(found.places)) == (2, 0)
