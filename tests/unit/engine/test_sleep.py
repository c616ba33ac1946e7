"""Time asleep is no time for which a condition holds, is clear, or is without data."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.alert.escalation import EscalationParams
from aiops_nb.alert.flapping import FlappingParams
from aiops_nb.alert.lifecycle import HoldParams
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.detect.limits.level import LevelParams
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.params import WindowParams
from aiops_nb.rules.client.params import ClientRefusedParams
from aiops_nb.rules.connectivity import ConnectivityParams
from aiops_nb.rules.feature.params import FeatureRuleParams
from aiops_nb.rules.row.params import RowRuleParams
from aiops_nb.rules.source_times import SourceRuleParams
from tests.unit.engine.test_alert_ends import START, Stream

SECOND = NS_PER_SECOND
HOLD = HoldParams(for_seconds=60.0, keep_firing_for_seconds=60.0)
BUSY = FeatureRuleParams(
    alertname="busy", table="samples", feature="value", detector=LevelParams(limit=0.9), threshold=1.0, hold=HOLD
)
SLOW = FeatureRuleParams(
    alertname="slow",
    table="requests",
    feature="duration_p95_seconds",
    detector=LevelParams(limit=0.5),
    threshold=1.0,
    hold=HOLD,
)
NAPS = [6, 59, 75, 3600]


def params(**more):
    return PipelineParams(**({"feature_rules": (BUSY,), "row_rules": (), "client_rules": ()} | more))


class Laptop(Stream):
    """A stream whose seconds are counted while awake; `sleep` moves the clocks on."""

    def __init__(self, params, cut=1 << 30):
        super().__init__(params, cut)
        self.awake = 0
        self.slept = 0

    def live(self, seconds, *writers):
        for _ in range(seconds):
            now = self.awake + self.slept
            self.beat(now)
            for write in writers:
                write(self, now)
            self.awake += 1

    def sleep(self, seconds):
        self.slept += seconds

    def times(self, alertname):
        """State -> seconds awake and asleep at which it came."""
        return {c.state: (c.time_ns - START) / SECOND for c in self.changes if c.labels["alertname"] == alertname}


def cpu(value):
    def write(stream, now):
        columns = {"time": [START + round((now + 0.5) * SECOND)], "target": ["box"], "metric": ["cpu_ratio"]}
        stream.push("samples", "host", make_batch("samples", "host", columns | {"value": [value]}))

    return write


def requests(duration=0.02, status=200, source="web", origin="traffic"):
    def write(stream, now):
        times = [START + round((now + k / 10) * SECOND) for k in range(8)]
        columns = {"time": times, "origin": origin, "target": ["/"] * 8, "status_code": [status] * 8}
        columns |= {"duration_seconds": [duration] * 8, "client_ip": ["192.0.2.1"] * 8}
        stream.push("requests", source, make_batch("requests", source, columns))

    return write


# -- `for`


@pytest.mark.parametrize("asleep_seconds", NAPS)
@pytest.mark.parametrize("writers", [(cpu(1.0),), (cpu(1.0), requests())], ids=["host", "host_and_log"])
def test_a_pending_alert_does_not_count_the_time_asleep(asleep_seconds, writers):
    stream = Laptop(params())
    stream.live(30, *writers)
    stream.sleep(asleep_seconds)
    stream.live(20, *writers)
    assert set(stream.times("busy")) == {"pending"}
    stream.live(40, *writers)
    firing = stream.times("busy")["firing"]
    assert firing == pytest.approx(60 + asleep_seconds, abs=3)
    (change,) = [c for c in stream.changes if c.state == "firing"]
    assert change.summary == "box: CPU 100 % for 60 s (limit 90 %)"


def test_naps_again_and_again_do_not_add_up():
    stream = Laptop(params())
    for _ in range(10):
        stream.live(5, cpu(1.0))
        stream.sleep(20)
    assert set(stream.times("busy")) == {"pending"}
    stream.live(20, cpu(1.0))
    assert "firing" in stream.times("busy")


@pytest.mark.parametrize("tick_seconds", [5.0, 60.0])
def test_long_windows(tick_seconds):
    hold = HoldParams(for_seconds=300.0)
    rule = FeatureRuleParams(
        alertname="busy", table="samples", feature="value", detector=LevelParams(limit=0.9), threshold=1.0, hold=hold
    )
    stream = Laptop(params(feature_rules=(rule,), window=WindowParams(tick_seconds=tick_seconds)))
    stream.live(200, cpu(1.0))
    stream.sleep(270)
    stream.live(60, cpu(1.0))
    assert set(stream.times("busy")) == {"pending"}
    stream.live(300, cpu(1.0))
    assert stream.times("busy")["firing"] - stream.times("busy")["pending"] == pytest.approx(570, abs=tick_seconds)


def test_what_another_machine_wrote_meanwhile_does_count():
    """The monitor slept, the server did not: its log shows that it was slow all the time."""
    stream = Laptop(params(feature_rules=(SLOW, BUSY)))
    slow = requests(duration=2.0)
    stream.live(30, slow, cpu(1.0))
    for second in range(30, 140):  # read at once after waking up
        if second == 30:
            stream.sleep(110)
            stream.beat(140)
        slow(stream, second)
    stream.live(20, slow, cpu(1.0))
    assert stream.times("slow")["firing"] < 140
    assert "firing" not in stream.times("busy")


def test_clients_and_source_times():
    refused = ClientRefusedParams(alertname="refused", hold=HoldParams(for_seconds=120.0))
    late = SourceRuleParams(alertname="late", condition="late", hold=HoldParams(for_seconds=60.0))
    stream = Laptop(PipelineParams(client_rules=(refused,), feature_rules=(), row_rules=(), source_rules=(late,)))
    stream.live(200, requests())

    def behind(stream, now):
        requests(status=401)(stream, now)
        requests(source="behind")(stream, now - 30)

    stream.live(50, behind)
    assert set(stream.times("late")) == {"pending"} and set(stream.times("refused")) == {"pending"}
    stream.sleep(75)
    stream.live(8, behind)
    assert "firing" not in stream.times("late") and "firing" not in stream.times("refused")
    stream.live(130, behind)
    assert "firing" in stream.times("late") and "firing" in stream.times("refused")


# -- `keep_firing_for`


@pytest.mark.parametrize("asleep_seconds", NAPS)
def test_a_clear_alert_does_not_count_the_time_asleep(asleep_seconds):
    stream = Laptop(params())
    stream.live(80, cpu(1.0))
    assert "firing" in stream.times("busy")
    stream.live(30, cpu(0.1))
    stream.sleep(asleep_seconds)
    stream.live(20, cpu(0.1))
    assert "resolved" not in stream.times("busy")
    stream.live(40, cpu(0.1))
    assert stream.times("busy")["resolved"] == pytest.approx(140 + asleep_seconds, abs=3)


def test_row_rules_and_the_connection():
    row = RowRuleParams(alertname="http_5xx", condition="status_5xx", keep_firing_for_seconds=60.0)
    connectivity = ConnectivityParams(targets=("reference",), keep_firing_for_seconds=60.0)
    stream = Laptop(params(row_rules=(row,), connectivity=connectivity, feature_rules=()))

    def reference(error):
        def write(stream, now):
            columns = {"time": [START + round((now + 0.5) * SECOND)], "origin": "probe", "target": ["reference"]}
            columns["error_type"] = [error]
            stream.push("requests", "probe", make_batch("requests", "probe", columns))

        return write

    stream.live(20, requests(status=500), reference("timeout"))
    stream.live(30, requests(), reference(None))
    stream.sleep(110)
    stream.live(20, requests(), reference(None))
    for name in ("http_5xx", "observer_offline"):
        assert "firing" in stream.times(name) and "resolved" not in stream.times(name), name
    stream.live(30, requests(), reference(None))
    for name in ("http_5xx", "observer_offline"):
        assert stream.times(name)["resolved"] == pytest.approx(190, abs=3)


# -- what counts from the life of an alert


def test_severity_does_not_rise_for_time_asleep():
    row = RowRuleParams(alertname="http_5xx", condition="status_5xx")
    stream = Laptop(params(row_rules=(row,), feature_rules=(), escalations=(EscalationParams(after_seconds=100.0),)))
    stream.live(20, requests(status=500))
    stream.sleep(3600)
    stream.live(60, requests(status=500))
    assert [c.state for c in stream.changes if c.update] == []
    stream.live(60, requests(status=500))
    assert [c.labels["severity"] for c in stream.changes if c.update == "severity"] == ["critical"]


def test_an_alert_that_flaps_is_not_calm_because_of_sleep():
    row = RowRuleParams(alertname="http_5xx", condition="status_5xx", for_rows=1, keep_firing_for_seconds=2.0)
    flapping = FlappingParams(min_episodes=3, calm_seconds=60.0)
    stream = Laptop(params(row_rules=(row,), feature_rules=(), flapping=flapping))
    for _ in range(4):
        stream.live(2, requests(status=500))
        stream.live(8, requests())
    assert any(c.flapping for c in stream.changes)
    before = len(stream.changes)
    stream.sleep(600)
    stream.live(30, requests())
    assert len(stream.changes) == before
    stream.live(60, requests())
    assert [c.state for c in stream.changes[before:]] == ["resolved"]


def test_what_an_alert_inhibited_is_not_released_by_sleep():
    """One parent is down and recovers; what it inhibited still fires, and is notified a minute of being awake later."""
    row = RowRuleParams(alertname="http_5xx", condition="status_5xx", keep_firing_for_seconds=2.0)
    stream = Laptop(params(row_rules=(row,), feature_rules=(), depends_on={"/child": ("/",)}))

    def child(stream, now):
        stream.requests([now + 0.5], ["/child"], [500], source="child")

    stream.live(10, requests(status=500))
    stream.live(10, requests(status=500), child)
    stream.live(10, requests(), child)
    stream.sleep(600)
    stream.live(30, requests(), child)
    assert [c.update for c in stream.changes if c.labels["target"] == "/child" and c.update] == []
    stream.live(40, requests(), child)
    assert [c.update for c in stream.changes if c.labels["target"] == "/child" and c.update] == ["released"]


@pytest.mark.parametrize("cut", [1, 3])
def test_the_cut_does_not_matter(cut):
    def run(cut):
        stream = Laptop(params(feature_rules=(BUSY, SLOW)), cut)
        for nap in (6, 75, 20, 300):
            stream.live(23, requests(duration=2.0), cpu(1.0))
            stream.sleep(nap)
            stream.beat(stream.awake + stream.slept)
            requests(duration=2.0)(stream, stream.awake + stream.slept - nap // 2)
        stream.live(70, requests(), cpu(0.1))
        return stream.changes

    changes = run(1 << 30)
    assert {c.state for c in changes} == {"pending", "firing", "resolved"}
    assert list(map(repr, changes)) == list(map(repr, run(cut)))


def test_alerts_do_not_depend_on_the_order_of_rows_across_a_nap():
    columns = {"time": START + np.array([0, 6, 3, 9]) * SECOND, "target": ["box"] * 4, "metric": ["cpu_ratio"] * 4}
    stream = Laptop(params())
    stream.beat(0)
    stream.beat(20)
    stream.push("samples", "host", make_batch("samples", "host", columns | {"value": [1.0] * 4}))
    stream.live(30, cpu(1.0))
    assert "firing" not in stream.times("busy")
