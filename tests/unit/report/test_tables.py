"""The figures of the report on tiny literal rows whose answers are known."""

import math

import pandas as pd
import pytest

from aiops_nb.core.errors import RecordingError
from aiops_nb.frames.build import ALERT_COLUMNS
from aiops_nb.frames.summary import availability_ratio, summarise
from aiops_nb.report.tables import (
    alert_table,
    alerts_html,
    alerts_of,
    gap_ratio,
    headline,
    observed_range,
    only_targets,
)

START = pd.Timestamp("2026-01-01T00:00:00Z")


def at(second):
    return START + pd.Timedelta(seconds=second)


def requests(rows, target="a", origin="probe"):
    """Rows of (second, status, duration, error)."""
    columns = ["second", "status_code", "duration_seconds", "error_type"]
    table = pd.DataFrame(rows, columns=columns).astype({"status_code": "float", "error_type": object})
    times = pd.to_datetime([at(second) for second in table.pop("second")])
    return table.assign(time=times, target=target, origin=origin)


def alert(**fields):
    moments = {"pending_at": at(9), "starts_at": at(10), "ends_at": pd.NaT, "state": "firing", "target": "a"}
    texts = dict.fromkeys(("alertname", "severity", "origin", "metric", "detector", "summary"), "x")
    return dict.fromkeys(ALERT_COLUMNS, math.nan) | moments | texts | {"inhibited_by": "", "members": ()} | fields


def alerts(*rows):
    table = pd.DataFrame(list(rows), columns=list(ALERT_COLUMNS))
    return table.assign(**{name: pd.to_datetime(table[name], utc=True) for name in ("starts_at", "ends_at")})


def test_a_summary_counts_errors_and_takes_latency_from_answers_only():
    rows = requests([(1, 200, 0.1, None), (2, 404, 0.2, None), (3, 503, 0.3, None), (4, None, 9.0, "timeout")])
    line = summarise(rows).iloc[0]
    assert (line["requests"], line["error_ratio"], line["status_4xx_ratio"]) == (4, 0.5, 0.25)
    assert line["p50_seconds"] == pytest.approx(0.2)
    assert line["p99_seconds"] == pytest.approx(0.298)


def test_a_target_that_never_answered_has_no_latency():
    line = summarise(requests([(1, None, 0.1, "connect"), (2, None, 0.1, "connect")])).iloc[0]
    assert line["error_ratio"] == 1
    assert math.isnan(line["p50_seconds"])


def test_probes_and_traffic_of_one_target_are_told_apart():
    both = pd.concat([requests([(1, 200, 0.1, None)]), requests([(1, 500, 0.1, None)] * 2, origin="traffic")])
    table = summarise(both).set_index("origin")
    assert table["requests"].to_dict() == {"probe": 1, "traffic": 2}
    assert table["error_ratio"].to_dict() == {"probe": 0, "traffic": 1}


def test_no_requests_give_an_empty_summary():
    assert summarise(requests([])).empty


def test_the_worst_minute_has_most_errors_then_is_slowest():
    rows = requests([(1, 200, 9.0, None), (61, 500, 0.1, None), (62, 200, 0.1, None), (121, 200, 0.2, None)])
    line = summarise(rows).iloc[0]
    assert line["worst_minute"] == at(60)
    assert line["worst_minute_error_ratio"] == 0.5
    good = summarise(requests([(1, 200, 0.1, None), (61, 200, 0.7, None)])).iloc[0]
    assert good["worst_minute"] == at(60)


@pytest.mark.parametrize(
    ("seconds", "bad", "expected"),
    [
        ([0, 1, 2, 3], [False] * 4, 1.0),
        ([0, 1, 2, 3], [False, True, True, False], 1 / 3),
        ([0, 10, 11], [False, True, False], 1 / 11),  # a timeout of 10 s weighs as long as it took
        ([0, 1000, 1001], [False, True, False], 1 / 31),  # a pause says at most 30 s
        ([5], [False], math.nan),
    ],
)
def test_availability_is_weighed_by_time(seconds, bad, expected):
    times = pd.Series(pd.to_datetime([at(second) for second in seconds]))
    assert availability_ratio(times, pd.Series(bad)) == pytest.approx(expected, nan_ok=True)


def test_availability_does_not_depend_on_the_order_of_rows():
    times = pd.Series(pd.to_datetime([at(second) for second in (3, 0, 2, 1)]))
    assert availability_ratio(times, pd.Series([False, False, True, True])) == pytest.approx(1 / 3)


