"""The monitor samples itself: what it says is true, is recorded, moves no window, and ends with the rest."""

from __future__ import annotations

import socket
import threading
import time

import numpy as np

import aiops_nb
from aiops_nb.collect.sockets.tcp_listener import TcpListener
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.schemas import SELF_SOURCE, make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.monitor.self_observation import MOST_METRICS, Flows, SelfObservation, counted
from aiops_nb.report import run_report


def rows(source, seconds, table="samples"):
    columns = {"time": [round(s * NS_PER_SECOND) for s in seconds], "target": "t", "metric": "m", "value": 1.0}
    return make_batch(table, source, {**columns, "value": np.ones(len(seconds))})


def test_flows_tell_totals_rates_and_lag():
    flows = Flows()
    flows.values("web", 100 * NS_PER_SECOND)
    flows.add("web", rows("web", [101.0, 103.5]))
    told = flows.values("web", 105 * NS_PER_SECOND)
    assert (told["rows_total"], told["rows_hz"], told["lag_seconds"]) == (2.0, 0.4, 1.5)
    quiet = flows.values("web", 110 * NS_PER_SECOND)
    assert quiet["rows_hz"] == 0.0 and "lag_seconds" not in quiet


def test_samples_come_every_five_seconds_and_end_with_the_rest():
    clock, over = ManualClock(), threading.Event()
    observer = SelfObservation(lambda _now: {"monitor": {"queue_batches": 3.0}}, over.is_set, clock, 5.0)
    assert observer.poll(0).num_rows == 0
    clock.advance(5)
    batch = observer.poll(0)
    assert batch["metric"].to_pylist() == ["queue_batches"] and batch["value"].to_pylist() == [3.0]
    assert observer.poll(0).num_rows == 0
    over.set()
    assert observer.poll(0) is None


def test_a_source_with_a_thousand_counters_is_bounded_and_one_that_fails_counts_nothing():
    class Broken:
        @property
        def counters(self):
            raise RuntimeError("no")

    assert counted(Broken()) == {} and counted(object()) == {}
    clock = ManualClock()
    many = {f"m{i}": 0.0 for i in range(1000)}
    observer = SelfObservation(lambda _now: {"web": many}, lambda: False, clock, 5.0)
    clock.advance(5)
    assert observer.poll(0).num_rows == MOST_METRICS


def test_what_is_said_of_ourselves_moves_no_window():
    def ticks(items):
        pipeline = Pipeline()
        steps = [pipeline.push(Item(i, "samples", source, rows(source, at))) for i, (source, at) in enumerate(items)]
        return [(t.features.end_ns, "".join(k.target for k in t.features.series)) for s in steps for t in s.ticks]

    stream = [("host", [100.0]), ("host", [103.0]), ("host", [104.0])]
    ours = [(SELF_SOURCE, [50.0]), *stream[:1], (SELF_SOURCE, [9000.0]), *stream[1:], (SELF_SOURCE, [1e5])]
    assert ticks(ours) == ticks(stream)


def test_a_monitor_says_what_it_rejected(tmp_path):
    listener, heard = TcpListener(0), threading.Event()

    class Ear:
        def write(self, step):
            batch = step.item.batch
            if step.item.source == SELF_SOURCE and "rejected_invalid_json_total" in batch["metric"].to_pylist():
                at = batch["metric"].to_pylist().index("rejected_invalid_json_total")
                if batch["value"][at].as_py() == 1.0:
                    heard.set()

        def close(self):
            pass

    config = {"host_metrics": False, "self_observation_seconds": 0.2}
    with aiops_nb.watch(listener, record=tmp_path / "r", config=config, sinks=[Ear()]) as monitor:
        with socket.create_connection(("127.0.0.1", listener.address[1]), timeout=5) as sender:
            sender.sendall(b'{"time": 1780000000, "target": "a"}\nnonsense\n')
        assert heard.wait(20)
        samples = monitor.samples()
    mine = samples[samples.source == SELF_SOURCE]
    assert {"monitor", listener.name} == set(mine.target)
    assert {"queue_batches", "rows_total", "rejected_invalid_json_total", "bytes_total"} <= set(mine.metric)
    recorded = aiops_nb.open_recording(tmp_path / "r").samples()
    assert len(recorded[recorded.source == SELF_SOURCE]) >= len(mine)


def test_the_dashboard_and_the_report_show_it(tmp_path):
    listener = TcpListener(0)
    config = {"host_metrics": False, "self_observation_seconds": 0.2}
    with aiops_nb.watch(listener, record=tmp_path / "r", config=config) as monitor:
        itself = monitor.dashboard().screen().itself
        said = threading.Event()
        itself.observe(lambda change: "1 rejected" in change["new"] and said.set(), "sentence")
        with socket.create_connection(listener.address, timeout=5) as sender:
            sender.sendall(b'{"time": %d, "target": "a"}\nnonsense\n' % time.time())
        assert said.wait(20), itself.sentence
        assert [(row["source"], row["lost"]) for row in itself.rows] == [(listener.name, "1 invalid json")]
        while monitor.samples()["metric"].eq("rows_total").sum() < 5:  # heartbeats are no rows
            assert not monitor.wait(0.1)
        samples = monitor.samples()
        assert samples.loc[samples["metric"].eq("rows_total"), "value"].iloc[-1] == 1
        monitor.dashboard().close()
    page = run_report(tmp_path / "r", out=tmp_path / "out").html.read_text(encoding="utf-8")
    table = page[page.index("Monitor health<") : page.index("Verification")]
    assert "rejected invalid json" in table and listener.name in table


def test_it_can_be_switched_off():
    config = {"host_metrics": False, "self_observation_seconds": None}
    with aiops_nb.watch("http://127.0.0.1:9/", config=config) as monitor:
        names = {thread.name for thread in threading.enumerate()}
    assert f"aiops-poll-{SELF_SOURCE}" not in names and not monitor.running
