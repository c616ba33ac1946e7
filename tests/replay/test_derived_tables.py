"""Derived tables: what is read is what a replay makes, to the byte, and nothing but one's own is ever read."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import aiops_nb
from aiops_nb.cli.app import main
from aiops_nb.collect.synthetic import Fault
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, FeatureTableName, Step
from aiops_nb.engine.commands import Command, SetThreshold, SourceEnded, Start, Stop, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.frames.build import alerts_frame, features_frame, scores_frame
from aiops_nb.frames.summary import summarise
from aiops_nb.monitor.recording_tap import RecordingTap
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.record.derived import results_version, secret
from aiops_nb.record.derived.store import DERIVED, MANIFEST, DerivedTables, read_tables, write_manifest
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from aiops_nb.report.proof.verification import verify
from aiops_nb.session.recording import Recording, open_recording

TABLES: tuple[FeatureTableName, ...] = ("requests", "overall", "slo", "samples", "clients")
START = 1_780_000_000
NUMBERS = ["time", "target", "alertname", "value", "expected", "upper", "score", "threshold", "is_anomaly"]


def replayed(path: Path) -> list[Step]:
    steps: list[Step] = []
    ReplayRun(RecordingReader(path).joined_items, None, steps.append).start()
    return steps


def assert_as_replayed(recording: Recording) -> None:
    steps = replayed(recording.path)
    for table in TABLES:
        assert_same_bytes(recording.features(table), features_frame(table, steps))
    assert_same_bytes(recording.scores(), scores_frame(steps))
    changes = [change for step in steps for change in step.changes]
    assert [repr(change) for change in recording._changes()] == [repr(change) for change in changes]
    assert_same_bytes(recording.alerts(), alerts_frame(changes))


def assert_same_bytes(read: pd.DataFrame, derived: pd.DataFrame) -> None:
    assert_frame_equal(pd.DataFrame(read), pd.DataFrame(derived))
    for name in derived.columns:
        if derived[name].dtype == np.float64:
            assert read[name].to_numpy().tobytes() == derived[name].to_numpy().tobytes(), name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with its derived tables, as a run leaves it."""
    path = tmp_path_factory.mktemp("derived") / "recording"
    outage = Fault(kind="outage", start_seconds=50, length_seconds=10)
    aiops_nb.from_synthetic(80, seed=3, targets=2, rate_hz=20, hosts=1, faults=[outage], record=path)
    return path


@pytest.fixture
def recording(made: Path, tmp_path: Path) -> Path:
    """A copy of it that may be damaged."""
    return Path(shutil.copytree(made, tmp_path / "recording"))


