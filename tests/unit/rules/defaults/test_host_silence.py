"""A host that sends nothing any more is told, once where all are; what ends on purpose, or wakes up, is not."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.pipeline import Pipeline

START_NS = 1_780_000_000 * NS_PER_SECOND
USUAL_SECONDS = 600


class Stream:
    """A run in which hosts send their samples second by second, or do not, and the clock goes on."""

    def __init__(self, hosts=("a", "b"), source="feed", metric="cpu_ratio"):
        self.pipeline, self.hosts, self.source, self.metric = Pipeline(), hosts, source, metric
        self.second, self.told = 0, []
        self.seconds(USUAL_SECONDS)

    def push(self, table, source, batch):
        changes = self.pipeline.push(Item(0, table, source, batch)).changes
        self.told += [change for change in changes if not change.inhibited_by]

    def seconds(self, count, silent=()):
        hosts = [host for host in self.hosts if host not in silent]
        for _ in range(count):
            now_ns = START_NS + self.second * NS_PER_SECOND
            if hosts:
                columns = {
                    "time": [now_ns] * len(hosts),
                    "target": hosts,
                    "metric": self.metric,
                    "value": [0.3] * len(hosts),
                }
                self.push("samples", self.source, make_batch("samples", self.source, columns))
            self.push("control", self.source, control_batch(self.source, "heartbeat", now_ns, ""))
            self.second += 1

    def command(self, body):
        now_ns = START_NS + self.second * NS_PER_SECOND
        self.push("control", "monitor", control_batch("monitor", "command", now_ns, body))

    def story(self):
        return [
            (change.labels["alertname"], change.labels["target"], change.state)
            for change in self.told
            if change.state in ("firing", "resolved")
        ]


def test_a_host_that_is_silent_is_told_and_over_when_it_is_back():
    stream = Stream()
    stream.seconds(120, silent=("b",))
    assert stream.story() == [("host_silence", "b", "firing")]
    fired = next(change for change in stream.told if change.state == "firing")
    assert 78 <= (fired.time_ns - START_NS) / NS_PER_SECOND - USUAL_SECONDS <= 84
    assert fired.labels["severity"] == "error" and "no data for" in fired.summary
    stream.seconds(30)
    assert stream.story()[1:] == [("host_silence", "b", "resolved")]


def test_a_source_that_is_down_is_one_alert_not_one_of_each_host():
    stream = Stream(tuple(f"host-{number}" for number in range(8)))
    stream.seconds(150, silent=stream.hosts)
    assert stream.story() == [("host_silence", "*", "firing")]
    stream.seconds(60)
    assert stream.story() == [("host_silence", "*", "firing"), ("host_silence", "*", "resolved")]


def test_two_of_eight_are_told_by_themselves():
    stream = Stream(tuple(f"host-{number}" for number in range(8)))
    stream.seconds(120, silent=("host-3", "host-5"))
    assert stream.story() == [("host_silence", "host-3", "firing"), ("host_silence", "host-5", "firing")]


def test_a_source_that_has_ended_is_not_silent():
    stream = Stream()
    stream.command('{"type": "source_ended", "source": "feed"}')
    stream.source, stream.hosts = "other", ("c",)
    stream.seconds(300)
    assert stream.story() == []


@pytest.mark.parametrize("hours", [0.1, 8])
def test_a_machine_that_slept_is_not_told_when_it_wakes_up(hours):
    stream = Stream()
    stream.second += round(hours * 3600)
    stream.seconds(60)
    assert stream.story() == []


def test_the_end_of_a_run_is_no_silence():
    stream = Stream()
    stream.seconds(20, silent=stream.hosts)
    stream.command('{"type": "stop"}')
    assert stream.story() == []


def test_what_the_monitor_says_of_itself_is_no_host():
    stream = Stream(metric="rows_total")
    stream.seconds(200, silent=("b",))
    assert stream.story() == []


def test_a_host_that_is_gone_for_good_is_taken_as_ended_after_an_hour():
    stream = Stream()
    stream.seconds(3800, silent=("b",))
    assert stream.story() == [("host_silence", "b", "firing"), ("host_silence", "b", "resolved")]


def test_a_host_sampled_once_a_minute_is_not_silent_between():
    stream = Stream(hosts=("a",))
    for _ in range(60):
        stream.seconds(1)
        stream.seconds(59, silent=("a",))
    assert stream.story() == []


def test_values_that_are_not_known_are_silence_too():
    pipeline, seconds = Pipeline(), np.arange(900)
    columns = {
        "time": START_NS + seconds * NS_PER_SECOND,
        "target": "a",
        "metric": "cpu_ratio",
        "value": np.where(seconds < 600, 0.3, np.nan),
    }
    changes = pipeline.push(Item(0, "samples", "feed", make_batch("samples", "feed", columns))).changes
    assert [change.labels["alertname"] for change in changes if change.state == "firing"] == ["host_silence"]
