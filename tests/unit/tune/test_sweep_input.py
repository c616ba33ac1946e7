"""What `sweep` is given is checked before anything is replayed; labels are optional."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from aiops_nb.collect.synthetic import Fault
from aiops_nb.core.errors import ConfigError
from aiops_nb.record.recorder import Recorder
from aiops_nb.session.recording import open_recording
from aiops_nb.session.synthetic import from_synthetic
from aiops_nb.tune import sweep
from aiops_nb.tune.labels import checked_labels

TIMES = {"start": ["2026-05-28T20:27:20Z"], "end": ["2026-05-28 20:27:40"]}


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "r"
    from_synthetic(
        90, seed=3, targets=2, record=path, faults=[Fault(kind="latency_shift", start_seconds=50, length_seconds=20)]
    )
    return open_recording(path)


def test_without_labels_it_says_what_each_threshold_costs(recording):
    table = sweep(recording, thresholds=[4.0, 8.0])
    assert table.threshold.tolist() == [4.0, 8.0, math.inf]
    assert table.alerts_per_day.iloc[0] > 0 and table.alerts_per_day.iloc[-1] == 0
    assert table[["recall_ratio", "false_alarms_per_day", "random_recall_ratio"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "labels",
    [
        pd.DataFrame(TIMES),
        pd.DataFrame(TIMES | {"target": [None], "kind": [np.nan]}),
        pd.DataFrame({name: pd.to_datetime(times, utc=True) for name, times in TIMES.items()}),
        pd.DataFrame(TIMES | {"target": [""], "kind": ["slow"], "note": ["mine"]}),
    ],
    ids=["text", "nulls", "moments", "further columns"],
)
def test_labels_may_be_text_and_have_no_target(recording, labels):
    table = sweep(recording, labels, [4.0])
    assert table.faults_found.tolist() == [1, 0] and table.false_alarms_per_day.notna().all()


def test_an_empty_frame_says_that_there_were_no_faults(recording):
    table = sweep(recording, pd.DataFrame({"start": [], "end": []}), [4.0])
    assert table.alerts_per_day.iloc[0] == table.false_alarms_per_day.iloc[0] > 0


def test_a_recording_or_its_folder_serves_as_labels(recording):
    by_path, by_recording = (sweep(recording, one, [4.0]) for one in (str(recording.path), recording))
    pd.testing.assert_frame_equal(by_path, by_recording)
    assert by_path.faults_found.iloc[0] == 1


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"start": ["soon"], "end": ["2026-05-28"]}, r"^labels.start\[0\]: expected "),
        (
            {"start": ["2026-05-28", None], "end": ["2026-05-29"] * 2},
            r"^labels.start\[1\]: expected a time, got 'none'",
        ),
        ({"start": ["2026-05-28"], "end": ["2026-05-27"]}, r"^labels.end\[0\]: expected a time after 2026-05-28"),
        ({"begin": ["2026-05-28"]}, "^labels: expected a DataFrame with start and end, .*columns begin"),
        ({}, "^labels: expected a DataFrame with start and end"),
    ],
)
def test_labels_that_cannot_be_read_are_refused_by_row_and_column(labels, message):
    with pytest.raises(ConfigError, match=message):
        checked_labels(pd.DataFrame(labels))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [("2026-05-28", "2026-05-29")]}, "^labels: expected a DataFrame"),
        ({"thresholds": ["high"]}, r"^thresholds\[0\]: expected a number > 0, got 'high'"),
        ({"thresholds": []}, "^thresholds: expected numbers"),
        ({"thresholds": "468"}, "^thresholds: expected numbers"),
        ({"thresholds": [4.0, math.nan]}, r"^thresholds\[1\]: expected a number > 0"),
        ({"labels": pd.DataFrame(TIMES | {"kind": ["slow"]}), "kinds": ["slwo"]}, r"^kinds\[0\]: .*did you mean slow"),
    ],
)
def test_it_refuses_before_it_replays(tmp_path, options, message):
    """A recording without rows cannot be replayed: that would be a RecordingError."""
    Recorder(tmp_path / "empty").close()
    with pytest.raises(ConfigError, match=message):
        sweep(open_recording(tmp_path / "empty"), **options)
