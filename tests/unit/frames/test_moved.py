"""What else moved, asked of a monitor and of a recording."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import aiops_nb
from aiops_nb.collect.synthetic import Fault
from aiops_nb.core.errors import ConfigError

FAULTS = [
    Fault(kind="latency_shift", start_seconds=240, length_seconds=60, target="/b", size=10),
    Fault(kind="outage", start_seconds=250, length_seconds=40, target="/<b>c</b>"),
]


@pytest.fixture(scope="module")
def monitor():
    return aiops_nb.from_synthetic(320, seed=7, targets=["/a", "/b", "/<b>c</b>", "/d"], hosts=2, faults=FAULTS)


def test_the_faulty_targets_come_first_with_onsets(monitor):
    start = monitor.requests().time.min()
    moved = monitor.what_moved(start + pd.Timedelta("230s"), start + pd.Timedelta("300s"))
    clear = moved[moved.is_clear]
    assert {"/b", "/<b>c</b>"} <= set(clear.target) and "/a" not in set(clear.target)
    onset = clear[(clear.target == "/b") & (clear.metric == "duration_p95_seconds")].iloc[0]
    assert onset.change == "up" and onset.during > 3 * onset.before
    assert abs((onset.onset - start).total_seconds() - 240) <= 5 and onset.calm_until < onset.onset
    assert "clearly left" in moved.verdict and moved.verdict in moved._repr_html_()
    assert "<b>c" not in moved._repr_html_()


def test_calm_minutes_cannot_be_told(monitor):
    start = monitor.requests().time.min()
    moved = aiops_nb.what_moved(monitor, start + pd.Timedelta("150s"), start + pd.Timedelta("210s"))
    assert not moved.is_clear.any() and moved.verdict.startswith("not clear") and len(moved)


def test_an_alert_is_asked_and_its_own_series_is_left_out(monitor):
    alerts = monitor.alerts()
    number = int(np.flatnonzero((alerts.alertname == "latency_p95_anomaly") & (alerts.target == "/b"))[0])
    moved = monitor.also_moved(number, before="2m")
    assert not len(moved[(moved.target == "/b") & (moved.metric == "duration_p95_seconds")])
    assert moved.iloc[0].target in ("/<b>c</b>", "/b")


def test_before_the_first_window_there_is_no_baseline(monitor):
    start = monitor.requests().time.min()
    assert "no baseline" in monitor.what_moved(start, start + pd.Timedelta("5s")).verdict


@pytest.mark.parametrize("before", ["soon", 0, -1.0, "nan"])
def test_a_baseline_needs_a_duration(monitor, before):
    with pytest.raises(ConfigError, match="before: expected a duration"):
        monitor.what_moved(before=before)


def test_a_recording_answers_as_the_run_did(tmp_path, monitor):
    recorded = aiops_nb.from_synthetic(
        320, seed=7, targets=["/a", "/b", "/<b>c</b>", "/d"], hosts=2, faults=FAULTS, record=tmp_path / "r"
    )
    recording = aiops_nb.open_recording(tmp_path / "r")
    start = recorded.requests().time.min() + pd.Timedelta("230s")
    pd.testing.assert_frame_equal(
        pd.DataFrame(recording.what_moved(start)), pd.DataFrame(recorded.what_moved(start)), check_dtype=False
    )
