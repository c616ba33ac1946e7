"""Targets without data and sources that fail have states of their own, once each."""

from __future__ import annotations

import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, Item
from aiops_nb.engine.commands import (
    Command,
    PauseTarget,
    SourceEnded,
    SourceFailed,
    SourceRecovered,
    Start,
    Stop,
    encode_command,
)
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.frames.build import alerts_frame
from aiops_nb.rules.evaluation_errors import ErrorParams
from aiops_nb.rules.no_data import NoDataParams
from aiops_nb.view.data.alert_log import shown_state
from aiops_nb.view.widgets.alert_rows import _state_label

SECOND = NS_PER_SECOND
START = 1_780_000_000 * SECOND
SOON = NoDataParams(after_seconds=20.0, close_after_seconds=100.0)
METRICS = ("cpu_ratio", "memory_ratio", "disk_ratio")
WINDOW = WindowParams(lateness_seconds=0.5)


class Stream:
    """A pipeline that is fed second by second, its clock too."""

    def __init__(self, cut: int = 1 << 30, **params: object) -> None:
        self.pipeline, self.cut, self.second = Pipeline(), cut, 0
        self.changes: list[AlertChange] = []
        self.command(Start(pipeline=PipelineParams(window=WINDOW, feature_rules=_host_rules(), **params)))

    def push(self, table: str, source: str, batch: object) -> None:
        for first in range(0, batch.num_rows, self.cut):
            self.changes += self.pipeline.push(Item(0, table, source, batch[first : first + self.cut])).changes

    def command(self, command: Command) -> None:
        at_ns = START + self.second * SECOND
        self.push("control", "monitor", control_batch("monitor", "command", at_ns, encode_command(command)))

    def go(self, seconds: int, hosts: dict[str, tuple[str, ...]], source: str = "host") -> None:
        """Samples of some metrics of some hosts every second; the clock beats whether they come or not."""
        for _ in range(seconds):
            at_ns = START + self.second * SECOND
            rows = [(host, metric) for host, metrics in hosts.items() for metric in metrics]
            if rows:
                columns = {"time": [at_ns] * len(rows), "target": [host for host, _ in rows]}
                columns |= {"metric": [metric for _, metric in rows], "value": [0.2] * len(rows)}
                self.push("samples", source, make_batch("samples", source, columns))
            self.push("control", "clock", control_batch("clock", "heartbeat", at_ns))
            self.second += 1

    def probe(self, seconds: int, targets: tuple[str, ...], origin: str = "probe", status: int = 200) -> None:
        for _ in range(seconds):
            at_ns = START + self.second * SECOND
            columns = {"time": [at_ns] * len(targets), "origin": origin, "target": list(targets)}
            columns |= {"status_code": [status] * len(targets), "duration_seconds": [0.02] * len(targets)}
            self.push("requests", "http", make_batch("requests", "http", columns))
            self.push("control", "clock", control_batch("clock", "heartbeat", at_ns))
            self.second += 1

    def seen(self, alertname: str) -> list[tuple[str, str, str]]:
        found = [change for change in self.changes if change.labels["alertname"] == alertname]
        return [(change.state, change.labels["target"], change.outcome) for change in found]

    def last(self, alertname: str) -> AlertChange:
        return [change for change in self.changes if change.labels["alertname"] == alertname][-1]


def _host_rules() -> tuple[object, ...]:
    """The default rules but the one on silent hosts, which inhibits ours."""
    return tuple(rule for rule in PipelineParams().feature_rules if rule.alertname != "host_silence")


def test_a_host_with_many_silent_metrics_is_one_alert_which_ends_with_its_data():
    stream = Stream(no_data=SOON)
    stream.go(60, {"db": METRICS, "web": METRICS})
    stream.go(40, {"web": METRICS})
    assert stream.seen("no_data") == [("nodata", "db", "")]
    change = stream.last("no_data")
    assert change.summary == "db: no data of cpu_ratio, memory_ratio, disk_ratio for 20 s"
    assert change.value == 20.0 and change.labels["severity"] == "warning"
    stream.go(3, {"db": METRICS, "web": METRICS})
    assert stream.seen("no_data")[1:] == [("resolved", "db", "")]
    assert stream.last("no_data").summary.startswith("db: data again, resolved after ")


def test_one_metric_that_vanishes_is_named_and_the_others_do_not_end_it():
    stream = Stream(no_data=SOON)
    stream.go(60, {"db": METRICS})
    stream.go(60, {"db": METRICS[:2]})
    assert stream.seen("no_data") == [("nodata", "db", "")]
    assert stream.last("no_data").summary == "db: no data of disk_ratio for 20 s"


