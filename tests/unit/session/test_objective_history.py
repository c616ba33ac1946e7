"""Burn rates go on over a restart: the objectives of a run begin with what an earlier recording holds."""

from __future__ import annotations

import shutil
import time

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aiops_nb
from aiops_nb.cli import main
from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.engine.commands import Start, decode_command, encode_command
from aiops_nb.features.requests.objective_history import PastAnswers, SeriesPast
from aiops_nb.features.requests.objectives import ObjectiveFeatures
from aiops_nb.record.recorder import Recorder
from tests.property.digests import StepDigest, digest_of
from tests.unit.monitor.test_monitor import CLOSED_PORT, Reached, fires

DAY, MINUTE_NS = 86_400, 60 * NS_PER_SECOND
BEGUN_SECONDS = 1_780_000_000


def rows_of(times_ns, failed, target="shop"):
    columns = {"time": times_ns, "origin": "probe", "target": target, "error_type": np.where(failed, "timeout", None)}
    return make_batch("requests", "http", columns)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1 << 20), split_seconds=st.integers(3 * DAY, 4 * DAY))
def test_what_is_recalled_is_what_a_run_without_a_break_knows(seed, split_seconds):
    rng = np.random.default_rng(seed)
    begun_ns = BEGUN_SECONDS * NS_PER_SECOND // MINUTE_NS * MINUTE_NS
    times = np.sort(rng.integers(begun_ns, begun_ns + (split_seconds + 9000) * NS_PER_SECOND, 20_000))
    failed = rng.random(len(times)) < 0.1
    split_ns = begun_ns + split_seconds * NS_PER_SECOND
    before, past = times < split_ns, PastAnswers(["shop"], split_ns)
    for part in np.array_split(np.flatnonzero(before), 7):
        past.add(rows_of(times[part], failed[part]))
    recalled = {one.target: one for one in past.series()}
    assert recalled["shop"].requests == recalled["*"].requests
    whole, rest = ObjectiveFeatures(60.0), ObjectiveFeatures(60.0)
    first, windows = int(begun_ns // MINUTE_NS), times // MINUTE_NS
    opened = int(split_ns // MINUTE_NS)

    def close(features, window, among):
        mine = among & (windows == window)
        return features.close(window, np.array([mine.sum()]), np.array([(mine & failed).sum()]))[:, 0]

    for window in range(first, int(windows[-1]) + 1):
        told = close(whole, window, np.ones(len(times), bool))
        if window == opened + 3:
            rest.recall(window, 0, recalled["shop"], opened)
        if window >= opened:
            again = close(rest, window, ~before)
        if window >= opened + 3:
            np.testing.assert_array_equal(again[:-1], told[:-1])
            assert again[-1] >= 3 * DAY


def test_what_the_run_reads_itself_is_not_counted_twice():
    past = SeriesPast(
        target="a", origin="", since_ns=0, starts_seconds=(0, 60, 600), requests=(1, 2, 4), errors=(0,) * 3
    )
    features = ObjectiveFeatures(1.0)
    features.recall(700, 0, past, first_window=61)
    assert features.close(700, np.array([0]), np.array([0]))[[9, -1], 0].tolist() == [3, 701]
    later = ObjectiveFeatures(1.0)
    later.recall(0, 0, msgspec.structs.replace(past, starts_seconds=(60, 120, 600)), first_window=5)
    assert later.close(6, np.array([0]), np.array([0]))[[9, -1], 0].tolist() == [0, 0]


def test_a_history_of_unequal_lengths_is_told():
    body = '{"type": "start", "history": {"recording": "r", "end_ns": 0, "series": [{"target": "a", "origin": "", '
    with pytest.raises(ConfigError, match="as many requests and errors"):
        decode_command(body + '"since_ns": 0, "starts_seconds": [0], "requests": [], "errors": []}]}}')
    assert decode_command(encode_command(Start())).history is None


# -- a monitor that is started again

SLO = {"host_metrics": False, "interval": 0.2, "pipeline": {"enable": ["slo_burn_1h"]}}
SLO["pipeline"]["window"] = {"objective_targets": [CLOSED_PORT]}


@pytest.fixture
def earlier(tmp_path):
    """Two hours of a probe a second up to now, one in ten failed, as a process left it that is gone."""
    path, now_ns = tmp_path / "earlier", time.time_ns()
    times = np.arange(now_ns - 7200 * NS_PER_SECOND, now_ns, NS_PER_SECOND)
    with Recorder(path) as recorder:
        for part in np.array_split(times, 5):
            recorder.write(rows_of(part, np.arange(len(part)) % 10 == 0, CLOSED_PORT))
    return path


def watched(record, until, **config):
    digest = StepDigest()
    with aiops_nb.watch(CLOSED_PORT, record=record, config=SLO | config, sinks=[digest, until]) as monitor:
        assert until.wait(20)
    return monitor, digest


def of_objectives(step):
    return any(tick.features.table == "slo" for tick in step.ticks)


def test_a_monitor_that_goes_on_with_a_recording_has_the_history_of_its_objectives(earlier):
    begun = aiops_nb.open_recording(earlier).time_range[1]
    monitor, digest = watched(earlier, fires("slo_burn_1h"))
    slo = monitor.features("slo")
    assert set(slo.target) == {"*", CLOSED_PORT} and slo.history_seconds.min() > 7000
    assert slo.error_ratio_3600s.between(0.09, 0.2).all() and slo.error_ratio_21600s.isna().all()
    alerts = monitor.alerts()
    assert {"*", CLOSED_PORT} == set(alerts[alerts.alertname == "slo_burn_1h"].target)
    assert alerts.pending_at.min() >= begun.floor("s")  # nothing of the past is told again
    second_run = [item for item in aiops_nb.open_recording(earlier).reader.items() if item.seq >= 5]
    assert digest_of(second_run)[0].result() == digest.result()


def test_the_history_is_kept_with_the_run_when_the_earlier_recording_is_gone(earlier, tmp_path):
    _, digest = watched(tmp_path / "new", fires("slo_burn_1h"), history=str(earlier))
    shutil.rmtree(earlier)
    replayed = StepDigest()
    aiops_nb.replay(tmp_path / "new", sinks=[replayed])
    assert replayed.result() == digest.result()
    reader = aiops_nb.open_recording(tmp_path / "new").reader
    body = next(body for body in reader.table("control")["body"].to_pylist() if body)
    assert decode_command(body).history.recording == "earlier"


@pytest.mark.parametrize("off", [{"history": False}, {"pipeline": {}}])
def test_who_wants_none_begins_anew(earlier, off):
    monitor, _ = watched(earlier, Reached(of_objectives), **off)
    slo = monitor.features("slo")
    assert slo.history_seconds.max() < 60 and slo.error_ratio_300s.isna().all()


def test_a_history_that_is_no_recording_is_told_at_once(tmp_path):
    with pytest.raises(RecordingError, match="nowhere"):
        aiops_nb.watch(CLOSED_PORT, config=SLO | {"history": str(tmp_path / "nowhere")})


def test_check_says_where_the_history_comes_from(tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text("targets: ['http://127.0.0.1:9/']\nhistory: recordings/last-week\n")
    assert main(["check", str(config)]) == 0
    assert "history of objectives\n  recordings/last-week\n" in capsys.readouterr().out