@pytest.fixture
def no_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay is what must not be needed."""
    monkeypatch.setattr("aiops_nb.session.derived_access.ReplayRun", None)


@pytest.mark.usefixtures("no_replay")
def test_after_a_run_nothing_is_replayed(made: Path) -> None:
    opened = open_recording(made)
    assert_as_replayed(opened)
    assert len(opened.alerts()) and opened.scores()["summary"].notna().any()
    assert opened.warnings() == []


@pytest.mark.usefixtures("no_replay")
def test_a_range_is_cut_out_of_the_whole(made: Path) -> None:
    opened = open_recording(made)
    start, end = (opened.time_range[0] + pd.Timedelta(seconds, "s") for seconds in (30.5, 55))  # type: ignore[index]
    for whole, part in (
        (opened.features(), opened.features(start=start, end=end)),
        (opened.scores()[NUMBERS], opened.scores(start=start, end=end)[NUMBERS]),
    ):
        inside = whole[(whole["time"] >= start) & (whole["time"] < end)].reset_index(drop=True)
        assert_frame_equal(part, inside)
    assert opened.features(start="2030-01-01").empty
    assert list(opened.features(start="2030-01-01")) == list(features_frame("requests", []))


def test_pandas_and_duckdb_read_them_where_they_lie(made: Path) -> None:
    folder = made / DERIVED / "features_requests"
    opened = open_recording(made)
    assert len(pd.read_parquet(folder)) == len(opened.features())
    files = f"{made / DERIVED / 'changes'}/*.parquet"
    counted = duckdb.sql(f"select labels['alertname'], count(*) from '{files}' where state = 'firing' group by 1")
    assert dict(counted.fetchall()) == opened.alerts()["alertname"].value_counts().to_dict()


def damage(file: Path, how: str) -> None:
    content = bytearray(file.read_bytes())
    if how == "a bit":
        content[len(content) // 2] ^= 1
    elif how == "its end":
        del content[-10:]
    file.unlink()
    if how == "a link":
        file.with_suffix(".other").write_bytes(content)
        file.symlink_to(file.with_suffix(".other"))
    elif how != "missing":
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("table", "how"),
    [
        ("features_requests", "a bit"),
        ("features_requests", "missing"),
        ("changes", "its end"),
        ("changes", "a link"),
        (MANIFEST, "a bit"),
        (MANIFEST, "a link"),
    ],
)
def test_a_damaged_table_is_derived_again(recording: Path, table: str, how: str) -> None:
    found = recording / DERIVED / table
    damage(found if found.is_file() else found / "000000.parquet", how)
    opened = open_recording(recording)
    steps = replayed(recording)
    assert_same_bytes(opened.features(), features_frame("requests", steps))
    assert_same_bytes(opened.alerts(), alerts_frame(change for step in steps for change in step.changes))


def without_changes(path: Path) -> None:
    """Kept tables, signed like any other of this user, that hold no change of an alert."""
    tables = kept_ones(path)
    assert tables is not None
    kept = {name: segments for name, segments in tables.manifest.tables.items() if name != "changes"}
    write_manifest(path / DERIVED, msgspec.structs.replace(tables.manifest, tables=kept))


def test_a_report_is_not_verified_by_kept_tables(recording: Path) -> None:
    true_alerts = open_recording(recording).alerts()
    without_changes(recording)
    opened = open_recording(recording)
    requests = opened.requests()
    assert opened.alerts().empty and len(true_alerts)  # they are believed here
    checks = verify(opened, summarise(requests), opened.alerts(), requests, opened.scores()).set_index("figure")
    assert not checks.loc["alerts of a second replay", "is_equal"]


def test_verify_says_that_all_is_equal(made: Path) -> None:
    found = open_recording(made).verify()
    assert found["is_equal"].all(), found
    assert set(found["table"]) >= {"changes", "features_requests", "features_samples", "scores"}
    assert found.set_index("table")["rows"]["scores"] == len(open_recording(made).scores())


def test_verify_names_what_differs(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = kept_ones(recording)
    assert tables is not None
    (segment,) = tables.manifest.tables["scores"]
    file = recording / DERIVED / "scores" / segment.name
    table = pq.read_table(file)
    values = table.column("value").to_numpy().copy()
    values[7] += 1
    at = table.column_names.index("value")
    pq.write_table(table.set_column(at, "value", pa.array(values)).replace_schema_metadata(table.schema.metadata), file)
    content = file.read_bytes()
    forged = msgspec.structs.replace(
        segment, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )  # as only this user can: it is signed
    others = {name: segments for name, segments in tables.manifest.tables.items() if name != "changes"}
    write_manifest(recording / DERIVED, msgspec.structs.replace(tables.manifest, tables=others | {"scores": (forged,)}))
    found = open_recording(recording).verify().set_index("table")
    assert found.index[~found["is_equal"]].tolist() == ["changes", "scores"]
    assert "value: kept" in found["difference"]["scores"]
    assert "derived, not kept" in found["difference"]["changes"]
    assert main(["verify", str(recording)]) == 1
    assert "value: kept" in capsys.readouterr().out


def test_verify_of_a_recording_without_tables(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert open_recording(bare).verify().empty
    assert main(["verify", str(bare)]) == 0
    assert "nothing to compare" in capsys.readouterr().out


def kept_ones(path: Path) -> DerivedTables | None:
    return read_tables(path / DERIVED, path)


def test_those_of_another_user_are_not_read(recording: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert kept_ones(recording) is not None
    monkeypatch.setattr(secret, "user_folder", lambda kind: tmp_path / "another user" / kind)
    assert kept_ones(recording) is None
    assert (tmp_path / "another user" / "data" / "derived.key").stat().st_mode & 0o777 == 0o600


def test_those_of_a_user_without_a_secret_are_not_read(
    recording: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setattr(secret, "user_folder", lambda kind: tmp_path / "file" / kind)
    manifest = recording / DERIVED / MANIFEST
    manifest.write_text(manifest.read_text().replace(secret_of(manifest), ""))
    assert kept_ones(recording) is None


def secret_of(manifest: Path) -> str:
    return manifest.read_text().rpartition('"signature":"')[2].rstrip('"}')


def test_those_of_another_engine_are_not_read(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiops_nb.record.derived.store.results_version", lambda: "of tomorrow")
    assert kept_ones(recording) is None


def test_the_version_of_the_results_changes_with_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(aiops_nb.__file__).parent
    for room in results_version.ROOMS:
        shutil.copytree(package / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(results_version, "PACKAGE", tmp_path)
    version = results_version.results_version.__wrapped__
    assert version() == results_version.results_version()
    changed = tmp_path / "detect" / "score_scale.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "# \n", encoding="utf-8")
    assert version() != results_version.results_version()


def test_those_of_other_rows_are_not_read(recording: Path) -> None:
    with Recorder(recording) as recorder:
        recorder.write(control_batch("monitor", "heartbeat", START * NS_PER_SECOND))
    assert kept_ones(recording) is None


def test_a_copy_of_the_rows_has_them_too(recording: Path) -> None:
    for file in recording.rglob("*.parquet"):
        os.utime(file, ns=(1, 1))  # as an archive may set it
    assert kept_ones(recording) is not None


@pytest.fixture
def bare(recording: Path) -> Path:
    """A recording that came without derived tables."""
    shutil.rmtree(recording / DERIVED)
    return recording


def listed(path: Path) -> list[tuple[str, int]]:
    return sorted((str(file), file.stat().st_mtime_ns) for file in path.rglob("*"))


def test_what_a_reader_derives_is_kept_outside_of_the_recording(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = listed(bare)
    alerts = open_recording(bare).alerts()
    assert listed(bare) == before
    monkeypatch.setattr("aiops_nb.session.derived_access.ReplayRun", None)
    again = open_recording(bare)
    assert_same_bytes(again.alerts(), alerts)
    assert_as_replayed(again)


def test_a_replay_keeps_what_it_makes(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aiops_nb.replay(bare, config={"pipeline": {"disable": ["request_failed"]}})
    assert open_recording(bare).derived.kept() is None  # of other rules than it was recorded with
    replayed = aiops_nb.replay(bare)
    monkeypatch.setattr("aiops_nb.session.derived_access.ReplayRun", None)
    assert_same_bytes(open_recording(bare).alerts(), replayed.alerts())
    assert_same_bytes(open_recording(bare).features("samples"), replayed.features("samples"))


def test_rows_come_in_pieces_too(made: Path) -> None:
    opened = open_recording(made)
    whole = opened.requests()
    pieces = pd.concat([piece.astype({"target": "str"}) for piece in opened.iter_requests()], ignore_index=True)
    assert pieces["target"].tolist() == whole["target"].tolist()
    assert opened.requests_reader().read_all().num_rows == len(whole)
    relation = opened.requests_relation(duckdb.connect(), end="30s")
    for _ in range(2):
        assert relation.count("*").fetchall() == [(len(opened.requests(end="30s")),)]


def test_switched_off_nothing_is_kept(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_recording(bare, derived=False)
    assert_as_replayed(opened)
    monkeypatch.setattr("aiops_nb.session.derived_access.ReplayRun", None)
    with pytest.raises(TypeError):  # another replay is needed
        open_recording(bare, derived=False).alerts()


def test_the_configuration_turns_them_off(tmp_path: Path) -> None:
    for derived in (True, False):
        path = tmp_path / str(derived)
        aiops_nb.from_synthetic(5, seed=3, targets=1, hosts=0, record=path, config={"derived_tables": derived})
        assert (path / DERIVED).exists() is derived
        assert len(open_recording(path).features())


def test_the_disk_is_bounded_and_the_rest_is_derived(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most_bytes = 60_000
    monkeypatch.setattr("aiops_nb.monitor.derivation.SEGMENT_TICKS", 24)
    monkeypatch.setattr("aiops_nb.session.derived_access.MOST_BYTES", most_bytes)
    opened = open_recording(bare)
    assert_as_replayed(opened)
    kept = opened.derived.kept()
    assert kept is not None and kept.manifest.tables["changes"]
    bounded = sum(s.size_bytes for name, listed in kept.manifest.tables.items() if name != "changes" for s in listed)
    assert bounded <= most_bytes


def rows_of(seed: int, second: int) -> Iterator[pa.RecordBatch]:
    """Batches of one second: requests with gaps and words of other scripts, and samples."""
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 6))
    failed = random.random(count) < 0.3
    columns = {
        "time": (START + second) * NS_PER_SECOND + np.sort(random.integers(0, NS_PER_SECOND, count)),
        "origin": random.choice(["probe", "traffic"], count).tolist(),
        "target": random.choice(["결제/주문", "https://h/ä?", "a\nb", "__other__"], count).tolist(),
        "status_code": [None if bad else int(random.choice([200, 200, 503, 429])) for bad in failed],
        "error_type": ["timeout" if bad else None for bad in failed],
        "duration_seconds": [None if random.random() < 0.2 else float(random.lognormal()) for _ in range(count)],
        "client_ip": random.choice(["10.0.0.1", "::1", "мир"], count).tolist(),
    }
    yield make_batch("requests", "log", columns)
    value = float(random.choice([0.5, 0.99, np.nan, np.inf, -0.0]))
    samples = {"time": [(START + second) * NS_PER_SECOND], "target": ["хост"], "metric": "cpu_ratio", "value": [value]}
    yield make_batch("samples", "host", samples)


def command(second: int, body: Command) -> pa.RecordBatch:
    return control_batch("monitor", "command", (START + second) * NS_PER_SECOND, encode_command(body))


Runs = list[list[pa.RecordBatch]]
COMMANDS = (SetThreshold(alertname="latency_p95_anomaly", threshold=2.0), SourceEnded(source="host"))


@st.composite
def recorded_runs(draw: Any) -> Runs:
    """One to three runs of a recording, each a list of batches from its start to its stop."""
    made, second = [], 0
    for _ in range(draw(st.integers(1, 3))):
        window = WindowParams(horizons_seconds=draw(st.sampled_from([(60.0, 300.0), (5.0,)])))
        batches = [command(second, Start(pipeline=PipelineParams(window=window), sources=("log", "host")))]
        for _ in range(draw(st.integers(5, 15))):
            second += draw(st.sampled_from([1, 1, 1, 2, 20]))
            batches += rows_of(draw(st.integers(0, 2**31)), second)
            batches.append(control_batch("clock", "heartbeat", (START + second) * NS_PER_SECOND))
            batches += [command(second, draw(st.sampled_from(COMMANDS)))] if draw(st.integers(0, 5)) == 0 else []
        made.append([*batches, command(second, Stop())])
    return made


@settings(max_examples=4)
@given(runs=recorded_runs(), segment_ticks=st.sampled_from([3, 1000]))
def test_what_is_read_equals_what_a_replay_makes(
    tmp_path_factory: pytest.TempPathFactory, runs: Runs, segment_ticks: int
) -> None:
    path = tmp_path_factory.mktemp("runs") / "recording"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aiops_nb.monitor.derivation.SEGMENT_TICKS", segment_ticks)
        for batches in runs:
            record(path, batches)
        patch.setattr("aiops_nb.session.derived_access.ReplayRun", None)
        assert_as_replayed(open_recording(path))


def record(path: Path, batches: list[pa.RecordBatch]) -> None:
    """As a live run does: another process begins with a pipeline that knows nothing."""
    tap, pipeline = RecordingTap(Recorder(path)), Pipeline()
    deliver = tap.delivering(lambda step: None)
    for batch in batches:
        deliver(pipeline.push(tap.write(batch)))
    tap.problems = pipeline.problems
    tap.close()


def test_an_engine_that_is_faster_than_the_disk_is_not_slowed_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aiops_nb.monitor.derivation.QUEUED_STEPS", 1)
    monkeypatch.setattr("aiops_nb.monitor.derivation.Buffers.add", lambda self, made: time.sleep(0.05))
    began = time.monotonic()
    samples = [
        make_batch("samples", "s", {"time": [second * NS_PER_SECOND], "target": ["h"], "metric": "m", "value": [1.0]})
        for second in range(100)
    ]
    record(tmp_path / "recording", [command(0, Start()), *samples, command(100, Stop())])
    assert time.monotonic() - began < 3.0
    assert kept_ones(tmp_path / "recording") is None
    monkeypatch.undo()
    assert_as_replayed(open_recording(tmp_path / "recording"))


WRITES_FOREVER = """
import sys, itertools
from aiops_nb.core.schemas import make_batch
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.monitor import derivation
from aiops_nb.monitor.recording_tap import RecordingTap
from aiops_nb.record.recorder import Recorder
derivation.SEGMENT_TICKS = 2
tap, pipeline = RecordingTap(Recorder(sys.argv[1], segment_rows=50)), Pipeline()
deliver = tap.delivering(lambda step: None)
for second in itertools.count():
    rows = {"time": [second * 10**9], "target": ["h"], "metric": "m", "value": [1.0]}
    deliver(pipeline.push(tap.write(make_batch("samples", "s", rows))))
    tap.seal_pending()
    if second == 300:
        print("going", flush=True)
"""


def test_kill_leaves_no_half_segment(tmp_path: Path) -> None:
    path = tmp_path / "recording"
    child = subprocess.Popen([sys.executable, "-c", WRITES_FOREVER, str(path)], stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None and child.stdout.readline() == b"going\n"
        child.send_signal(signal.SIGKILL)
    segments = list((path / DERIVED).rglob("[0-9]*.parquet"))
    assert len(segments) > 50
    for segment in segments:
        assert len(pd.read_parquet(segment))
    assert kept_ones(path) is None
    record(path, [command(10_000, Start()), command(10_001, Stop())])
    assert not list((path / DERIVED).rglob("*.parquet"))  # what the dead one left
    assert_as_replayed(open_recording(path))