def test_metrics_that_no_rule_judges_and_traffic_may_cease():
    stream = Stream(no_data=NoDataParams(after_seconds=20.0))
    stream.go(60, {"db": ("connections", "cpu_ratio")})
    stream.go(60, {"db": ("cpu_ratio",)})
    stream.probe(60, ("/a", "/b"), origin="traffic")
    stream.probe(60, ("/b",), origin="traffic")
    assert stream.seen("no_data") == [("nodata", "db", "")]  # of cpu_ratio, in the last two minutes
    assert "connections" not in stream.last("no_data").summary


def test_a_probe_that_brings_no_rows_has_no_data_and_one_that_is_paused_has_not():
    stream = Stream(no_data=SOON)
    stream.probe(60, ("a", "b", "c"))
    stream.command(PauseTarget(target="b"))
    stream.probe(60, ("a",))
    assert stream.seen("no_data") == [("nodata", "c", "")]
    assert stream.last("no_data").labels["origin"] == "probe"


def test_a_series_that_reports_seldom_is_given_three_times_its_longest_silence():
    stream = Stream(no_data=SOON)
    for _ in range(8):
        stream.go(1, {"slow": ("cpu_ratio",), "web": METRICS})
        stream.go(14, {"web": METRICS})
    stream.go(28, {"web": METRICS})
    assert stream.seen("no_data") == []  # 42 s of silence: three times 14 s
    stream.go(10, {"web": METRICS})
    assert stream.seen("no_data") == [("nodata", "slow", "")]


def test_a_metric_that_came_once_is_not_expected_again():
    stream = Stream(no_data=SOON)
    stream.go(30, {"web": METRICS})
    stream.go(1, {"once": ("cpu_ratio",), "web": METRICS})
    stream.go(120, {"web": METRICS})
    assert stream.seen("no_data") == []


def test_a_target_that_never_comes_back_is_closed():
    stream = Stream(no_data=SOON)
    stream.go(60, {"db": METRICS, "web": METRICS})
    stream.go(130, {"web": METRICS})
    assert stream.seen("no_data") == [("nodata", "db", ""), ("resolved", "db", "no data for 100 s")]


def test_it_is_noticed_when_nothing_at_all_comes_any_more():
    stream = Stream(no_data=NoDataParams(after_seconds=90.0))
    stream.go(120, {"db": METRICS})
    stream.go(200, {})
    assert stream.seen("no_data") == [("nodata", "db", "")]
    assert (stream.last("no_data").time_ns - START) / SECOND == pytest.approx(120 + 90, abs=12)


def test_many_targets_at_once_are_one_alert():
    hosts = dict.fromkeys(("a", "b", "c", "d"), METRICS)
    stream = Stream(no_data=SOON)
    stream.go(60, {**hosts, "web": METRICS})
    stream.go(40, {"web": METRICS})
    notified = [change for change in stream.changes if change.is_firing and not change.inhibited_by]
    assert [(change.state, change.labels["target"]) for change in notified] == [("nodata", "*")]
    assert notified[0].members == ("a", "b", "c", "d")
    stream.go(3, {**hosts, "web": METRICS})
    over = [change for change in stream.changes if change.state == "resolved" and not change.inhibited_by]
    assert [change.labels["target"] for change in over] == ["*"]


def firing_cpu(stream: Stream) -> None:
    """A host whose disk is full, as another alert that fires when the data cease."""
    for _ in range(100):
        at_ns = START + stream.second * SECOND
        columns = {"time": [at_ns] * 2, "target": ["db", "web"], "metric": ["disk_ratio"] * 2, "value": [0.99, 0.1]}
        stream.push("samples", "host", make_batch("samples", "host", columns))
        stream.second += 1
    assert stream.seen("disk_nearly_full")[-1] == ("firing", "db", "")


@pytest.mark.parametrize(
    ("state", "expected", "other"),
    [
        ("nodata", [("nodata", "db", "")], ("firing", "db", "")),
        ("alerting", [("firing", "db", "")], ("firing", "db", "")),
        ("keep_last", [], ("firing", "db", "")),
        ("ok", [], ("resolved", "db", "no data for 20 s")),
    ],
)
def test_the_states_of_grafana_can_be_chosen(state: str, expected: list[object], other: object):
    stream = Stream(no_data=NoDataParams(state=state, after_seconds=20.0))
    firing_cpu(stream)
    stream.go(40, {"web": ("disk_ratio",)})
    assert stream.seen("no_data") == expected
    assert stream.seen("disk_nearly_full")[-1] == other


def test_ok_ends_alerts_on_requests_too():
    stream = Stream(no_data=NoDataParams(state="ok", after_seconds=20.0))
    stream.probe(40, ("a", "b"))
    stream.probe(5, ("a",), status=500)
    stream.probe(40, ("b",))
    assert stream.seen("http_5xx")[-1] == ("resolved", "a", "no data for 20 s")


