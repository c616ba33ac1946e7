"""From a synthetic stream with labelled faults to a count of those that were found."""

from __future__ import annotations

import pandas as pd
import pytest

from aiops_nb import from_synthetic, open_recording, replay, watch
from aiops_nb.collect.synthetic import Fault, SyntheticStream
from aiops_nb.core.clock import SystemClock
from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.tune import match, read_labels, sweep

FAULTS = [
    Fault(kind="latency_shift", start_seconds=200, length_seconds=30, size=5, target="service-0"),
    Fault(kind="outage", start_seconds=260, length_seconds=20, target="service-1"),
    Fault(kind="cpu_saturation", start_seconds=300, length_seconds=20, target="host-1"),
]
OPTIONS = {"seed": 7, "hosts": 2, "faults": FAULTS}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    path = tmp_path_factory.mktemp("synthetic") / "rec"
    return from_synthetic(340, record=path, **OPTIONS), path


def test_a_sweep_counts_the_faults_of_a_recorded_stream(recorded):
    _, path = recorded
    recording = open_recording(path)
    labels = read_labels(recording)
    assert labels["kind"].tolist() == ["latency_shift", "outage", "cpu_saturation"]
    table = sweep(recording, labels, [8.0], kinds=["latency_shift", "outage"])
    assert table.loc[0, ["faults_found", "faults_missed"]].tolist() == [2, 0]
    assert table.iloc[-1]["faults_found"] == 0


def test_what_was_run_is_what_was_recorded_and_what_a_replay_gives(recorded):
    monitor, path = recorded
    recording = open_recording(path)
    for frame in ("requests", "samples", "features", "alerts"):
        pd.testing.assert_frame_equal(getattr(monitor, frame)(), getattr(recording, frame)())
    pd.testing.assert_frame_equal(monitor.alerts(), replay(path).alerts())
    assert len(monitor.samples()) == 340 * 2 * 5
    assert not monitor.warnings()


def test_the_same_options_give_the_same_alerts(recorded):
    again = from_synthetic(340, **OPTIONS)
    pd.testing.assert_frame_equal(recorded[0].alerts(), again.alerts())
    assert len(again.alerts())


def test_a_gap_and_a_stepped_clock_are_met_by_a_clock_that_goes_on():
    gap = Fault(kind="gap", start_seconds=20, length_seconds=10)
    ahead = Fault(kind="clock_step", start_seconds=40, length_seconds=5, size=600, target="service-0")
    behind = Fault(kind="clock_step", start_seconds=50, length_seconds=5, size=-30, target="service-0")
    monitor = from_synthetic(60, rate_hz=50, faults=[gap, ahead, behind])
    assert monitor.counters.ticks_total == pytest.approx(61, abs=1)
    counts = monitor.features().groupby("time")["count"].sum()
    assert (counts.iloc[21:30] == 0).all() and counts.iloc[15] > 0
    stepped = monitor.requests()["target"].eq("service-0").sum() / 50  # rows of its ten seconds of fifty
    assert monitor.counters.ahead_total == pytest.approx(5 * stepped, rel=0.3)
    assert monitor.counters.late_total == pytest.approx(5 * stepped, rel=0.3)


def test_a_continued_recording_keeps_its_labels(tmp_path):
    outage = Fault(kind="outage", start_seconds=2, length_seconds=2)
    from_synthetic(5, record=tmp_path / "rec", faults=[outage])
    from_synthetic(5, record=tmp_path / "rec", faults=[outage], start_ns=1_780_000_100 * 10**9)
    starts = read_labels(tmp_path / "rec")["start"]
    assert (starts.iloc[1] - starts.iloc[0]).total_seconds() == 100


def test_a_live_stream_is_watched_recorded_labelled_and_counted(tmp_path):
    outage = Fault(kind="outage", start_seconds=1, length_seconds=1, target="service-0")
    later = Fault(kind="outage", start_seconds=60, length_seconds=1, target="service-0")
    stream = SyntheticStream(
        seed=1, rate_hz=50, hosts=1, duration_seconds=3, faults=[outage, later], clock=SystemClock()
    )
    with watch(stream, record=tmp_path / "rec", config={"host_metrics": False}) as monitor:
        assert monitor.wait(30)
    stream.write_labels(tmp_path / "rec" / "labels.jsonl")
    recording = open_recording(tmp_path / "rec")
    labels = read_labels(recording)
    assert labels["kind"].tolist() == ["outage"]
    assert match(recording.alerts(), labels).found == 1
    assert len(recording.samples()) == 3 * 5


def test_wrong_options_and_folders_are_told(tmp_path):
    with pytest.raises(ConfigError, match="length_seconds: expected a number > 0"):
        from_synthetic(5, faults=[Fault(kind="gap", start_seconds=0, length_seconds=-2)])
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError):
        from_synthetic(5, record=tmp_path / "file")
