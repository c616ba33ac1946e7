"""What is exported is what was recorded, in the words asked for."""

import json

import pandas as pd
import pytest

from aiops_nb import from_frame, open_recording, replay
from aiops_nb.core.errors import ConfigError
from aiops_nb.demo import demo_recording
from aiops_nb.frames.summary import is_error
from aiops_nb.report.export import TABLES, export_tables
from aiops_nb.session.recording import Recording
from aiops_nb.view.data.table_files import without_formulas

START, END = "2026-11-23T08:08:00Z", "2026-11-23T08:09:00Z"  # an outage begins and ends in this minute
FILES = ["requests", "samples", "features_requests", "features_samples", "scores", "alerts", "labels"]


@pytest.fixture(scope="module")
def recording():
    return open_recording(demo_recording())


@pytest.fixture(scope="module")
def exported(recording, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return {
        kind: {
            path.stem: path
            for path in export_tables(recording, folder / "new" / kind, format=kind, start=START, end=END)
        }
        for kind in ("csv", "jsonl", "parquet")
    }


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_each_table_is_a_file(exported, kind):
    assert list(exported[kind]) == FILES
    assert all(path.suffix == f".{kind}" for path in exported[kind].values())


@pytest.mark.parametrize("name", FILES)
def test_the_formats_hold_the_same_table(exported, name):
    csv = pd.read_csv(exported["csv"][name])
    lines = [json.loads(line) for line in exported["jsonl"][name].read_text(encoding="utf-8").splitlines()]
    parquet = pd.read_parquet(exported["parquet"][name])
    assert list(csv.columns) == list(lines[0]) == list(parquet.columns)
    assert len(csv) == len(lines) == len(parquet) > 0


def test_rows_come_back_as_they_were_recorded(recording, exported):
    before = recording.requests(start=START, end=END)
    after = pd.read_csv(exported["csv"]["requests"])
    assert pd.to_datetime(after["time"]).tolist() == before["time"].tolist()
    assert after["duration_seconds"].tolist() == before["duration_seconds"].tolist()
    assert after["error_type"].dropna().tolist() == before["error_type"].dropna().tolist()


def test_times_are_rfc_3339_in_utc_and_whole_numbers_are_whole(exported):
    text = exported["csv"]["requests"].read_text(encoding="utf-8")
    assert text.splitlines()[1].startswith("2026-11-23T08:08:00.")
    assert ",200," in text
    assert "200.0" not in text
    row = json.loads(exported["jsonl"]["requests"].read_text(encoding="utf-8").splitlines()[0])
    assert row["time"].endswith("Z")
    assert (row["status_code"], row["client_ip"]) == (200, None)


def test_labels_that_overlap_the_range_are_in_it(exported):
    assert pd.read_csv(exported["csv"]["labels"])["kind"].tolist() == ["connection_refused"]


def test_the_words_of_prometheus_with_its_success(recording, tmp_path):
    paths = export_tables(recording, tmp_path, tables=["requests"], start=START, end=END, naming="prometheus")
    table = pd.read_csv(paths[0])
    success = ~is_error(recording.requests(start=START, end=END))
    assert table["probe_success"].tolist() == success.astype(int).tolist()
    assert 0 < table["probe_success"].mean() < 1
    assert 'probe_http_duration_seconds{phase="tls"}' in table


def test_the_words_of_opentelemetry(recording, tmp_path):
    paths = export_tables(recording, tmp_path, tables=["requests", "samples"], start=START, end=END, naming="otel")
    requests, samples = (pd.read_csv(path) for path in paths)
    assert {"url.full", "http.response.status_code", "error.type"} <= set(requests)
    assert set(samples["host.name"]) == {"demo-host"}
    assert "system.cpu.utilization" in set(samples["metric"])


def test_a_monitor_exports_too_without_labels(recording, tmp_path):
    monitor = replay(recording)
    assert [path.stem for path in export_tables(monitor, tmp_path, tables=["alerts", "labels"])] == ["alerts"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"format": "xlsx"}, "format: expected one of csv, jsonl, parquet, got 'xlsx'"),
        ({"naming": "zabbix"}, "naming: expected one of aiops_nb, otel, prometheus, got 'zabbix'"),
        ({"tables": ["logs"]}, f"tables: expected one of {', '.join(TABLES)}, got 'logs'"),
        ({"start": "soon"}, "start: expected a time such as "),
    ],
)
def test_a_wrong_wish_is_named_and_writes_nothing(recording, tmp_path, wrong, message):
    with pytest.raises(ConfigError) as caught:
        export_tables(recording, tmp_path / "out", **wrong)
    assert str(caught.value).startswith(message)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_range_without_rows_replaces_no_file(recording, tmp_path, kind):
    (tmp_path / f"requests.{kind}").write_text("good")
    with pytest.raises(ConfigError, match="expected rows in this range, found none; nothing was written"):
        export_tables(recording, tmp_path, format=kind, start="2031-01-01")
    assert (tmp_path / f"requests.{kind}").read_text() == "good"
    assert [path.name for path in tmp_path.iterdir()] == [f"requests.{kind}"]


def test_a_table_that_fails_leaves_all_files_as_they_were(recording, tmp_path):
    (tmp_path / "requests.csv").write_text("good")
    broken = Broken(recording.path)
    with pytest.raises(OSError, match="no room"):
        export_tables(broken, tmp_path, tables=["requests", "samples"], start=START, end=END)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("requests.csv", "good")]


class Broken(Recording):
    """A recording whose samples cannot be read."""

    def samples(self, **range_of_time):
        raise OSError("no room")


def test_progress_says_each_file_and_its_rows(recording, tmp_path):
    seen = []
    paths = export_tables(
        recording,
        tmp_path,
        tables=["requests", "alerts"],
        start=START,
        end=END,
        written=lambda path, rows: seen.append((path, rows)),
    )
    assert [path for path, _ in seen] == paths
    assert [rows for _, rows in seen] == [len(pd.read_csv(path)) for path in paths]


FORMULAS = ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]


def test_a_spreadsheet_computes_nothing_that_was_recorded(tmp_path):
    rows = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=3, freq="s", tz="UTC"), "status_code": 200})
    rows["target"] = [FORMULAS[0], "-", "/a=b"]
    frame = from_frame(rows)
    (path,) = export_tables(frame, tmp_path, tables=["requests"])
    assert pd.read_csv(path)["target"].tolist() == ["'" + FORMULAS[0], "-", "/a=b"]
    (exact,) = export_tables(frame, tmp_path, tables=["requests"], format="jsonl")
    assert [json.loads(line)["target"] for line in exact.read_text().splitlines()] == rows["target"].tolist()


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_would_be_a_formula_is_quoted(text):
    assert without_formulas(pd.Series([text, "a", "-"])).tolist() == ["'" + text, "a", "-"]
    assert without_formulas(pd.Series([text, None])).isna().tolist() == [False, True]
    assert without_formulas(pd.Series([-1.5])).tolist() == [-1.5]
