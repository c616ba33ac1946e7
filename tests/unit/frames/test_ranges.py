"""Ranges of time of frames: every way to write one, of a monitor and of a recording."""

from __future__ import annotations

import pandas as pd
import pytest

import aiops_nb
from aiops_nb.core.errors import ConfigError


@pytest.fixture(scope="module")
def minute(tmp_path_factory):
    """A minute of traffic, as a monitor and as its recording."""
    path = tmp_path_factory.mktemp("ranges") / "r"
    monitor = aiops_nb.from_synthetic(60, seed=7, targets=2, record=path)
    return monitor, aiops_nb.open_recording(path)


@pytest.mark.parametrize("start", ["-10s", pd.Timedelta(-10, "s"), "50s"])
def test_a_duration_counts_from_the_data(minute, start):
    for owner in minute:
        rows, whole = owner.requests(start=start), owner.requests()
        assert 0 < len(rows) < len(whole) / 3
        assert (rows.time.max() - rows.time.min()).total_seconds() < 13


def test_a_clock_time_and_a_duration_agree(minute):
    monitor, recording = minute
    first = recording.time_range[0]
    for table in ("requests", "features", "scores"):
        whole = getattr(recording, table)(start=first + pd.Timedelta("20s"))
        pd.testing.assert_frame_equal(getattr(recording, table)(start="20s"), whole)
    assert len(monitor.requests(start="tomorrow")) == 0


@pytest.mark.parametrize("table", ["requests", "samples", "features", "scores", "alerts"])
def test_every_frame_refuses_a_number_without_a_unit(minute, table):
    for owner in minute:
        with pytest.raises(ConfigError, match="start: expected a number with its unit"):
            getattr(owner, table)(start=1_795_727_280)


def test_targets_and_ranges_of_a_recording_are_checked(minute):
    recording = minute[1]
    assert len(recording.targets()) == 2
    assert recording.known_targets("*") == recording.targets() and recording.known_targets(None) == []
    with pytest.raises(ConfigError, match="expected a known target, got 'nosuch'"):
        recording.known_targets(["nosuch"])
    with pytest.raises(ConfigError, match="recorded: 2026-05-28"):
        recording.covered_range_ns("today", None)


def test_a_monitor_that_has_seen_nothing_refuses_a_duration():
    monitor = aiops_nb.Monitor(lambda deliver: None)
    with pytest.raises(ConfigError, match="there is no data yet"):
        monitor.requests(start="-5m")
