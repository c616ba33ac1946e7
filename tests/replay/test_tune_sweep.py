"""A sweep of the recording that comes with the package."""

import math

import pandas as pd
import pytest

from aiops_nb import open_recording, replay
from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.demo import demo_recording
from aiops_nb.tune import match, read_labels, split_time, sweep, with_threshold
from aiops_nb.tune.match import is_notified_itself
from aiops_nb.tune.sweep import SECONDS_PER_DAY, alerts_by_threshold

LATENCY = "latency_p95_anomaly"
COLUMNS = [
    "threshold",
    "alerts_per_day",
    "faults_found",
    "faults_missed",
    "recall_ratio",
    "false_alarms_per_day",
    "median_delay_seconds",
    "random_recall_ratio",
    "random_false_alarms_per_day",
]


@pytest.fixture(scope="module")
def recording():
    return open_recording(demo_recording())


@pytest.fixture(scope="module")
def labels(recording):
    return read_labels(recording)


@pytest.fixture(scope="module")
def table(recording, labels):
    return sweep(recording, labels, [20, 3, 8], alertname=LATENCY, kinds=["slow", "traffic_flood"])


@pytest.mark.parametrize("alertname", [LATENCY, None])
def test_one_replay_for_all_thresholds_gives_what_one_for_each_gives(recording, alertname):
    thresholds = [5.0, 12.0]
    together = alerts_by_threshold(recording, recording.config, thresholds, alertname)
    for threshold in thresholds:
        alone = replay(recording, config=with_threshold(recording.config, threshold, alertname)).alerts()
        alone = alone if alertname is None else alone[alone["alertname"] == alertname]
        columns = [name for name in alone.columns if name not in ("fingerprint", "summary")]
        keys = ["pending_at", "alertname", "target"]
        expected = alone[columns].sort_values(keys).reset_index(drop=True)
        pd.testing.assert_frame_equal(together[threshold][columns].sort_values(keys).reset_index(drop=True), expected)


def test_the_table_has_a_row_for_each_threshold_and_one_for_silence(table):
    assert table.columns.tolist() == COLUMNS
    assert table["threshold"].tolist() == [3, 8, 20, math.inf]
    silence = table.iloc[-1]
    assert silence[["alerts_per_day", "faults_found", "recall_ratio", "random_recall_ratio"]].tolist() == [0] * 4


def test_the_figures_follow_from_the_alerts(recording, labels, table):
    alerts = alerts_by_threshold(recording, recording.config, [8.0], LATENCY)[8.0]
    matches = match(alerts, labels, kinds=["slow", "traffic_flood"])
    days = (recording.time_range[1] - recording.time_range[0]).total_seconds() / SECONDS_PER_DAY
    line = table.iloc[1]
    assert line["alerts_per_day"] == pytest.approx(
        (alerts["starts_at"].notna() & is_notified_itself(alerts)).sum() / days
    )
    assert (line["faults_found"], line["faults_missed"]) == (matches.found, matches.missed)
    assert line["recall_ratio"] == matches.found / len(matches.labels)
    assert line["false_alarms_per_day"] == pytest.approx(matches.false_alarms / days)
    assert line["median_delay_seconds"] == matches.labels["delay_seconds"].median()


def test_a_lower_threshold_tells_more_and_finds_at_least_as_much(table):
    assert table["alerts_per_day"].is_monotonic_decreasing
    assert table["faults_found"].is_monotonic_decreasing


def test_the_detector_is_better_than_chance_at_the_recorded_setting(recording, labels):
    line = sweep(recording, labels, [6.0], alertname=LATENCY, kinds=["slow", "traffic_flood"]).iloc[0]
    assert line["recall_ratio"] > 2 * line["random_recall_ratio"]
    assert line["false_alarms_per_day"] < line["random_false_alarms_per_day"] / 2


def test_the_parts_of_a_recording_share_out_its_faults(recording, labels):
    middle = split_time(recording, labels)
    parts = [sweep(recording, labels, [8.0], **part).iloc[0] for part in ({"end": middle}, {"start": middle})]
    counted = sum(part["faults_found"] + part["faults_missed"] for part in parts)
    assert counted == len(labels)


def test_a_range_without_rows_is_one_clear_error(recording, labels):
    with pytest.raises(RecordingError, match="expected rows in"):
        sweep(recording, labels, [8.0], start="2031-01-01")


def test_an_unknown_rule_is_one_clear_error(recording, labels):
    with pytest.raises(ConfigError, match="alertname: expected one of latency_p95_anomaly"):
        sweep(recording, labels, [8.0], alertname="fire")
