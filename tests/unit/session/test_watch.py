"""What may be watched besides URLs: collectors, functions that make them, and DataFrames."""

from __future__ import annotations

import inspect
import time

import numpy as np
import pandas as pd
import pytest

import aiops_nb
from aiops_nb.collect.access_log.collector import AccessLog
from aiops_nb.collect.synthetic import SyntheticStream
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import TABLES
from tests.unit.monitor.test_monitor import CLOSED_PORT, Reached

LINE = '10.0.0.1 - - [01/May/2026:12:00:{:02} +0000] "GET /shop HTTP/1.1" 200 12 "-" "-"\n'


VERBS = (aiops_nb.watch, aiops_nb.replay, aiops_nb.from_frame, aiops_nb.from_synthetic, aiops_nb.open_recording)


def of_requests(step):
    return step.item.table == "requests"


def test_an_access_log_is_watched_beside_this_host(tmp_path):
    log, seen = tmp_path / "access.log", Reached(of_requests)
    log.write_text("".join(LINE.format(second) for second in range(10)))
    with aiops_nb.watch(AccessLog(log, from_start=True), sinks=[seen]) as monitor:
        assert seen.wait(15)
    rows = monitor.requests()
    assert len(rows) == 10 and set(rows.origin) == {"traffic"} and set(rows.client_ip) == {"10.0.0.1"}


def test_a_collector_serves_one_start_and_a_function_any(tmp_path):
    log, seen = tmp_path / "access.log", Reached(of_requests)
    log.write_text(LINE.format(1))
    config = {"host_metrics": False}
    with aiops_nb.watch(AccessLog(log), config=config) as once:
        once.stop()
        with pytest.raises(ConfigError, match=r"targets\[0\]: expected a function that makes the collector"):
            once.start()
    with aiops_nb.watch(lambda: AccessLog(log, from_start=True), config=config, sinks=[seen]) as again:
        assert seen.wait(15)
        again.stop()
        seen.clear()
        again.start()
        assert seen.wait(15)


def yesterday(rows=600):
    rng = np.random.default_rng(1)
    slow = (np.arange(rows) >= 400) & (np.arange(rows) < 440)
    return pd.DataFrame(
        {
            "when": pd.date_range("2026-05-01 12:00", periods=rows, freq="1s"),
            "code": np.where(np.arange(rows) > 560, 503, 200),
            "ms": rng.lognormal(3.5, 0.2, rows) * np.where(slow, 10, 1),
        }
    )


def test_a_frame_runs_through_the_whole_toolkit(tmp_path):
    columns = {"time": "when", "status_code": "code", "duration_ms": "ms", "constants": {"target": "shop"}}
    monitor = aiops_nb.from_frame(yesterday(), record=tmp_path / "r", **columns)
    assert not monitor.running and len(monitor.requests()) == 600 and monitor.warnings() == []
    fired = set(monitor.alerts().alertname)
    assert fired == {"latency_p95_anomaly", "http_5xx", "error_ratio_anomaly", "error_ratio_overall"}
    assert set(monitor.alerts().query("inhibited_by == ''").alertname) == {"latency_p95_anomaly", "http_5xx"}
    assert monitor.features().time.max() <= pd.Timestamp("2026-05-01 12:10:01Z")
    replayed = aiops_nb.replay(tmp_path / "r")
    assert replayed.alerts().equals(monitor.alerts()) and replayed.scores().equals(monitor.scores())


def test_rows_that_exist_already_come_once(tmp_path):
    frame = yesterday(60)
    columns = {"time": "when", "status_code": "code", "duration_ms": "ms", "constants": {"target": "shop"}}
    with aiops_nb.from_frame(frame, record=tmp_path / "r", **columns) as monitor:
        assert monitor.ended and len(monitor.requests()) == 60
    with aiops_nb.replay(tmp_path / "r") as replayed:
        assert replayed.wait(15)
        assert replayed.ended and len(replayed.requests()) == 60
    with aiops_nb.from_synthetic(30, seed=7, targets=1) as made:
        rows = len(made.requests())
        assert made.wait(15) and len(made.requests()) == rows


