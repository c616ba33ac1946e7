"""How faults and alerts are matched when all rules are measured, and that the page has what the command writes."""

from __future__ import annotations

import pytest

from aiops_nb.collect.synthetic import KINDS, Fault, FaultLabel
from aiops_nb.engine.params import PipelineParams
from benchmarks.rules import streams, write
from benchmarks.rules.notified import Notified, Run, run
from benchmarks.rules.outcome import RIGHT, at_random, covers, false_alarms, outcomes
from benchmarks.rules.table import ALARM_HEAD, KIND_HEAD, alarms_table, kinds_table
from tests.paths import ROOT

PAGE = ROOT / "docs" / "explanation" / "rule-benchmarks.md"
SECOND_NS = 10**9


def notified(second, target, alertname="request_failed"):
    return Notified(time_ns=second * SECOND_NS, alertname=alertname, target=target)


def a_run(*alerts):
    stream = streams.Stream(making="faults", seconds=1000, options={"targets": 2}, halved=(False,))
    label = FaultLabel(kind="outage", target="a", start_ns=100 * SECOND_NS, end_ns=200 * SECOND_NS)
    return Run(stream=stream, start_ns=0, labels=(label,), notified=alerts)


@pytest.mark.parametrize(
    ("alert", "is_found", "is_false"),
    [
        (notified(101, "a"), True, False),
        (notified(319, "*", "error_ratio_overall"), True, False),
        (notified(101, "b"), False, False),
        (notified(99, "a"), False, True),
        (notified(321, "a"), False, True),
    ],
    ids=["found", "all together, late", "another", "before", "too late"],
)
def test_an_alert_finds_a_fault_in_its_time_and_place(alert, is_found, is_false):
    of_it = a_run(alert)
    assert [bool(one.found) for one in outcomes(of_it)] == [is_found]
    assert bool(false_alarms(of_it)) == is_false


def test_the_first_alert_names_the_fault_and_tells_the_delay():
    [right] = outcomes(a_run(notified(105, "a"), notified(110, "a", "latency_p95_anomaly")))
    [late] = outcomes(a_run(notified(110, "a", "latency_p95_anomaly"), notified(115, "a")))
    assert (right.is_named, right.delay_seconds, len(right.notified)) == (True, 5.0, 2)
    assert (late.is_named, late.is_named_later, late.delay_seconds) == (False, True, 10.0)


def test_a_path_below_a_service_is_its_own():
    label = FaultLabel(kind="path_probe", target="a", start_ns=0, end_ns=1)
    assert covers(notified(0, "a/path-7"), label) and not covers(notified(0, "ab"), label)


def test_chance_has_as_many_alerts_of_the_same_names():
    of_it = a_run(*(notified(second, "a") for second in range(100, 150)))
    [chance] = at_random([of_it], seed=1)
    assert len(chance.notified) == 50 and chance.notified != of_it.notified
    assert [chance] == at_random([of_it], seed=1)


def test_a_stream_is_told_as_it_would_be_live():
    outage = Fault(kind="outage", start_seconds=20, length_seconds=10, target="service-1")
    stream = streams.Stream(
        making="faults", seconds=40, options={"targets": 2, "rate_hz": 3, "faults": [outage]}, halved=(False,)
    )
    [found] = outcomes(run(stream))
    assert found.is_named and found.delay_seconds < 5
    assert not run(stream, PipelineParams(row_rules=(), feature_rules=(), client_rules=())).notified


def test_each_kind_is_drawn_at_both_sizes_and_in_no_fault_s_rest():
    every = streams.faulty(streams.DEVELOPMENT, rounds=2)
    drawn = [fault for stream in every for fault in stream.options["faults"]]
    assert all(sum(fault.kind == kind for fault in drawn) == 4 for kind in KINDS)
    assert sum(half for stream in every for half in stream.halved) * 2 == len(drawn)
    for stream in every:
        ends = [fault.start_seconds + fault.length_seconds for fault in stream.options["faults"]]
        starts = [fault.start_seconds for fault in stream.options["faults"]][1:]
        assert all(start - end == streams.REST_SECONDS for start, end in zip(starts, ends, strict=False))
        assert stream.seconds <= streams.STREAM_SECONDS


def test_seeds_of_development_and_of_the_report_are_apart():
    seeds = [
        {one.options["seed"] for one in (*streams.faulty(first, 3), *streams.healthy(first + 500, 1))}
        for first in (streams.DEVELOPMENT, streams.REPORT)
    ]
    assert not seeds[0] & seeds[1]


def test_every_kind_has_names_by_which_it_is_known():
    assert set(RIGHT) == set(KINDS)


def test_tables_are_put_between_their_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- kinds -->\nold\n<!-- end kinds -->\nafter\n", encoding="utf-8")
    write(page, {"kinds": "| new |"})
    assert page.read_text(encoding="utf-8") == "before\n<!-- kinds -->\n\n| new |\n\n<!-- end kinds -->\nafter\n"


def table_on_the_page(name):
    return PAGE.read_text(encoding="utf-8").split(f"<!-- {name} -->\n\n")[1].split(f"\n\n<!-- end {name} -->")[0]


def shape(table):
    """Head, rule, and of each row its first cell and the number of cells."""
    head, rule, *rows = table.splitlines()
    return head, rule, [(row.split(" | ")[0], row.count(" | ")) for row in rows]


def test_the_page_has_the_tables_that_the_command_writes():
    of_it = a_run(notified(101, "a"))
    kinds = kinds_table(outcomes(of_it), outcomes(of_it))
    assert shape(table_on_the_page("kinds")) == shape(kinds)
    on_page, written = shape(table_on_the_page("false alarms")), shape(alarms_table([of_it], [of_it]))
    assert on_page[:2] == written[:2] and len(KIND_HEAD) == 9 and len(ALARM_HEAD) == 6
    assert [row[0] for row in on_page[2]] == [
        *(f"| {name}" for name in streams.SCENARIOS),
        "| all of these",
        "| between faults",
    ]
