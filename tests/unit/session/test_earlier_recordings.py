"""Recordings of format 2, whose rules and commands had other names: opened, replayed, continued, exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from aiops_nb import open_recording, replay
from aiops_nb.core.schemas import control_batch
from aiops_nb.engine.commands import SetThreshold, encode_command
from aiops_nb.record.format import FORMAT_VERSION, read_manifest
from aiops_nb.record.recorder import Recorder
from tests.paths import ROOT
from tests.record_rows import samples

FORMAT_2 = ROOT / "tests" / "data" / "format2"
DEMO = ROOT / "data" / "demo"


def alerts_of_then() -> set[tuple[object, ...]]:
    """The last state of each episode, as format 2 had it, but for the detector that is called otherwise now."""
    lines = [json.loads(line) for line in (FORMAT_2 / "alerts.jsonl").read_text().splitlines()]
    episodes = {}
    for line in lines:
        labels = line["labels"]
        detector = {"together": "grouping"}.get(labels["detector"], labels["detector"])
        key = labels["alertname"], labels["target"], detector, line["pending_at_ns"]
        episodes[key] = line["state"], line["starts_at_ns"], line["ends_at_ns"]
    return {(*key, *value) for key, value in episodes.items()}


def alerts_of(table: pd.DataFrame) -> set[tuple[object, ...]]:
    def nanoseconds(time: pd.Timestamp) -> int | None:
        return None if pd.isna(time) else time.as_unit("ns").value

    return {
        (
            *(row["alertname"], row["target"], row["detector"], nanoseconds(row["pending_at"])),
            *(row["state"], nanoseconds(row["starts_at"]), nanoseconds(row["ends_at"])),
        )
        for row in table.to_dict("records")
    }


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FORMAT_2, tmp_path / "earlier"))


def test_its_alerts_are_those_of_then_but_for_the_renamed_detector(earlier: Path) -> None:
    then, now = alerts_of_then(), open_recording(earlier).alerts()
    assert alerts_of(replay(earlier).alerts()) == alerts_of(now)
    # What still fired at the end of the recording ends with it today.
    cut_off = now["outcome"] == "monitoring stopped"
    now.loc[cut_off, ["state", "ends_at"]] = ["firing", pd.NaT]
    assert alerts_of(now) == {row for row in then if row[4] != "pending"}
    assert ("error_ratio_anomaly", "grouping") in {(row[0], row[2]) for row in then}


def test_its_configuration_has_the_names_of_today(earlier: Path) -> None:
    pipeline = open_recording(earlier).config.pipeline
    assert pipeline.grouping is not None and pipeline.grouping.min_ratio == 0.6
    assert "http_4xx" not in [rule.alertname for rule in pipeline.row_rules]


def test_reading_leaves_it_as_it_is(earlier: Path) -> None:
    before = {path: path.read_bytes() for path in earlier.rglob("*") if path.is_file()}
    open_recording(earlier).alerts()
    assert {path: path.read_bytes() for path in earlier.rglob("*") if path.is_file()} == before


def test_continued_it_is_of_the_present_format_and_replays_to_its_end(earlier: Path) -> None:
    last_ns = open_recording(earlier).reader.time_range_ns[1]
    command = encode_command(SetThreshold(alertname="latency_p95_anomaly", threshold=9.0))
    with Recorder(earlier) as recorder:
        recorder.write(samples(last_ns))
        recorder.write(control_batch("user", "command", last_ns, command))
    assert read_manifest(earlier).format_version == FORMAT_VERSION
    bodies = [
        body
        for item in open_recording(earlier).reader.items()
        if item.table == "control"
        for body in item.batch.column("body").to_pylist()
        if body
    ]
    assert all(body.startswith('{"type":') for body in bodies)
    assert bodies[-1] == command
    assert alerts_of(open_recording(earlier).alerts()) >= {row for row in alerts_of_then() if row[4] == "resolved"}


def test_the_demo_of_format_1_gives_the_same_alerts_as_ever() -> None:
    alerts = open_recording(DEMO).alerts()
    fired = alerts[alerts["starts_at"].notna()]
    assert len(fired) == 41
    assert fired[fired["inhibited_by"] == ""]["alertname"].value_counts().to_dict() == {
        "latency_p95_anomaly": 5,
        "http_5xx": 2,
        "request_failed": 2,
    }
