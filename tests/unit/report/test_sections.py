"""The sections of the report: objectives, comparison, data quality, certificates, sentences."""

import numpy as np
import pandas as pd
import pytest

from aiops_nb.config.load import parse_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.frames.summary import summarise
from aiops_nb.report.comparison import change_sentences, change_table, other_period
from aiops_nb.report.objectives import objective_table
from aiops_nb.report.quality import certificate_table, quality_table
from aiops_nb.report.sentences import summary_sentences

FIRST = pd.Timestamp("2026-05-28T00:00:00Z")


def rows(seconds, target="shop", status_code=200, duration=0.1, **more):
    times = [FIRST + pd.Timedelta(second, "s") for second in seconds]
    columns = {"time": times, "source": "web", "target": target, "origin": "probe", "status_code": status_code}
    frame = pd.DataFrame(columns | {"duration_seconds": duration, "error_type": None} | more)
    return frame.astype({"status_code": "Int16"})


def summary(**targets):
    return summarise(pd.concat([rows(range(100), target, **options) for target, options in targets.items()]))


def test_an_objective_says_how_much_of_its_budget_was_used():
    config = parse_config(OBJECTIVES)
    bad = [500] * 2 + [200] * 98
    table = objective_table(config, summary(shop={"status_code": bad}, cart={}, other={"status_code": bad}))
    assert table["target"].tolist() == ["shop", "*", "cart"]
    assert table["budget_used_ratio"].round(3).tolist() == [20.0, 13.333, 0.0]
    assert table["is_met"].tolist() == [False, False, True]


OBJECTIVES = "pipeline:\n  enable: [slo_burn_1h, slo_burn_6h]\n  window:\n    objective_targets: [shop, cart]\n"


def test_the_period_before_is_of_the_same_length_and_another_ends_before_the_reported_one():
    last = FIRST + pd.Timedelta("6h")
    assert other_period("before", FIRST, last) == (FIRST - pd.Timedelta("6h"), FIRST)
    start, end = other_period("2026-05-27T20:00:00Z", FIRST, last)
    assert (str(start), end) == ("2026-05-27 20:00:00+00:00", FIRST)
    with pytest.raises(ConfigError, match="compare_to: expected a time before 2026-05-28T00:00:00Z"):
        other_period("2026-05-28T00:00:00Z", FIRST, last)
    with pytest.raises(ConfigError, match="compare_to: expected a time such as"):
        other_period("earlier", FIRST, last)


def test_changes_are_told_in_order_of_size_and_targets_that_come_and_go_first():
    before = summary(shop={}, gone={}, same={})
    now = summary(shop={"duration": 0.4, "status_code": [500] * 30 + [200] * 70}, new={}, same={})
    said = change_sentences(change_table(now, before))
    assert set(said[:2]) == {"gone: no requests in this period, before 100.", "new: new in this period."}
    assert said[2:] == ["shop: errors 30 %, before 0 %.", "shop: p95 400 ms, before 100 ms (4 times)."]


def test_an_equal_period_has_no_changes():
    same = summary(shop={}, cart={"duration": 0.3})
    assert change_sentences(change_table(same, same)) == []


def test_gaps_and_late_rows_are_counted_for_each_target():
    seconds = [*range(50), *range(110, 150), 100]  # a pause of a minute; one row is late
    table = quality_table(rows(seconds), rows(range(0, 300, 10), "cart"))
    shop, cart = (table[table["target"] == name].iloc[0] for name in ("shop", "cart"))
    assert (shop["gaps"], shop["longest_gap_seconds"], shop["late_rows"]) == (2, 51.0, 1)
    assert shop["largest_lateness_seconds"] == 49.0
    assert (cart["gaps"], cart["interval_seconds"], cart["late_rows"]) == (0, 10.0, 0)


def test_no_rows_and_one_row_have_no_gaps():
    assert quality_table(rows([])).empty
    one = quality_table(rows([5])).iloc[0]
    assert (one["rows"], one["gaps"], np.isnan(one["interval_seconds"])) == (1, 0, True)


def test_the_certificate_that_ends_first_is_at_the_top():
    ends = [FIRST + pd.Timedelta("30D"), FIRST + pd.Timedelta("9D"), FIRST + pd.Timedelta("99D")]
    frames = [rows([0, 10], name, certificate_expires=end) for name, end in zip("abc", ends, strict=True)]
    table = certificate_table(pd.concat([*frames, rows([0], "plain", certificate_expires=pd.NaT)]))
    assert table["target"].tolist() == ["b", "a", "c"]
    assert table["remaining_seconds"].iloc[0] == 9 * 86_400 - 10


NO_ALERTS = pd.DataFrame(columns=["starts_at", "ends_at", "inhibited_by", "alertname", "target"])


def test_what_needs_attention_is_said_in_sentences():
    table = summary(shop={"status_code": [500] * 2 + [200] * 98}, cart={"duration": 0.3})
    objectives = objective_table(parse_config(OBJECTIVES), table)
    said = summary_sentences(table, NO_ALERTS, objectives, quality_table(rows([0, 1, 2, 100])))
    assert said == [
        "Errors: shop (2 % of 100 requests, worst minute 2026-05-28 00:00:00).",
        "Slowest: cart with a p95 of 300 ms (median 300 ms).",
        "Objectives missed: shop (2 % errors, 20.0 times its budget), all targets (1 % errors, 10.0 times its budget).",
        "Missing data: shop (98 % of the time, longest 98 s).",
    ]


def test_a_range_without_requests_says_that_nothing_needs_attention():
    empty = summarise(rows([]))
    said = summary_sentences(empty.reindex(columns=["error_ratio", "p95_seconds"]), NO_ALERTS, NO_ALERTS, NO_ALERTS)
    assert said == ["Nothing needs attention: no errors, no alerts, no gaps."]
