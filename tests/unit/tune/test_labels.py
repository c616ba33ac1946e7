"""Labels as they come from files and recordings."""

import json

import pandas as pd
import pytest

from aiops_nb import open_recording
from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.demo import demo_recording
from aiops_nb.tune import read_labels, split_time

LINE = {"kind": "slow", "target": "a", "start": "2026-01-01T00:00:10Z", "end": "2026-01-01T00:00:20Z"}


def test_labels_come_in_order_and_in_utc(tmp_path):
    path = tmp_path / "labels.jsonl"
    early = LINE | {"kind": "early", "start": "2026-01-01T01:00:01+01:00"}
    del early["target"]
    path.write_text(f"{json.dumps(LINE)}\n\n{json.dumps(early)}\n")
    labels = read_labels(path)
    assert labels["kind"].tolist() == ["early", "slow"]
    assert labels["target"].tolist() == ["", "a"]
    assert labels["start"].tolist() == [pd.Timestamp("2026-01-01T00:00:01Z"), pd.Timestamp("2026-01-01T00:00:10Z")]


def test_a_recording_and_its_folder_give_the_same_labels():
    folder = demo_recording()
    labels = read_labels(folder)
    assert labels.equals(read_labels(open_recording(folder)))
    assert labels.equals(read_labels(folder / "labels.jsonl"))
    assert set(labels["kind"]) == {"slow", "http_5xx", "connection_refused", "traffic_flood", "memory_growth"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "labels.jsonl:1: expected a label with kind, start and end, got "),
        (json.dumps({"kind": "x"}), "labels.jsonl:1: expected a label with kind, start and end, got "),
        (json.dumps(LINE | {"start": "soon"}), "labels.jsonl:1: expected a label with kind, start and end, got "),
        (json.dumps(LINE | {"end": "2026-01-01T00:00:00Z"}), "labels.jsonl:1: end: expected a time after "),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, message):
    path = tmp_path / "labels.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(ConfigError) as caught:
        read_labels(path)
    assert message in str(caught.value)


def test_no_labels_file_is_one_clear_error(tmp_path):
    with pytest.raises(RecordingError, match="expected a recording or a file of labels, found nothing there"):
        read_labels(tmp_path / "none.jsonl")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_a_split_never_cuts_a_fault(share):
    recording = open_recording(demo_recording())
    labels = read_labels(recording)
    middle = split_time(recording, labels, share)
    assert not ((labels["start"] <= middle) & (middle <= labels["end"])).any()
    first, last = recording.time_range
    assert first <= middle <= last


def test_a_split_follows_the_share():
    recording = open_recording(demo_recording())
    labels = read_labels(recording)
    times = [split_time(recording, labels, share) for share in (0.2, 0.5, 0.8)]
    assert times == sorted(set(times))
