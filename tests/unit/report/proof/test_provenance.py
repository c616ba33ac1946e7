"""Hashes that mean the rows, and checks that can fail."""

import math

import pandas as pd
import pytest

from aiops_nb import open_recording
from aiops_nb.core.schemas import TABLES, make_batch
from aiops_nb.demo import demo_recording
from aiops_nb.frames.summary import summarise
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from aiops_nb.report.proof.provenance import content_hash, provenance
from aiops_nb.report.proof.verification import checks_html, verify

SECOND = 1_000_000_000
END = "2026-11-23T08:09:00Z"


def rows(count, duration_seconds=0.5):
    return make_batch(
        "requests",
        "test",
        {
            "time": [SECOND * i for i in range(count)],
            "origin": "probe",
            "target": ["ä" if i % 2 else "b" for i in range(count)],
            "status_code": [200 if i % 3 else None for i in range(count)],
            "duration_seconds": [duration_seconds] * count,
        },
    )


def hash_of(path):
    reader = RecordingReader(path)
    return content_hash({name: reader.table(name) for name in TABLES})


def test_the_hash_is_of_the_rows_live_sealed_and_in_one_segment_or_two(tmp_path):
    hashes = []
    with Recorder(tmp_path / "one") as recorder:
        recorder.write(rows(9))
        hashes.append(hash_of(tmp_path / "one"))
    hashes.append(hash_of(tmp_path / "one"))
    with Recorder(tmp_path / "two") as recorder:
        recorder.write(rows(9))
        recorder.rotate()
    hashes.append(hash_of(tmp_path / "two"))
    assert len(set(hashes)) == 1


def test_a_configuration_that_was_changed_after_the_run_is_told(tmp_path):
    def told():
        return provenance(tmp_path / "r").set_index("item").value_text["hash of the configuration"]

    with Recorder(tmp_path / "r", config_yaml="host_metrics: false\n") as recorder:
        recorder.write(rows(9))
    kept = RecordingReader(tmp_path / "r").manifest.config_hash
    assert len(kept) == 64 and told() == kept[:8]
    (tmp_path / "r" / "config.yaml").write_text("host_metrics: true\n")
    now, _, then = told().partition(" ")
    assert then == f"(when recorded: {kept[:8]})" and len(now) == 8 and now != kept[:8]
    with Recorder(tmp_path / "r", config_yaml="host_metrics: true\n"):
        assert told() == now


@pytest.mark.parametrize("other", [rows(8), rows(9, duration_seconds=0.5000001)])
def test_other_rows_have_another_hash(tmp_path, other):
    for name, batch in (("a", rows(9)), ("b", other)):
        with Recorder(tmp_path / name) as recorder:
            recorder.write(batch)
    assert hash_of(tmp_path / "a") != hash_of(tmp_path / "b")


def test_provenance_names_what_a_second_report_needs():
    facts = provenance(demo_recording()).set_index("item")["value_text"]
    assert facts["recording"] == demo_recording().name
    assert facts["range (UTC)"] == "2026-11-23 08:06:04 to 2026-11-23 08:19:34"
    assert facts["rows"].startswith("3,240 requests, 10,535 samples")
    assert facts["time without rows"] == "0 %"
    assert len(facts["hash of the rows"]) == 16
    assert facts["repairs"] == "none"


@pytest.fixture(scope="module")
def figures():
    recording = open_recording(demo_recording())
    requests = recording.requests(end=END)
    return {
        "recording": recording,
        "summary": summarise(requests),
        "alerts": recording.alerts(end=END),
        "requests": requests,
        "scores": recording.scores(end=END),
        "end": END,
    }


def test_true_figures_hold(figures):
    checks = verify(**figures)
    assert len(checks) > 10
    assert checks["is_equal"].all()
    assert " figures reproduced</summary>" in checks_html(checks).text


def test_each_false_figure_is_found(figures):
    wrong = figures["summary"].copy()
    columns = ["requests", "error_ratio", "p50_seconds", "p95_seconds", "p99_seconds"]
    wrong[columns] = wrong[columns].astype(float)
    wrong.loc[0, columns] += 1e-6
    failed = verify(**figures | {"summary": wrong}).query("not is_equal")
    assert failed["figure"].tolist() == [f"{column} of {wrong.loc[0, 'target']}" for column in columns]


def test_an_alert_without_rows_behind_it_does_not(figures):
    lonely = figures["alerts"].copy()
    lonely["pending_at"] = lonely["starts_at"] = pd.Timestamp("2026-11-23T08:06:10Z")
    failed = verify(**figures | {"alerts": lonely}).query("not is_equal")
    assert len(failed) == len(lonely) + 1
    assert math.isnan(failed.iloc[-1]["recomputed"])
