"""Every alert ends: with its condition, with its data, with its source, and when monitoring stops."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, Item
from aiops_nb.engine.commands import SourceEnded, Start, Stop, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.frames.build import alerts_frame
from aiops_nb.rules.row.params import RowRuleParams

SECOND = NS_PER_SECOND
START = 1_780_000_000 * SECOND


class Stream:
    """A pipeline that is fed second by second."""

    def __init__(self, params: PipelineParams | None = None, cut: int = 1 << 30) -> None:
        self.pipeline, self.cut, self.changes = Pipeline(), cut, []
        self.command(Start(pipeline=params or PipelineParams()))

    def push(self, table, source, batch):
        for first in range(0, batch.num_rows, self.cut):
            item = Item(0, table, source, batch[first : first + self.cut])
            self.changes += self.pipeline.push(item).changes

    def command(self, command):
        self.push("control", "monitor", control_batch("monitor", "command", START, encode_command(command)))

    def beat(self, second):
        self.push("control", "clock", control_batch("clock", "heartbeat", START + round(second * SECOND)))

    def requests(self, times, targets, status, source="web", origin="traffic"):
        columns = {"time": START + np.round(np.array(times) * SECOND).astype(np.int64), "origin": origin}
        columns |= {"target": targets, "status_code": status, "duration_seconds": [0.02] * len(times)}
        self.push("requests", source, make_batch("requests", source, columns))

    def seen(self, alertname):
        return [(c.state, c.labels["target"], c.outcome) for c in self.changes if c.labels["alertname"] == alertname]


def fails_and_goes_on(stream, seconds, broken="/component/9"):
    """One path that fails four times in minute two and is never asked again, among traffic that goes on."""
    for second in range(seconds):
        rows = [(second, "/", 200)] + ([(second + 0.1, broken, 500)] if 100 <= second < 104 else [])
        times, targets, status = zip(*rows, strict=True)
        stream.requests(times, list(targets), list(status))


def test_a_path_that_nobody_requests_again_does_not_fire_for_ever():
    stream = Stream()
    fails_and_goes_on(stream, 100 + 15 * 60 + 20)
    assert stream.seen("http_5xx") == [
        ("pending", "/component/9", ""),
        ("firing", "/component/9", ""),
        ("resolved", "/component/9", "no data for 15 min"),
    ]
    assert stream.changes[-1].summary.endswith(", no data for 15 min")
    assert (stream.changes[-1].ends_at_ns - START) / SECOND == pytest.approx(1003, abs=1)


def test_the_time_can_be_set_for_each_rule_or_turned_off():
    never = RowRuleParams(alertname="never", condition="status_5xx", close_after_seconds=None)
    quick = RowRuleParams(alertname="quick", condition="status_5xx", close_after_seconds=60.0)
    stream = Stream(PipelineParams(row_rules=(quick, never), feature_rules=()))
    fails_and_goes_on(stream, 1200)
    assert stream.seen("quick")[-1] == ("resolved", "/component/9", "no data for 1 min")
    assert stream.seen("never")[-1][0] == "firing"


def test_one_that_is_pending_ends_too():
    stream = Stream()
    for second in range(1200):
        broken = [(second + 0.1, "/once", 500)] * (second in (100, 101))
        times, targets, status = zip(*[(second, "/", 200), *broken], strict=True)
        stream.requests(times, list(targets), list(status))
    assert stream.seen("http_5xx") == [("pending", "/once", ""), ("inactive", "/once", "no data for 15 min")]


def test_it_ends_when_nothing_comes_at_all_while_the_monitor_is_awake():
    stream = Stream()
    for second in range(1200):
        stream.beat(second)
        if second < 60:
            stream.requests([second + 0.5], ["/"], [500])
    assert stream.seen("http_5xx")[-1] == ("resolved", "/", "no data for 15 min")


def test_time_asleep_does_not_end_it():
    stream = Stream()
    for second in [*range(60), *range(9000, 9100)]:
        stream.beat(second)
        if second < 60:
            stream.requests([second + 0.5], ["/"], [500])
    assert stream.seen("http_5xx")[-1][0] == "firing"


def test_a_feature_alert_ends_without_data_too():
    stream = Stream()
    for second in range(1500):
        slow = 200 <= second < 260
        if second < 260:
            columns = {"time": [START + second * SECOND + k * SECOND // 8 for k in range(4)], "origin": "traffic"}
            columns |= {"target": ["/report"] * 4, "status_code": [200] * 4}
            columns |= {"duration_seconds": [2.0 if slow else 0.02 + 0.001 * ((second + k) % 3) for k in range(4)]}
            stream.push("requests", "web", make_batch("requests", "web", columns))
        stream.requests([second + 0.9], ["/"], [200])
    assert stream.seen("latency_p95_anomaly")[-1] == ("resolved", "/report", "no data for 15 min")


# -- stop and start


def fires(stream, until=20):
    for second in range(until):
        stream.requests([second + 0.5], ["/"], [500], source="probe", origin="probe")


def test_stop_ends_what_fires_and_a_later_start_begins_afresh():
    stream = Stream()
    fires(stream)
    stream.command(Stop())
    last = stream.changes[-1]
    assert stream.seen("http_5xx")[-1] == ("resolved", "/", "monitoring stopped")
    assert last.summary == "/: closed after 18 s, monitoring stopped" and last.ends_at_ns == START + 20 * SECOND
    stream.command(Start())
    for second in range(100, 130):
        stream.requests([second + 0.5], ["/"], [200], source="probe", origin="probe")
    assert stream.seen("http_5xx")[-1] == ("resolved", "/", "monitoring stopped")
    frame = alerts_frame(stream.changes)
    assert frame["ends_at"].notna().all() and set(frame["outcome"]) == {"monitoring stopped"}


def test_a_run_that_was_killed_is_ended_by_the_next_start():
    stream = Stream()
    fires(stream)
    assert stream.seen("http_5xx")[-1][0] == "firing"
    stream.command(Start())
    assert stream.seen("http_5xx")[-1] == ("resolved", "/", "monitoring stopped")


def test_no_alert_of_any_rule_is_left_and_each_ends_once():
    stream = Stream()
    for second in range(200):
        targets = [f"/t{k}" for k in range(4)]
        broken = second > 120
        stream.requests([second + k / 8 for k in range(4)], targets, [503 if broken else 200] * 4)
        cpu = {"time": [START + second * SECOND], "target": ["box"], "metric": ["cpu_ratio"], "value": [0.99]}
        stream.push("samples", "host", make_batch("samples", "host", cpu))
    firing = {c.fingerprint for c in stream.changes if c.state == "firing"}
    assert {"*", "box"} <= {c.labels["target"] for c in stream.changes if c.state == "firing"}
    before = len(stream.changes)
    stream.command(Stop())
    stream.command(Stop())
    ends = [c.fingerprint for c in stream.changes[before:] if c.state == "resolved"]
    assert sorted(ends) == sorted(firing) and len(set(ends)) == len(ends)
    assert {c.outcome for c in stream.changes[before:]} == {"monitoring stopped"}


def test_alerts_of_a_source_end_with_it_and_others_go_on():
    stream = Stream()
    for second in range(40):
        stream.requests([second + 0.2], ["/gone"], [500], source="a")
        stream.requests([second + 0.5], ["/stays"], [500], source="b")
        if second == 20:
            stream.command(SourceEnded(source="a"))
            break
    for second in range(21, 60):
        stream.requests([second + 0.5], ["/stays"], [500], source="b")
    assert stream.seen("http_5xx")[-1] == ("resolved", "/gone", "source ended")
    assert [c for c in stream.seen("http_5xx") if c[1] == "/stays"][-1][0] == "firing"


# -- time asleep, and rows that come late


def traffic(stream, seconds, beats=True):
    for second in seconds:
        if beats:
            stream.beat(second)
        stream.requests([second + k / 10 for k in range(10)], ["/", "/cart"] * 5, [200] * 10)


@pytest.mark.parametrize("asleep_seconds", [6, 12, 20, 30, 31, 45, 110, 3600])
def test_no_traffic_alert_for_the_time_that_the_monitor_slept(asleep_seconds):
    stream = Stream()
    traffic(stream, range(300))
    traffic(stream, range(300 + asleep_seconds, 480 + asleep_seconds))
    assert [c.labels["alertname"] for c in stream.changes] == []


@pytest.mark.parametrize(("awake_seconds", "asleep_seconds"), [(5, 25), (20, 20), (90, 28), (3, 300)])
def test_a_machine_that_naps_again_and_again_invents_no_alert(awake_seconds, asleep_seconds):
    stream = Stream()
    traffic(stream, range(300))
    for nap in range(6):
        begin = 300 + (nap + 1) * asleep_seconds + nap * awake_seconds
        traffic(stream, range(begin, begin + awake_seconds))
    traffic(stream, range(begin + awake_seconds, begin + awake_seconds + 90))
    assert [c.labels["alertname"] for c in stream.changes] == []


@pytest.mark.parametrize("asleep_seconds", [20, 59, 75, 600])
def test_naps_are_no_time_without_data(asleep_seconds):
    """After 850 s without data, sleep does not make the 900 s that close an alert."""
    stream = Stream()
    for second in range(60):
        stream.beat(second)
        stream.requests([second + 0.5], ["/"], [500])
    naps = [910 + (asleep_seconds + 2) * nap + awake for nap in range(1, 6) for awake in (0, 1)]
    for second in [*range(60, 910), *naps]:
        stream.beat(second)
    assert stream.seen("http_5xx")[-1][0] == "firing"
    for second in range(naps[-1], naps[-1] + 70):
        stream.beat(second)
    assert stream.seen("http_5xx")[-1] == ("resolved", "/", "no data for 15 min")


def test_with_windows_of_a_minute_an_alert_without_data_still_closes():
    stream = Stream(PipelineParams(window=WindowParams(tick_seconds=60.0)))
    for second in range(0, 3000, 4):
        stream.beat(second)
        if second < 300:
            stream.requests([second + 0.5], ["/"], [500])
    assert stream.seen("http_5xx")[-1][0] == "resolved"


def test_what_is_silent_after_waking_up_is_noticed():
    stream = Stream()
    traffic(stream, range(300))
    for second in range(500, 620):
        stream.beat(second)
    (firing,) = [c for c in stream.changes if c.state == "firing" and c.labels["alertname"] == "traffic_silence"]
    assert (firing.time_ns - START) / SECOND > 500


def test_rows_of_the_doubled_hour_are_no_silence():
    """A log in local time when the clocks go back: an hour of rows comes an hour late."""
    stream = Stream()
    traffic(stream, range(600))
    for second in range(600, 1000):
        stream.beat(second)
        stream.requests([second - 3600 + 0.5], ["/"], [200])
    traffic(stream, range(1000, 1100))
    assert {c.labels["alertname"] for c in stream.changes if not c.inhibited_by} <= {"late_rows"}


@pytest.mark.parametrize("cut", [1, 3])
def test_the_cut_does_not_matter(cut):
    def run(cut) -> list[AlertChange]:
        stream = Stream(cut=cut)
        traffic(stream, range(120))
        for second in range(120, 150):
            stream.requests([second + k / 10 for k in range(6)], ["/", "/b", "/c"] * 2, [500, 502, 503] * 2)
        traffic(stream, range(400, 420))
        stream.command(Stop())
        return stream.changes

    assert list(map(repr, run(1 << 30))) == list(map(repr, run(cut)))