def test_a_frame_without_a_needed_column_is_refused():
    with pytest.raises(ConfigError, match="target: expected a column of the frame"):
        aiops_nb.from_frame(yesterday(), time="when")


@pytest.mark.parametrize(
    ("interval_seconds", "written", "polled_every"),
    [(1.0, "5s", 1.0), (None, "2s", 2.0), (None, None, 1.0), (0.3, "1s", 0.3)],
)
def test_a_given_interval_wins_and_an_omitted_one_is_the_configs(interval_seconds, written, polled_every):
    config = {"host_metrics": False, **({"interval": written} if written else {})}
    ends = []

    def polled_three_times(step):
        if step.item.table == "requests":
            ends.extend(step.item.batch.column("time").cast("int64").to_pylist())
        return len(ends) >= 3

    seen = Reached(polled_three_times)
    given = {} if interval_seconds is None else {"interval_seconds": interval_seconds}
    with aiops_nb.watch(CLOSED_PORT, config=config, sinks=[seen], **given):
        assert seen.wait(20)
    assert np.diff(ends[:3]) / 1e9 == pytest.approx([polled_every] * 2, rel=0.4)


def sampled(seconds, rows=400, **more):
    """A value every so many seconds, wrong once."""
    rng = np.random.default_rng(3)
    times = pd.date_range("2026-05-01", periods=rows, freq=pd.Timedelta(seconds, "s"))
    value = rng.normal(0.5, 0.01, rows)
    value[250:380] = 0.99
    return pd.DataFrame({"time": times, "target": "db", "metric": "cpu_ratio", "value": value, **more})


@pytest.mark.parametrize("seconds", [60, 300, 3600])
def test_windows_are_as_wide_as_the_rows_are_apart(seconds):
    began = time.monotonic()
    monitor = aiops_nb.from_frame(sampled(seconds), table="samples")
    assert time.monotonic() - began < 60
    windows = monitor.features("samples")
    assert windows.time.diff().dropna().dt.total_seconds().max() == seconds and len(windows) < 500
    assert any("wide, as the rows are apart" in line for line in monitor.warnings())
    assert len(monitor.alerts())


def test_a_width_that_was_asked_for_is_kept():
    config = {"pipeline": {"window": {"tick": "10s"}}}
    monitor = aiops_nb.from_frame(sampled(60, rows=40), table="samples", config=config)
    assert monitor.features("samples").time.diff().dropna().dt.total_seconds().min() == 10
    assert monitor.warnings() == []


def test_events_many_a_second_keep_windows_of_a_second():
    frame = pd.DataFrame({"time": pd.date_range("2026-05-01", periods=200, freq="100ms"), "target": "a"})
    monitor = aiops_nb.from_frame(frame)
    assert monitor.features().time.diff().dropna().dt.total_seconds().max() == 1.0 and monitor.warnings() == []


def test_every_column_of_the_tables_can_be_completed():
    named = set(inspect.signature(aiops_nb.from_frame).parameters)
    columns = {name for table in ("requests", "samples", "messages") for name in TABLES[table].names}
    assert columns - {"seq", "source"} <= named
    kinds = {p.kind for verb in VERBS for p in inspect.signature(verb).parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds


def test_what_a_stream_can_be_told_is_what_from_synthetic_takes():
    of_stream = set(inspect.signature(SyntheticStream).parameters) - {"clock", "duration_seconds"}
    assert of_stream <= set(inspect.signature(aiops_nb.from_synthetic).parameters)


def test_progress_is_shown_where_it_was_asked_for(tmp_path, capsys):
    aiops_nb.from_synthetic(60, seed=1, targets=3, record=tmp_path / "r")
    aiops_nb.replay(tmp_path / "r", progress=True)
    aiops_nb.from_frame(sampled(60, rows=200), table="samples", progress=True)
    err = capsys.readouterr().err
    assert "\rreplay: " in err and "replay: done\n" in err and "%" in err
    aiops_nb.replay(tmp_path / "r")
    assert capsys.readouterr().err == ""