def test_a_gap_is_a_pause_longer_than_allowed():
    times = pd.Series(pd.to_datetime([at(second) for second in (0, 20, 40, 100)]))
    assert gap_ratio(times) == 0.6
    assert gap_ratio(times, longest_pause_seconds=60) == 0
    assert math.isnan(gap_ratio(times[:1]))


def test_the_alert_table_has_what_fired_in_order():
    table = alert_table(
        alerts(
            alert(alertname="late", starts_at=at(30), ends_at=at(42), state="resolved"),
            alert(alertname="pending", starts_at=pd.NaT, state="pending"),
            alert(alertname="early", starts_at=at(10)),
        )
    )
    assert table["alertname"].tolist() == ["early", "late"]
    assert table["lasted_seconds"].tolist() == pytest.approx([math.nan, 12.0], nan_ok=True)


def test_the_alert_table_names_the_target_once():
    table = alert_table(alerts(alert(target="http://h/a", summary="http://h/a: answered 502, 3 times in a row")))
    assert table["summary"].tolist() == ["answered 502, 3 times in a row"]


def test_inhibited_alerts_are_folded_after_the_others():
    part = alert(target="b", inhibited_by="request_failed of many")
    text = alerts_html(alerts(part, alert(target="*", alertname="request_failed"), *[part] * 3)).text
    shown, _, folded = text.partition("<details")
    assert "<td" in shown and ">all targets</td>" in shown and ">b</td>" not in shown
    assert "<summary>4 inhibited alerts</summary>" in folded
    assert folded.count('<tr class="inhibited">') == 4
    assert ">inhibited by<" in folded and ">request_<wbr>failed of many<" in folded


def test_more_alerts_than_a_screen_holds_are_folded():
    text = alerts_html(alerts(*[alert(alertname=f"rule_{place}") for place in range(20)])).text
    assert text.partition("<details")[0].count("<tr") == 1 + 12
    assert "8 more alerts" in text


def test_no_alert_is_said():
    assert "No alerts." in alerts_html(alerts()).text


def test_a_member_of_a_group_keeps_its_alert():
    given = alerts(
        alert(target="*", alertname="request_failed", members=("a", "c")),
        alert(target="a", alertname="request_failed", inhibited_by="request_failed of many"),
        alert(target="b", alertname="http_5xx"),
        alert(target="*", alertname="latency_p95_anomaly", members=("b",)),
    )
    assert alerts_of(given, ["a"]).index.tolist() == [0, 1]
    assert alerts_of(given, ["b"]).index.tolist() == [2, 3]
    assert alerts_of(given, []).index.tolist() == [0, 1, 2, 3]
    assert alerts_of(given[:0], ["a"]).empty


def test_no_targets_named_means_all():
    rows = pd.concat([requests([(1, 200, 0.1, None)], target=name) for name in "ab"])
    assert only_targets(rows, [])["target"].tolist() == ["a", "b"]
    assert only_targets(rows, ["b"])["target"].tolist() == ["b"]


def test_the_headline_says_the_most_important_figures():
    rows = requests([(0, 200, 0.1, None), (60, 500, 0.1, None)])
    text = headline(summarise(rows), alerts(alert(alertname="http_5xx")), rows)
    assert text == (
        "2 requests to 1 target, 50 % errors, 2026-01-01 00:00:00 to 00:01:00 UTC (60 s). "
        "1 alert (1 http_5xx); 1 still firing."
    )


def test_the_headline_counts_inhibited_alerts_apart():
    rows = requests([(0, 200, 0.1, None), (60, 500, 0.1, None)])
    given = alerts(alert(alertname="http_5xx"), *[alert(inhibited_by="http_5xx", state="resolved")] * 2)
    assert headline(summarise(rows), given, rows).endswith(". 1 alert (1 http_5xx), 2 inhibited; 1 still firing.")


def test_the_headline_of_samples_alone_has_no_error_ratio():
    rows = requests([(0, 200, 0.1, None), (90_000, 200, 0.1, None)])
    text = headline(summarise(rows[:0]), alerts(), rows)
    assert text == "No requests, 2026-01-01 00:00:00 to 2026-01-02 01:00:00 UTC (25 h). 0 alerts."


def test_the_headline_is_short_whatever_was_recorded():
    rows = requests([(0, 200, 0.1, None), (60, 500, 0.1, None)])
    many = alerts(*[alert(alertname=f"rule_{place}", state="resolved") for place in range(500)])
    assert headline(summarise(rows), many, rows).endswith("1 rule_5, 494 other rules).")


def test_an_empty_range_is_one_clear_error():
    with pytest.raises(RecordingError, match="no requests and no samples in this range"):
        observed_range(requests([])["time"])
