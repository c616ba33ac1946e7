"""What makes two alerts the same, and how many targets make a group."""

from __future__ import annotations

import pytest

from aiops_nb.alert.grouping import Grouping, GroupingParams
from aiops_nb.alert.identity import fingerprint, labels_of
from aiops_nb.core.types import AlertChange, SeriesKey

KEY = SeriesKey("shop", origin="probe")


@pytest.mark.parametrize(
    "other",
    [
        SeriesKey("shop", origin="traffic"),
        SeriesKey("shop"),
        SeriesKey("shop2", origin="probe"),
        SeriesKey("shop", metric="probe"),
        SeriesKey("shop", origin="probe", client="203.0.113.7"),
    ],
    ids=["origin", "no origin", "target", "metric", "client"],
)
def test_each_part_of_a_series_makes_another_alert(other):
    one, two = (fingerprint(labels_of("http_5xx", "error", "row_rule", key)) for key in (KEY, other))
    assert one != two


@pytest.mark.parametrize("changed", [("http_4xx", "error", "row_rule"), ("http_5xx", "info", "row_rule")])
def test_the_rule_and_its_severity_make_another_alert(changed):
    assert fingerprint(labels_of("http_5xx", "error", "row_rule", KEY)) != fingerprint(labels_of(*changed, KEY))


def change(target, state="firing"):
    labels = labels_of("http_5xx", "error", "row_rule", SeriesKey(target, origin="probe"))
    return AlertChange(
        time_ns=5, state=state, labels=labels, fingerprint=fingerprint(labels), pending_at_ns=4, starts_at_ns=5
    )


@pytest.mark.parametrize(
    ("heard", "min_ratio", "quorum"),
    [(7, 0.5, 4), (6, 0.5, 3), (8, 0.5, 4), (9, 0.5, 5), (10, 0.34, 4), (4, 0.5, 3), (3, 1.0, 3)],
)
def test_a_share_of_the_targets_is_rounded_up(heard, min_ratio, quorum):
    params = GroupingParams(min_targets=3, min_ratio=min_ratio)
    grouping = Grouping(params, ["http_5xx"], lambda origin: heard, lambda: 0)
    grouped = [
        any(one.labels["target"] == "*" for one in grouping.apply([change(f"t{number}")])) for number in range(heard)
    ]
    assert grouped.index(True) == quorum - 1 and sum(grouped) == 1


def test_a_group_names_its_members_at_its_beginning_and_all_that_had_it_at_its_end():
    grouping = Grouping(GroupingParams(), ["http_5xx"], lambda origin: 6, lambda: 0)
    changes = grouping.apply([change(name) for name in "abcd"])
    changes += grouping.apply([change(name, "resolved") for name in "abcd"])
    begun, ended = (one for one in changes if one.labels["target"] == "*")
    assert begun.members == ("a", "b", "c") and ended.members == ("a", "b", "c", "d")
