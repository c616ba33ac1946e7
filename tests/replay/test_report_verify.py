"""A report verified later: what changed in its recording is named, and a report of another kind is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aiops_nb.core.errors import AiopsError
from aiops_nb.core.schemas import make_batch
from aiops_nb.record.recorder import Recorder
from aiops_nb.report import run_report, run_reports, verify_report

START_NS = 1_780_000_000_000_000_000
SECOND_NS = 1_000_000_000
CONFIG = "interval: 1s\nhost_metrics: false\n"


def recorded(folder: Path, slow_at: int = -1, status_code: int = 200, config: str = CONFIG, skipped: int = -1) -> Path:
    """Two targets for five minutes, once a second; one row of them may differ or be absent."""
    seconds = [second for second in range(300) if second != skipped]
    for_each = [START_NS + second * SECOND_NS for second in seconds for _ in range(2)]
    durations = [1.5 if second == slow_at else 0.1 + second % 7 / 100 for second in seconds for _ in range(2)]
    codes = [status_code if second == slow_at else 200 for second in seconds for _ in range(2)]
    columns = {"time": for_each, "origin": "probe", "target": ["shop", "cart"] * len(seconds), "status_code": codes}
    with Recorder(folder, config_yaml=config) as recorder:
        recorder.write(make_batch("requests", "web", columns | {"duration_seconds": durations}))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    recorded(folder / "web")
    return run_report(folder / "web", out=folder / "out", timezone="Asia/Seoul", title="Shop & <cart>")


def failed(checks):
    return checks.loc[~checks["is_equal"], "figure"].tolist()


@pytest.mark.parametrize("kind", ["html", "notebook", "figures"])
def test_any_of_its_files_verifies_a_report(made, kind):
    checks = verify_report(getattr(made, kind))
    assert failed(checks) == []
    assert {"requests of shop", "p95_seconds of cart", "rows of requests", "alerts of a new replay"} <= set(
        checks["figure"]
    )


def test_a_notebook_alone_verifies(made, tmp_path):
    alone = shutil.copy(made.notebook, tmp_path / "alone.ipynb")
    assert failed(verify_report(alone)) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"slow_at": 130}, "requests from 2026-05-28 20:28:40 to 20:29:40 UTC"),
        ({"skipped": 10}, "requests from 2026-05-28 20:26:40 to 20:27:40 UTC"),
        ({"config": CONFIG.replace("1s", "2s")}, "configuration: interval"),
        ({"slow_at": 130, "status_code": 500}, "error_ratio of shop"),
    ],
    ids=["a slower row", "a row less", "another interval", "an error"],
)
def test_what_changed_is_named(made, tmp_path, change, named):
    found = failed(verify_report(made.figures, recorded(tmp_path / "web", **change)))
    assert named in found
    assert ("rows of requests" in found) is ("config" not in change)


def test_the_zone_and_the_title_are_shown(made):
    text = made.html.read_text(encoding="utf-8")
    assert "<title>Shop &amp; &lt;cart&gt;</title>" in text
    assert "worst minute (Asia/Seoul)" in text
    assert "2026-05-29 05:26:40 to 05:31:39 Asia/Seoul" in text


@pytest.mark.parametrize("content", ["", "{}", "[1", '{"format": 99}', '{"cells": [{"outputs": [{"data": 7}]}]}'])
@pytest.mark.parametrize("suffix", [".json", ".ipynb"])
def test_a_file_that_is_no_report_is_refused(tmp_path, content, suffix):
    path = tmp_path / f"other{suffix}"
    path.write_text(content)
    with pytest.raises(AiopsError, match="expected"):
        verify_report(path)


def test_of_several_recordings_one_fails_and_the_others_are_reported(made, tmp_path):
    recorded(tmp_path / "web")
    seen = []
    folders = [tmp_path / "absent", tmp_path / "web"]
    outcomes = run_reports(folders, out=tmp_path / "out", parallel=2, done=seen.append, end="2026-05-28T20:27:40Z")
    assert [outcome.error for outcome in outcomes] == [f"{tmp_path / 'absent'}: no such directory", ""]
    assert sorted(map(str, seen)) == sorted(map(str, outcomes))
    assert outcomes[1].paths.html.exists()
    stems = {path.stem for path in (tmp_path / "out").iterdir()}
    assert stems == {outcomes[1].paths.html.stem}


def cli(*argv, cwd):
    argv = [sys.executable, "-m", "aiops_nb.cli", *argv]
    return subprocess.run(argv, capture_output=True, text=True, cwd=cwd, timeout=60)


def test_the_command_says_what_differs_and_exits_with_1(made, tmp_path):
    good = cli("verify", str(made.html), cwd=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    assert "all reproduced" in good.stdout
    changed = recorded(tmp_path / "web", slow_at=130)
    bad = cli("verify", str(made.html), "--recording", str(changed), "--json", cwd=tmp_path)
    assert bad.returncode == 1
    lines = [json.loads(line) for line in bad.stdout.splitlines()]
    assert "rows of requests" in [line["figure"] for line in lines if not line["is_equal"]]