@pytest.mark.parametrize("command", [Stop(), SourceEnded(source="host")], ids=("stop", "source ended"))
def test_it_ends_with_the_run_and_with_its_source(command: Command):
    stream = Stream(no_data=SOON)
    stream.go(60, {"db": METRICS, "web": METRICS})
    stream.go(40, {"web": METRICS})
    stream.command(command)
    if isinstance(command, SourceEnded):
        stream.go(20, {"other": METRICS}, source="another")
    outcome = "monitoring stopped" if isinstance(command, Stop) else "source ended"
    assert stream.seen("no_data") == [("nodata", "db", ""), ("resolved", "db", outcome)]


def test_it_does_not_depend_on_how_the_stream_is_cut():
    def changes(cut: int) -> list[AlertChange]:
        stream = Stream(cut, no_data=SOON)
        stream.go(60, {"db": METRICS, "web": METRICS, "x": METRICS})
        stream.go(40, {"web": METRICS, "x": METRICS[:1]})
        stream.go(5, {"db": METRICS, "web": METRICS})
        return stream.changes

    assert str(changes(1)) == str(changes(2)) == str(changes(1 << 30))


def test_a_source_that_fails_is_one_alert_and_its_targets_are_not_silent():
    stream = Stream(no_data=SOON)
    stream.go(60, {"db": METRICS, "web": METRICS})
    stream.command(SourceFailed(source="host", since_ns=START + 60 * SECOND, reason="OSError: gone"))
    stream.go(100, {})
    assert [change.labels["alertname"] for change in stream.changes] == ["source_error"]
    assert stream.seen("source_error") == [("error", "host", "")]
    change = stream.last("source_error")
    assert change.summary == "host: fails, OSError: gone" and change.time_ns == START + 90 * SECOND
    stream.command(SourceRecovered(source="host"))
    stream.go(5, {"db": METRICS, "web": METRICS})
    assert stream.seen("source_error")[1:] == [("resolved", "host", "")]
    assert "works again" in stream.last("source_error").summary
    assert stream.seen("no_data") == []


def test_a_target_that_stays_away_after_its_source_recovered_has_no_data():
    stream = Stream(no_data=SOON)
    stream.go(60, {"db": METRICS, "web": METRICS})
    stream.command(SourceFailed(source="host", since_ns=START + 60 * SECOND, reason="OSError: gone"))
    stream.go(60, {})
    stream.command(SourceRecovered(source="host"))
    stream.go(15, {"web": METRICS})
    assert stream.seen("no_data") == []
    stream.go(15, {"web": METRICS})
    assert stream.seen("no_data") == [("nodata", "db", "")]


def test_one_that_works_again_soon_is_no_alert():
    stream = Stream()
    stream.command(SourceFailed(source="redis", since_ns=START, reason="OSError"))
    stream.go(20, {"web": METRICS})
    stream.command(SourceRecovered(source="redis"))
    stream.go(60, {"web": METRICS})
    assert stream.changes == []


def test_a_source_that_never_worked_ends_with_the_run():
    stream = Stream()
    stream.command(SourceFailed(source="redis", since_ns=START, reason="OSError"))
    stream.go(40, {})
    stream.command(Stop())
    assert stream.seen("source_error") == [("error", "redis", ""), ("resolved", "redis", "monitoring stopped")]


@pytest.mark.parametrize(
    ("state", "expected", "other"),
    [
        ("alerting", [("firing", "host", "")], "firing"),
        ("keep_last", [], "firing"),
        ("ok", [], "resolved"),
    ],
)
def test_what_a_failing_source_does_can_be_chosen(state: str, expected: list[object], other: str):
    stream = Stream(errors=ErrorParams(state=state))
    firing_cpu(stream)
    stream.command(SourceFailed(source="host", since_ns=START + 100 * SECOND, reason="OSError"))
    stream.go(60, {})
    assert stream.seen("source_error") == expected
    assert stream.seen("disk_nearly_full")[-1][0] == other


def test_a_target_is_not_closed_before_its_alert():
    with pytest.raises(ConfigError, match="close_after_seconds: expected more than after_seconds"):
        NoDataParams(after_seconds=60.0, close_after_seconds=30.0)


def test_frames_and_the_alert_table_show_the_states():
    stream = Stream(no_data=SOON)
    stream.go(60, {"db": METRICS, "web": METRICS})
    stream.go(40, {"web": METRICS})
    assert alerts_frame(stream.changes)["state"].tolist() == ["nodata"]
    change = stream.last("no_data")
    assert (shown_state(change), _state_label(change, "firing")) == ("firing", "no data")
