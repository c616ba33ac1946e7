"""Labels of a recording: added, edited, judged, brought in and out; the file keeps its history."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pandas as pd
import pytest

import aiops_nb
from aiops_nb.collect.synthetic import Fault
from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.session.recording import Recording, open_recording
from aiops_nb.tune import match, read_labels, sweep
from aiops_nb.tune.labels import checked_labels

START, END = "2026-05-01 12:00:00.000000123Z", "2026-05-01T14:05:00+02:00"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "recording"
    outage = Fault(kind="outage", start_seconds=30, length_seconds=20)
    aiops_nb.from_synthetic(70, seed=3, targets=2, rate_hz=10, hosts=0, faults=[outage], record=path)
    (path / "labels.jsonl").unlink()
    return path


@pytest.fixture
def recording(made: Path) -> Recording:
    (made / "labels.jsonl").unlink(missing_ok=True)
    return open_recording(made)


def test_a_label_is_added_edited_and_deleted_and_nothing_is_lost(recording: Recording) -> None:
    labels = recording.labels
    first = labels.add(START, END, kind="slow", targets=["a", "b"], note="<img onerror=x>", author="anna")
    other = labels.add(START, END)
    labels.edit(first, kind="outage", author="ben")
    labels.delete(other, author="ben")
    frame = open_recording(recording.path).labels.to_frame()
    assert frame[["kind", "target", "note", "author"]].to_numpy().tolist() == [
        ["outage", "a, b", "<img onerror=x>", "ben"]
    ]
    assert frame["targets"].tolist() == [("a", "b")]
    assert frame["start"][0] == pd.Timestamp(START) and frame["end"][0] == pd.Timestamp(END)
    history = labels.history()
    assert history["kind"].tolist() == ["slow", "fault", "outage", "fault"]
    assert history["deleted"].tolist() == [False, False, False, True]
    assert len(labels) == 1 and "<img" not in labels._repr_html_()


def test_lines_of_programs_can_be_edited_too(recording: Recording) -> None:
    file = recording.path / "labels.jsonl"
    file.write_text('{"kind":"slow","target":"a","start":"2026-05-01T12:00:00Z","end":"2026-05-01T12:01:00Z"}\n\n')
    recording.labels.edit("line-1", end="2026-05-01T12:02:00Z")
    assert recording.labels.to_frame()["end"].tolist() == [pd.Timestamp("2026-05-01T12:02:00Z")]
    assert file.read_text().count("\n") == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"start": "soon"}, "labels.start: "),
        ({"start": None}, "labels.start: expected a time"),
        ({"end": "2026-05-01T11:00:00Z"}, "labels.end: expected a time after"),
        ({"kind": " "}, "labels.kind: expected a word"),
        ({"note": "x" * 10_001}, "labels.note: expected at most"),
    ],
)
def test_a_wrong_label_is_refused_and_nothing_is_written(
    recording: Recording, fields: dict[str, object], message: str
) -> None:
    given = {"start": START, "end": END} | fields
    with pytest.raises(ConfigError, match=message):
        recording.labels.add(given.pop("start"), given.pop("end"), **given)  # type: ignore[arg-type]
    assert len(recording.labels) == 0


def test_an_unknown_label_or_field_is_named(recording: Recording) -> None:
    label = recording.labels.add(START, END)
    with pytest.raises(ConfigError, match="colour"):
        recording.labels.edit(label, colour="red")
    for change in (lambda: recording.labels.edit("none", kind="x"), lambda: recording.labels.delete("none")):
        with pytest.raises(ConfigError, match="none"):
            change()


def test_an_alert_is_judged(recording: Recording) -> None:
    alerts = recording.alerts()
    fired = alerts[alerts["starts_at"].notna()]
    one = fired.iloc[0]
    label = recording.labels.judge(one, "right", note="real", author="anna")
    assert recording.labels.judge(int(fired.index[0]), "noise", author="ben") == label
    frame = recording.labels.to_frame()
    assert frame[["kind", "note", "author", "alert"]].to_numpy().tolist() == [
        ["noise", "real", "ben", one["fingerprint"]]
    ]
    assert frame["start"][0] == one["pending_at"]
    assert len(read_labels(recording)) == 0  # noise is no fault
    recording.labels.edit(label, kind="right")
    assert match(alerts, read_labels(recording)).found == 1
    with pytest.raises(ConfigError, match="right or noise"):
        recording.labels.judge(0, "maybe")  # type: ignore[arg-type]


def test_labels_of_several_targets_are_one_fault_for_tuning(recording: Recording) -> None:
    targets = recording.targets()
    start, end = recording.time_range  # type: ignore[misc]
    recording.labels.add(start, end, kind="outage", targets=targets)
    labels = checked_labels(recording)
    assert checked_labels(labels).equals(labels)
    found = match(recording.alerts(), labels)
    assert len(found.labels) == 1 and found.false_alarms == 0
    assert sweep(recording, recording, thresholds=[6])["faults_found"].tolist() == [1, 0]


def test_csv_goes_out_and_comes_back(recording: Recording, tmp_path: Path) -> None:
    label = recording.labels.add(
        START, END, kind="slow, very", targets=["a", "b"], note='say "hm"\nthen', author="anna"
    )
    before = recording.labels.to_frame().drop(columns=["created"])
    recording.labels.to_csv(tmp_path / "labels.csv")
    recording.labels.delete(label)
    recording.labels.from_csv(tmp_path / "labels.csv")
    after = recording.labels.to_frame().drop(columns=["created"])
    assert after.drop(columns="id").equals(before.drop(columns="id"))
    recording.labels.from_csv(tmp_path / "labels.csv", author="x")
    again = tmp_path / "again.csv"
    recording.labels.to_csv(again)
    count = len(recording.labels)
    recording.labels.from_csv(again)  # the same ids: changed, not doubled
    assert len(recording.labels) == count


def test_a_plain_csv_of_times_is_enough(recording: Recording, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text("\ufeffstart,end,target\n2026-05-01 12:00,2026-05-01 12:05,shop\n")
    recording.labels.from_csv(file, author="anna")
    assert recording.labels.to_frame()[["kind", "target", "author"]].to_numpy().tolist() == [["fault", "shop", "anna"]]
    file.write_text("start,end\n2026-05-01 12:00,2026-05-01 12:05\n2026-05-01 12:00,then\n")
    with pytest.raises(ConfigError, match=r"plain.csv:3"):
        recording.labels.from_csv(file)
    assert len(recording.labels) == 1
    file.write_text("from,to\n1,2\n")
    with pytest.raises(ConfigError, match="columns start and end"):
        recording.labels.from_csv(file)


def test_label_studio_goes_out_and_comes_back(recording: Recording, tmp_path: Path) -> None:
    label = recording.labels.add("2026-05-01 12:00", "2026-05-01 12:05", kind="slow", targets="a", note="deploy")
    before = recording.labels.to_frame().drop(columns=["created", "id"])
    tasks = recording.labels.to_label_studio(tmp_path / "tasks.json", data={"csv": "/features.csv"})
    region = tasks[0]["annotations"][0]["result"][0]
    assert region["value"]["start"] == pd.Timestamp("2026-05-01 12:00", tz="UTC").timestamp() * 1000
    recording.labels.delete(label)
    recording.labels.from_label_studio(tmp_path / "tasks.json")
    assert recording.labels.to_frame().drop(columns=["created", "id"]).equals(before)


@pytest.mark.parametrize("start", ["2026-05-01T12:00:00.5Z", 1777636800.5, 1777636800500, 1777636800500000])
def test_exports_of_label_studio_are_read(recording: Recording, start: object) -> None:
    value = {"start": start, "end": "2026-05-01 12:05:00.000", "instant": False, "timeserieslabels": ["Anomaly"]}
    region = {"id": "x1", "from_name": "label", "to_name": "ts", "type": "timeserieslabels", "value": value}
    choice = {"id": "x2", "type": "choices", "value": {"choices": ["yes"]}}
    withdrawn = {"was_cancelled": True, "result": [region]}
    full = [{"id": 1, "data": {"csv": "x"}, "annotations": [{"result": [region, choice]}, withdrawn]}]
    smallest = [{"id": 1, "csv": "x", "label": [value], "annotator": 1}]
    for export in (full, smallest):
        (label,) = recording.labels.from_label_studio(export)
        frame = recording.labels.to_frame()
        assert frame["kind"].tolist() == ["Anomaly"]
        assert frame["start"].tolist() == [pd.Timestamp("2026-05-01T12:00:00.5Z")]
        recording.labels.delete(label)
    with pytest.raises(ConfigError, match="regions with start"):
        recording.labels.from_label_studio([{"annotations": [{"result": [{"type": "timeserieslabels"}]}]}])


def test_what_a_crash_left_of_a_line_is_passed_over_and_cut_off(recording: Recording) -> None:
    recording.labels.add(START, END, kind="first")
    file = recording.path / "labels.jsonl"
    with file.open("ab") as torn:
        torn.write(b'{"kind":"half","sta')
    assert recording.labels.to_frame()["kind"].tolist() == ["first"]
    recording.labels.add(START, END, kind="second")
    assert recording.labels.to_frame()["kind"].tolist() == ["first", "second"]


def test_a_last_line_without_an_end_is_a_label(recording: Recording) -> None:
    file = recording.path / "labels.jsonl"
    file.write_text('{"kind":"slow","start":"2026-05-01T12:00:00Z","end":"2026-05-01T12:01:00Z"}')
    recording.labels.add(START, END, kind="second")
    assert recording.labels.to_frame()["kind"].tolist() == ["slow", "second"]


def test_two_writers_never_mix_their_lines(recording: Recording) -> None:
    def write(kind: str) -> None:
        for number in range(50):
            recording.labels.add(START, END, kind=kind, note=str(number) * 500)

    writers = [threading.Thread(target=write, args=(kind,)) for kind in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert recording.labels.to_frame()["kind"].value_counts().to_dict() == {"a": 50, "b": 50}


def test_a_link_in_place_of_the_file_is_not_followed(recording: Recording, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(json.dumps({"kind": "x", "start": "2026-05-01", "end": "2026-05-02"}) + "\n")
    (recording.path / "labels.jsonl").symlink_to(other)
    with pytest.raises(RecordingError):
        recording.labels.to_frame()
    with pytest.raises(RecordingError):
        recording.labels.add(START, END)
    assert other.read_text().count("\n") == 1
    (recording.path / "labels.jsonl").unlink()
